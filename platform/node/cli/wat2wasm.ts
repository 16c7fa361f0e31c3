import { writeFile } from "node:fs/promises";
import { isBinary } from "../../../src/binary/sections.js";
import { WasmexError } from "../../../src/errors.js";
import { parseArguments, soleFile, UsageError } from "./arguments.js";
import { readInput, STANDARD_INPUT } from "./input.js";
import { binaryOf } from "./load.js";

/** Stands for standard output. */
const STANDARD_OUTPUT = "-";

export async function wat2wasm(words: readonly string[]): Promise<number> {
  const { values, rest } = parseArguments(words, { "-o": "value" }, true);
  const file = soleFile(rest, "wat2wasm");
  const out =
    values.get("-o") ?? (file === STANDARD_INPUT ? STANDARD_OUTPUT : `${file.replace(/\.wat$/, "")}.wasm`);
  if (out === STANDARD_OUTPUT && process.stdout.isTTY) {
    throw new UsageError("a binary module is no sight for a terminal: give -o OUT, or redirect the output");
  }
  const input = await readInput(file);
  if (isBinary(input.bytes)) throw new WasmexError(`${input.name} is a binary module already`);
  const binary = await binaryOf(input);
  if (out !== STANDARD_OUTPUT) {
    await writeFile(out, binary).catch((cause: Error) => {
      throw new WasmexError(`can't write ${JSON.stringify(out)}: ${cause.message}`, { cause });
    });
  } else {
    process.stdout.write(binary);
  }
  return 0;
}
