import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { WasmexError } from "../../../src/errors.js";

/** The name of a file that stands for standard input. */
export const STANDARD_INPUT = "-";

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "there is no such file"],
  ["EISDIR", "it is a directory"],
  ["EACCES", "you may not read it"],
]);

export interface Input {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** As `nameOf` has it. */
  readonly name: string;
}

/** What messages call a file, and argv[0] of a program. */
export function nameOf(file: string): string {
  return file === STANDARD_INPUT ? "stdin" : basename(file);
}

/** Without a copy; `slice` of a Buffer would make none either. */
function plain({ buffer, byteOffset, length }: Buffer<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, length);
}

/**
 * Reads a file, or standard input for `-`.
 * @throws WasmexError where it can't be read
 */
export async function readInput(file: string): Promise<Input> {
  if (file === STANDARD_INPUT) {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return { bytes: plain(Buffer.concat(chunks)), name: nameOf(file) };
  }
  try {
    return { bytes: plain(await readFile(file)), name: nameOf(file) };
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    throw new WasmexError(`can't read ${JSON.stringify(file)}: ${REASONS.get(code) ?? message}`, { cause });
  }
}
