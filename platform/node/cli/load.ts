import { isBinary } from "../../../src/binary/sections.js";
import { CompileError } from "../../../src/errors.js";
import { Module } from "../../../src/module.js";
import { beginOf } from "../../../src/source-bytes.js";
import { strict } from "../../../src/text.js";
import { assemble } from "../../../src/wat.js";
import { adviceOnBytes } from "./advice.js";
import type { Input } from "./input.js";
import { announce, printable } from "./terminal.js";

function refuseComponent({ bytes, name }: Input): void {
  const advice = adviceOnBytes(bytes);
  if (advice !== undefined) throw new CompileError(`${name}: ${advice}`);
}

/** What is wrong with bytes that are neither a binary module nor text in UTF-8. */
function refusalOf(bytes: Uint8Array): string {
  const [first = 0, second = 0] = bytes;
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  // A byte order mark, or ASCII without one.
  if (isMarked || (first >= 0x20 && first < 0x7f && second === 0)) {
    return "is text in UTF-16, not in UTF-8: save it as UTF-8";
  }
  const isControl = (byte: number): boolean => byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d);
  return bytes.some(isControl)
    ? `is neither a WebAssembly module nor text: it begins with ${beginOf(bytes)}, not with 00 61 73 6d`
    : "is not UTF-8: if it is text, save it as UTF-8";
}

/**
 * The WebAssembly text that the input is, without a byte order mark.
 * @throws CompileError that names the file
 */
function textOf({ bytes, name }: Input): string {
  let text: string | undefined;
  try {
    text = strict.decode(bytes).replace(/^\uFEFF/, "");
  } catch {
    // Told below.
  }
  if (text === undefined || text.includes("\0")) {
    throw new CompileError(`${name} ${refusalOf(bytes)}`);
  }
  if (text.trim() === "") throw new CompileError(`${name} is empty`);
  if (/^\s*<[!?a-z]/i.test(text)) {
    throw new CompileError(
      `${name} is an HTML or XML page, not a WebAssembly module: check where it comes from`,
    );
  }
  return text;
}

/**
 * Compiles what was read.
 * @throws CompileError that names the file; the signal's reason
 */
export async function compileInput(input: Input, signal?: AbortSignal): Promise<Module> {
  const { bytes, name } = input;
  refuseComponent(input);
  if (!isBinary(bytes)) textOf(input);
  const done = announce(`compiling ${printable(name)} …`);
  try {
    return await Module.compile(bytes, signal === undefined ? {} : { signal });
  } catch (error) {
    if (!(error instanceof CompileError) || !error.message.startsWith("the module")) throw error;
    const { line, column, message } = error;
    const place = line === undefined || column === undefined ? undefined : { line, column };
    throw new CompileError(name + message.slice("the module".length), { cause: error, ...place });
  } finally {
    done();
  }
}

/**
 * The binary module that the input is or, as text, stands for.
 * @throws CompileError that names the file
 */
export async function binaryOf(input: Input): Promise<Uint8Array<ArrayBuffer>> {
  const { bytes, name } = input;
  refuseComponent(input);
  if (isBinary(bytes)) return bytes;
  const { bytes: assembled, objection } = await assemble(textOf(input), name);
  if (objection !== undefined) throw objection;
  return new Uint8Array(assembled);
}

/**
 * What `read` tells of a module.
 * @throws CompileError that names the file, where the module is cut off or damaged
 */
export function reading<T>({ name }: Input, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    throw new CompileError(`${name}: ${error.message}`, { cause: error });
  }
}
