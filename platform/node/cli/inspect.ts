import { Cursor } from "../../../src/binary/cursor.js";
import { MEMORY_KIND, readExtern } from "../../../src/binary/externs.js";
import { readInterface } from "../../../src/binary/interface.js";
import { readNames } from "../../../src/binary/names.js";
import { HEADER_SIZE, MEMORY, scanSections, TYPE } from "../../../src/binary/sections.js";
import { readTypes } from "../../../src/binary/value-types.js";
import { WasmexError } from "../../../src/errors.js";
import { Module } from "../../../src/module.js";
import type { ExternType, ImportEntry, MemoryType } from "../../../src/shape.js";
import { adviceOnImports } from "./advice.js";
import { parseArguments, soleFile } from "./arguments.js";
import { readInput } from "./input.js";
import { binaryOf, reading } from "./load.js";
import { columns, humanBytes, printable, style } from "./terminal.js";

const SECTION_NAMES = [
  "custom",
  "type",
  "import",
  "function",
  "table",
  "memory",
  "global",
  "export",
  "start",
  "element",
  "code",
  "data",
  "data count",
  "tag",
];

interface Section {
  readonly section: string;
  readonly bytes: number;
}

interface Report {
  readonly file: string;
  readonly name: string | null;
  readonly bytes: number;
  readonly imports: readonly ImportEntry[];
  readonly exports: readonly { readonly name: string; readonly type: ExternType }[];
  /** Imported ones first, as their indices have it. */
  readonly memories: readonly (MemoryType & { readonly imported: boolean })[];
  readonly sections: readonly Section[];
  readonly advice: string | null;
}

/** The sections, and what the last custom section "name" calls the module. */
function readSections(bytes: Uint8Array<ArrayBuffer>): { sections: Section[]; moduleName: string | null } {
  const sections: Section[] = [];
  let moduleName: string | null = null;
  const cursor = new Cursor(bytes, HEADER_SIZE);
  while (cursor.at < bytes.length) {
    const id = cursor.byte();
    const size = cursor.count();
    const inside = new Cursor(bytes, cursor.at, cursor.at + size);
    let section = SECTION_NAMES[id] ?? `section ${id}`;
    if (id === 0) {
      const name = inside.name();
      section = `custom "${name}"`;
      if (name === "name")
        moduleName = readNames(bytes.slice(inside.at, inside.end).buffer).moduleName ?? null;
    }
    sections.push({ section, bytes: size });
    cursor.skip(size);
  }
  return { sections, moduleName };
}

function readMemories(bytes: Uint8Array<ArrayBuffer>, imports: readonly ImportEntry[]): Report["memories"] {
  const memories = imports.flatMap(({ type }) =>
    type.kind === "memory" ? [{ ...type, imported: true }] : [],
  );
  const open = scanSections(bytes);
  const types = readTypes(open(TYPE));
  const defined = open(MEMORY).list((cursor) => readExtern(cursor, MEMORY_KIND, types) as MemoryType);
  return [...memories, ...defined.map((memory) => ({ ...memory, imported: false }))];
}

function limits(type: { minimum: number; maximum?: number }, unit: string): string {
  if (type.maximum === type.minimum) return `${type.minimum} ${unit}`;
  return `${type.minimum}..${type.maximum ?? ""} ${unit}`;
}

/** One extern type in a line. */
function describe(type: ExternType): string {
  switch (type.kind) {
    case "function":
      return `(${type.parameters.join(", ")}) -> (${type.results.join(", ")})`;
    case "memory":
      return `${limits(type, "pages")}${type.shared ? ", shared" : ""}${type.address === "i64" ? ", 64-bit" : ""}`;
    case "table":
      return `${limits(type, type.element)}${type.address === "i64" ? ", 64-bit" : ""}`;
    case "global":
      return `${type.mutable ? "mut " : ""}${type.value}`;
    case "tag":
      return `(${type.parameters.join(", ")})`;
  }
}

function table(report: Report): string {
  const { stdout } = process;
  const title = (text: string, count: number) => `\n${style("bold", `${text} (${count})`, stdout)}\n`;
  const kind = (text: string) => ({ text, colour: "cyan" }) as const;
  const named = report.name === null ? "" : `, named "${printable(report.name)}"`;
  let text = `${style("bold", printable(report.file), stdout)}  ${humanBytes(report.bytes)}${named}\n`;
  text += title("Imports", report.imports.length);
  text += columns(
    report.imports.map((entry) => [
      kind(entry.type.kind),
      `${printable(entry.module)}.${printable(entry.name)}`,
      describe(entry.type),
    ]),
    stdout,
  );
  text += title("Exports", report.exports.length);
  text += columns(
    report.exports.map(({ name, type }) => [kind(type.kind), printable(name), describe(type)]),
    stdout,
  );
  text += title("Memories", report.memories.length);
  text += columns(
    report.memories.map((type, index) => [`#${index}`, describe(type), type.imported ? "imported" : ""]),
    stdout,
  );
  text += title("Sections", report.sections.length);
  text += columns(
    report.sections.map(({ section, bytes }) => [printable(section), humanBytes(bytes)]),
    stdout,
  );
  if (report.advice !== null) text += `\n${style("yellow", "note:", stdout)} ${report.advice}\n`;
  return text;
}

function reportOn(bytes: Uint8Array<ArrayBuffer>, file: string): Report {
  const { imports, exports } = readInterface(bytes);
  const { sections, moduleName } = readSections(bytes);
  return {
    file,
    name: moduleName,
    bytes: bytes.length,
    imports,
    exports: Array.from(exports, ([name, type]) => ({ name, type })),
    memories: readMemories(bytes, imports),
    sections,
    advice: adviceOnImports(imports) ?? null,
  };
}

export async function inspect(words: readonly string[]): Promise<number> {
  const { flags, rest } = parseArguments(words, { "--json": "flag" }, true);
  const input = await readInput(soleFile(rest, "inspect"));
  const bytes = await binaryOf(input);
  const report = reading(input, () => reportOn(bytes, input.name));
  process.stdout.write(flags.has("--json") ? `${JSON.stringify(report, null, 2)}\n` : table(report));
  // What it declares is of use all the same where this engine is too old for it.
  await Module.compile(bytes, { thread: "inline" }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message.replace(/^the module /, "") : String(error);
    throw new WasmexError(`${input.name} can't be run here: it ${why}`, { cause: error });
  });
  return 0;
}
