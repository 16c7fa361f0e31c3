import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { WasmexError } from "../../../src/errors.js";

export interface Input {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What messages call it, and argv[0] of a program. */
  readonly name: string;
}

/** Reads a file, or standard input for `-`. */
export async function readInput(file: string): Promise<Input> {
  if (file === "-") {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return { bytes: new Uint8Array(Buffer.concat(chunks)), name: "stdin" };
  }
  try {
    return { bytes: new Uint8Array(await readFile(file)), name: basename(file) };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why =
      code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a directory" : (cause as Error).message;
    throw new WasmexError(`can't read ${JSON.stringify(file)}: ${why}`, { cause });
  }
}
