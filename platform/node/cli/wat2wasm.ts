import { writeFile } from "node:fs/promises";
import { isBinary } from "../../../src/binary/sections.js";
import { Module } from "../../../src/module.js";
import { assemble } from "../../../src/wat.js";
import { parseArguments, soleFile, UsageError } from "./arguments.js";
import { readInput } from "./input.js";

export async function wat2wasm(words: readonly string[]): Promise<number> {
  const { values, rest } = parseArguments(words, { "-o": "value" }, true);
  const file = soleFile(rest, "wat2wasm");
  const { bytes, name } = await readInput(file);
  if (isBinary(bytes)) throw new UsageError(`${name} is a binary module already`);
  // Compiling first gives the errors of the text their line.
  await Module.compile(bytes, { thread: "inline" });
  const binary = (await assemble(new TextDecoder().decode(bytes), name)).bytes;
  const out = values.get("-o") ?? (file === "-" ? "-" : `${file.replace(/\.wat$/, "")}.wasm`);
  if (out === "-") process.stdout.write(binary);
  else await writeFile(out, binary);
  return 0;
}
