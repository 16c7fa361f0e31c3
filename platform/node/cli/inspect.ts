import { Cursor } from "../../../src/binary/cursor.js";
import { HEADER_SIZE, isBinary } from "../../../src/binary/sections.js";
import { Module } from "../../../src/module.js";
import type { ExternType } from "../../../src/shape.js";
import { assemble } from "../../../src/wat.js";
import { adviceOnBytes, adviceOnImports } from "./advice.js";
import { parseArguments, soleFile, UsageError } from "./arguments.js";
import { readInput } from "./input.js";
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

interface SectionSize {
  readonly section: string;
  readonly bytes: number;
}

function sectionSizes(bytes: Uint8Array<ArrayBuffer>): SectionSize[] {
  const sections: SectionSize[] = [];
  const cursor = new Cursor(bytes, HEADER_SIZE);
  while (cursor.at < bytes.length) {
    const id = cursor.byte();
    const size = cursor.count();
    const inside = new Cursor(bytes, cursor.at, cursor.at + size);
    const name = SECTION_NAMES[id] ?? `section ${id}`;
    sections.push({ section: id === 0 ? `custom ${JSON.stringify(inside.name())}` : name, bytes: size });
    cursor.at += size;
  }
  return sections;
}

function limits(type: { minimum: number; maximum?: number }, unit: string): string {
  return `${type.minimum}..${type.maximum ?? ""} ${unit}`;
}

/** One extern type in a line. */
export function describe(type: ExternType): string {
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

export async function inspect(words: readonly string[]): Promise<number> {
  const { flags, rest } = parseArguments(words, { "--json": "flag" }, true);
  const { bytes, name } = await readInput(soleFile(rest, "inspect"));
  const advice = adviceOnBytes(bytes);
  if (advice !== undefined) throw new UsageError(`${name}: ${advice}`);
  const module = await Module.compile(bytes, { thread: "inline" });
  const binary = isBinary(bytes) ? bytes : new Uint8Array((await assemble(new TextDecoder().decode(bytes), name)).bytes);
  const sections = sectionSizes(binary);
  const { importEntries, exports } = module;
  if (flags.has("--json")) {
    const report = {
      file: name,
      name: module.name ?? null,
      bytes: module.byteLength,
      imports: importEntries,
      exports: Object.entries(exports).map(([exported, type]) => ({ name: exported, type })),
      sections,
      advice: adviceOnImports(importEntries) ?? null,
    };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return 0;
  }
  const title = (text: string) => `\n${style("bold", text, process.stdout)}\n`;
  let text = `${style("bold", printable(name), process.stdout)}  ${humanBytes(module.byteLength)}`;
  text += `${module.name === undefined ? "" : `, named ${JSON.stringify(printable(module.name))}`}\n`;
  text += title(`Imports (${importEntries.length})`);
  text += columns(
    importEntries.map((entry) => [
      entry.type.kind,
      `${printable(entry.module)}.${printable(entry.name)}`,
      describe(entry.type),
    ]),
  );
  text += title(`Exports (${Object.keys(exports).length})`);
  text += columns(
    Object.entries(exports).map(([exported, type]) => [type.kind, printable(exported), describe(type)]),
  );
  text += title("Sections");
  text += columns(sections.map(({ section, bytes: size }) => [printable(section), humanBytes(size)]));
  const hint = adviceOnImports(importEntries);
  if (hint !== undefined) text += `\n${style("yellow", "note:", process.stdout)} ${hint}\n`;
  process.stdout.write(text);
  return 0;
}
