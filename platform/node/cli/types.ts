import { Module } from "../../../src/module.js";
import type { ExternType, FunctionType, ValueType } from "../../../src/shape.js";
import { parseArguments, soleFile } from "./arguments.js";
import { readInput } from "./input.js";

const SCRIPT_TYPES: ReadonlyMap<string, string> = new Map([
  ["i32", "number"],
  ["i64", "bigint"],
  ["f32", "number"],
  ["f64", "number"],
]);

function scriptType(type: ValueType): string {
  return SCRIPT_TYPES.get(type) ?? "unknown";
}

function parameters(type: FunctionType): string {
  return type.parameters.map((value, at) => `p${at}: ${scriptType(value)}`).join(", ");
}

function tuple(types: readonly ValueType[]): string {
  return `[${types.map(scriptType).join(", ")}]`;
}

function bare(types: readonly ValueType[]): string {
  if (types.length === 0) return "void";
  return types.length === 1 ? scriptType(types[0] as ValueType) : tuple(types);
}

function signature(type: FunctionType): string {
  return `(${type.parameters.join(", ")}) -> (${type.results.join(", ")})`;
}

function importMember(name: string, type: ExternType): string {
  const key = JSON.stringify(name);
  switch (type.kind) {
    case "function":
      return `    /** ${signature(type)} */\n    ${key}: (${parameters(type)}) => ${bare(type.results)};\n`;
    case "memory":
      return `    ${key}: WebAssembly.Memory;\n`;
    case "table":
      return `    ${key}: WebAssembly.Table;\n`;
    case "global":
      return `    ${key}: WebAssembly.Global${type.mutable ? "" : ` | ${scriptType(type.value)}`};\n`;
    case "tag":
      return `    ${key}: object;\n`;
  }
}

/** The declaration of a module's exports and imports. */
export function declarationOf(module: Module, file: string): string {
  let text = `// Made by \`wasmex types\` from ${JSON.stringify(file)}.\n\n`;
  text += "/** For `Wasmex.start<Exports>()`: the exported functions, results as `callFunction` gives them. */\n";
  text += "export interface Exports {\n";
  for (const [name, type] of Object.entries(module.exports)) {
    if (type.kind !== "function") continue;
    text += `  /** ${signature(type)} */\n  ${JSON.stringify(name)}(${parameters(type)}): ${tuple(type.results)};\n`;
  }
  text += "}\n";
  const namespaces = Object.entries(module.imports).filter(([namespace]) => !/^wasi_(snapshot_preview1|unstable)$/.test(namespace));
  if (namespaces.length > 0) {
    text += "\n/** What `imports` must hold. `Wasmex.fn` gives a host function its context. */\nexport interface Imports {\n";
    for (const [namespace, members] of namespaces) {
      text += `  ${JSON.stringify(namespace)}: {\n`;
      for (const [name, type] of Object.entries(members)) text += importMember(name, type);
      text += "  };\n";
    }
    text += "}\n";
  }
  return text;
}

export async function types(words: readonly string[]): Promise<number> {
  const { rest } = parseArguments(words, {}, true);
  const { bytes, name } = await readInput(soleFile(rest, "types"));
  const module = await Module.compile(bytes, { thread: "inline" });
  process.stdout.write(declarationOf(module, name));
  return 0;
}
