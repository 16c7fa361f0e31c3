import { isBinary } from "../../../src/binary/sections.js";
import { CompileError } from "../../../src/errors.js";
import { Module } from "../../../src/module.js";
import { strict } from "../../../src/text.js";
import { assemble } from "../../../src/wat.js";
import { adviceOnBytes } from "./advice.js";
import type { Input } from "./input.js";
import { announce } from "./terminal.js";

function refuseComponent({ bytes, name }: Input): void {
  const advice = adviceOnBytes(bytes);
  if (advice !== undefined) throw new CompileError(`${name}: ${advice}`);
}

/**
 * Compiles what was read.
 * @throws CompileError that names the file
 */
export async function compileInput(input: Input, thread: "auto" | "inline"): Promise<Module> {
  refuseComponent(input);
  const done = announce(`compiling ${input.name} …`);
  try {
    return await Module.compile(input.bytes, { thread });
  } catch (error) {
    if (!(error instanceof CompileError) || !error.message.startsWith("the module")) throw error;
    throw new CompileError(input.name + error.message.slice("the module".length), { cause: error });
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
  let text: string;
  try {
    text = strict.decode(bytes);
  } catch (cause) {
    throw new CompileError(`${name} is neither a WebAssembly module nor text`, { cause });
  }
  if (text.trim() === "") throw new CompileError(`${name} is empty`);
  const { bytes: assembled, objection } = await assemble(text, name);
  if (objection !== undefined) throw objection;
  return new Uint8Array(assembled);
}
