import { readInterface } from "../../../src/binary/interface.js";
import type { ExternType, FunctionType, ImportEntry, ValueType } from "../../../src/shape.js";
import { parseArguments, soleFile } from "./arguments.js";
import { readInput } from "./input.js";
import { binaryOf, reading } from "./load.js";
import { printable } from "./terminal.js";

const SCRIPT_TYPES: ReadonlyMap<ValueType, string> = new Map([
  ["i32", "number"],
  ["i64", "bigint"],
  ["f32", "number"],
  ["f64", "number"],
]);

/** Given by the runtime itself. */
const WASI = /^wasi_(snapshot_preview1|unstable)$/;

function scriptType(type: ValueType): string {
  return SCRIPT_TYPES.get(type) ?? "unknown";
}

function parameters(type: FunctionType): string {
  return type.parameters.map((value, at) => `p${at}: ${scriptType(value)}`).join(", ");
}

/** As an export gives it and a host function returns it: bare, several as a tuple, none as nothing. */
function results(types: readonly ValueType[]): string {
  const [first, ...more] = types;
  if (first === undefined) return "void";
  return more.length === 0 ? scriptType(first) : `[${types.map(scriptType).join(", ")}]`;
}

function signature(type: FunctionType): string {
  return `(${type.parameters.join(", ")}) -> (${type.results.join(", ")})`;
}

/** A name of the module as a key; quoted where it has to be, and so that nothing in it ends the line. */
function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) && name !== "new" ? name : printable(JSON.stringify(name));
}

function importMember(name: string, type: ExternType): string {
  const member = `    readonly ${key(name)}: `;
  switch (type.kind) {
    case "function": {
      const returned = results(type.results);
      const plain = `(${parameters(type)}) => ${returned} | Promise<${returned}>`;
      return `    /** ${signature(type)} */\n${member}HostFunction | (${plain});\n`;
    }
    case "memory":
      return `${member}WebAssembly.Memory;\n`;
    case "table":
      return `${member}WebAssembly.Table;\n`;
    case "global":
      return `${member}WebAssembly.Global${type.mutable ? "" : ` | ${scriptType(type.value)}`};\n`;
    case "tag":
      return `${member}object;\n`;
  }
}

function exportsOf(exports: ReadonlyMap<string, ExternType>): string {
  let text = "/** For `Wasmex.start<Exports>()`: the functions that the module exports. */\n";
  text += "export interface Exports {\n";
  for (const [name, type] of exports) {
    if (type.kind !== "function") continue;
    text += `  /** ${signature(type)} */\n  ${key(name)}(${parameters(type)}): ${results(type.results)};\n`;
  }
  return `${text}}\n`;
}

function importsOf(entries: readonly ImportEntry[]): string {
  const namespaces = new Map<string, Map<string, ExternType>>();
  for (const { module, name, type } of entries) {
    if (WASI.test(module)) continue;
    const members = namespaces.get(module) ?? new Map<string, ExternType>();
    namespaces.set(module, members.set(name, type));
  }
  if (namespaces.size === 0) return "";
  let text =
    "\n/** For `imports`: what the module needs of its host. `Wasmex.fn` gives a function its context. */\n";
  // An alias: an interface would not be taken for a record of them.
  text += "export type Imports = {\n";
  for (const [namespace, members] of namespaces) {
    text += `  readonly ${key(namespace)}: {\n`;
    for (const [name, type] of members) text += importMember(name, type);
    text += "  };\n";
  }
  return `${text}};\n`;
}

/** The declaration of a module's exports and imports. */
function declarationOf(bytes: Uint8Array<ArrayBuffer>, file: string): string {
  const { imports, exports } = readInterface(bytes);
  const needed = importsOf(imports);
  const head = `// Made by \`wasmex types\` from ${printable(file)}.\n`;
  const uses = needed.includes("HostFunction") ? '\nimport type { HostFunction } from "wasmex";\n' : "";
  return `${head}${uses}\n${exportsOf(exports)}${needed}`;
}

export async function types(words: readonly string[]): Promise<number> {
  const { rest } = parseArguments(words, {}, true);
  const input = await readInput(soleFile(rest, "types"));
  const bytes = await binaryOf(input);
  process.stdout.write(reading(input, () => declarationOf(bytes, input.name)));
  return 0;
}
