/**
 * Whether an object of the engine fits an import. Engines don't tell the types of their objects (the type-reflection
 * proposal ships nowhere), but they check them: a module of a few bytes with that one import finds out. Only done once
 * linking has failed.
 */
import { HEADER, importing } from "./binary/sections.js";
import { FIRST, TYPES } from "./binary/value-types.js";
import type { MemoryType, ShapeType, TableType, ValueType } from "./shape.js";
import { classOf } from "./source-bytes.js";
import { describeValue } from "./values.js";

/** Whether the engine takes the value for the import of that module; without a module that can't be found out, and is taken to be so. */
export function accepts(probe: Uint8Array<ArrayBuffer> | undefined, value: unknown): boolean {
  if (probe === undefined) return true;
  try {
    new WebAssembly.Instance(new WebAssembly.Module(probe), { "": { "": value as WebAssembly.ImportValue } });
    return true;
  } catch {
    return false;
  }
}

/** Whether the engine takes the value for an import of that description. */
function isOf(description: readonly number[], value: unknown): boolean {
  return accepts(importing(HEADER, description), value);
}

let functionTable: WebAssembly.Table | undefined;

/** Whether a function is an export of some instance: only those can stand in a table. */
export function isExportedFunction(value: unknown): boolean {
  functionTable ??= new WebAssembly.Table({ element: "anyfunc", initial: 1 });
  try {
    functionTable.set(0, value);
    functionTable.set(0, null);
    return true;
  } catch {
    return false;
  }
}

function signature(parameters: readonly ValueType[]): string {
  return `(${parameters.join(", ")})`;
}

function describeLimits({ minimum, maximum, address }: MemoryType | TableType): string {
  return `${minimum}${maximum === undefined ? "" : ` to ${maximum}`}${address ? ", 64-bit" : ""}`;
}

/** A type in words, for errors. */
export function describeType(type: ShapeType): string {
  switch (type.kind) {
    case "function":
      return `a function ${signature(type.parameters)} -> ${signature(type.results)}`;
    case "memory":
      return `a ${type.shared ? "shared " : ""}memory of ${describeLimits(type)} pages`;
    case "table":
      return `a table of ${describeLimits(type)} ${type.element}`;
    case "global":
      return `a ${type.mutable ? "mutable " : ""}global ${type.value}`;
    case "tag":
      return `a tag ${signature(type.parameters)}`;
    case "untyped":
      return `a ${type.of}`;
  }
}

/** What was given for an import, in the same words as far as the engine lets on. */
export function describeGiven(value: unknown, expected: ShapeType): string {
  if (typeof value === "function") {
    return isExportedFunction(value)
      ? `an exported function of another signature, with ${value.length} params`
      : "a function";
  }
  switch (classOf(value)) {
    case "WebAssembly.Memory": {
      const { buffer } = value as WebAssembly.Memory;
      const shared = !(buffer instanceof ArrayBuffer);
      const minimum = buffer.byteLength / 65536;
      const isMaximum =
        expected.kind === "memory" && expected.shared === shared && expected.minimum <= minimum;
      return `${describeType({ kind: "memory", minimum, shared })}${isMaximum ? " with another maximum" : ""}`;
    }
    case "WebAssembly.Table": {
      const element = TYPES.find((_, index) => isOf([1, index + FIRST, 0, 0], value)) ?? "elements";
      return `a table of ${(value as WebAssembly.Table).length} ${element}`;
    }
    case "WebAssembly.Global":
      // What holds less comes first.
      for (let code = 0x7f; code >= FIRST; code--) {
        for (const mutable of [1, 0]) {
          if (isOf([3, code, mutable], value))
            return `a ${mutable ? "mutable " : ""}global ${TYPES[code - FIRST]}`;
        }
      }
      return "a global";
    case "WebAssembly.Tag":
      return "a tag with other parameters";
    default:
      return describeValue(value);
  }
}
