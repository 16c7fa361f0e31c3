/**
 * Whether an object of the engine fits an import. Engines don't tell the types of their objects (the type-reflection
 * proposal ships nowhere), but they check them: a module of a few bytes with that one import finds out. Only done once
 * linking has failed.
 */
import { KINDS } from "./binary/externs.js";
import { ADDRESS_64, leb, SHARED, writeLimits } from "./binary/limits.js";
import { shortTypes, typeCode } from "./binary/value-types.js";
import type { ExternType, FunctionType, ShapeType, ValueType } from "./shape.js";
import { describeValue } from "./values.js";

interface LimitsType {
  readonly minimum: number;
  readonly maximum?: number;
  readonly shared?: boolean;
  readonly address?: "i64";
}

function list(types: readonly ValueType[]): number[] {
  return [...leb(types.length), ...types.map(typeCode)];
}

function limits({ minimum, maximum, shared, address }: LimitsType): number[] {
  const flags = (shared ? SHARED : 0) | (address ? ADDRESS_64 : 0);
  return writeLimits({ flags, minimum, maximum, pageBits: undefined });
}

function section(id: number, contents: readonly number[]): number[] {
  return [id, ...leb(contents.length), ...contents];
}

/** A module whose one import, of empty namespace and name, has that type. */
function probeModule(type: ExternType): number[] {
  const { parameters = [], results = [] } = type as Partial<FunctionType>;
  let description: number[];
  if (type.kind === "global") description = [typeCode(type.value), type.mutable ? 1 : 0];
  else if (type.kind === "table") description = [typeCode(type.element), ...limits(type)];
  else if (type.kind === "memory") description = limits(type);
  // An attribute or nothing, and the index of the type.
  else description = type.kind === "tag" ? [0, 0] : [0];
  return [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, ...list(parameters), ...list(results)]),
    ...section(2, [1, 0, 0, KINDS.indexOf(type.kind), ...description]),
  ];
}

/** Whether the engine takes the value for an import of that type; `undefined` where that cannot be found out. */
export function accepts(type: ShapeType, value: unknown): boolean | undefined {
  if (type.kind === "untyped") return undefined;
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(new Uint8Array(probeModule(type)));
  } catch {
    return undefined;
  }
  try {
    new WebAssembly.Instance(module, { "": { "": value as WebAssembly.ImportValue } });
    return true;
  } catch {
    return false;
  }
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

function describeLimits(type: LimitsType): string {
  const upTo = type.maximum === undefined ? "" : ` to ${type.maximum}`;
  return `${type.minimum}${upTo}${type.address === undefined ? "" : ", 64-bit"}`;
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
  const name = Object.prototype.toString.call(value).slice(8, -1);
  switch (name) {
    case "WebAssembly.Global":
      for (const mutable of [true, false]) {
        for (const type of shortTypes()) {
          const candidate = { kind: "global", value: type, mutable } as const;
          if (accepts(candidate, value)) return describeType(candidate);
        }
      }
      return "a global";
    case "WebAssembly.Memory": {
      const { buffer } = value as WebAssembly.Memory;
      const shared = !(buffer instanceof ArrayBuffer);
      const text = `a ${shared ? "shared " : ""}memory of ${buffer.byteLength / 65536} pages`;
      const isMaximum =
        expected.kind === "memory" &&
        expected.shared === shared &&
        expected.minimum * 65536 <= buffer.byteLength;
      return isMaximum ? `${text} with another maximum` : text;
    }
    case "WebAssembly.Table": {
      const { length } = value as WebAssembly.Table;
      for (const element of ["funcref", "externref"] as const) {
        if (accepts({ kind: "table", minimum: 0, element }, value)) return `a table of ${length} ${element}`;
      }
      return `a table of ${length} elements`;
    }
    case "WebAssembly.Tag":
      return "a tag with other parameters";
  }
  if (typeof value === "function") {
    return isExportedFunction(value)
      ? `an exported function of another signature, with ${value.length} params`
      : "a function";
  }
  return describeValue(value);
}
