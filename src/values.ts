import { CallError } from "./errors.js";
import type { RefType, ValueType } from "./shape.js";

export type { RefType, ValueType } from "./shape.js";

/** What a WebAssembly value is in JavaScript: numbers, `bigint` for `i64`, anything at all for references. */
export type WasmValue = number | bigint | string | boolean | symbol | object | null | undefined;

/** The JavaScript type of a WebAssembly value type. */
export type JsType<T extends ValueType> = T extends "i32" | "f32" | "f64"
  ? number
  : T extends "i64"
    ? bigint
    : T extends "v128"
      ? never
      : T extends "funcref"
        ? ((...params: never[]) => unknown) | null
        : unknown;

/** The JavaScript types of a list of value types, in order. */
export type JsTypes<T extends readonly ValueType[]> = { -readonly [K in keyof T]: JsType<T[K]> };

/** What a function of these results gives back: one bare, several as a tuple, none as nothing; of a list whose length is not known any of them. */
export type JsResult<T extends readonly ValueType[]> = T extends readonly []
  ? void
  : T extends readonly [infer One extends ValueType]
    ? JsType<One>
    : number extends T["length"]
      ? unknown
      : { readonly [K in keyof T]: JsType<T[K]> };

/** Says what was given, short enough for an error's text. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case "bigint":
      return `${value}n`;
    case "string":
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "function":
      return "a function";
    case "object":
      try {
        return value === null ? "null" : Object.prototype.toString.call(value);
      } catch {
        // A revoked proxy, a tag that throws.
        return "an object";
      }
    default:
      return String(value);
  }
}

/** The message of what was thrown, whatever that is, and whatever it does when it is looked at. */
export function describeThrown(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return `${thrown.message}`;
  } catch {
    // A proxy's trap, a getter that throws, a symbol for a message.
  }
  return describeValue(thrown);
}

/** `instanceof`, for a value that may be a proxy whose traps throw. */
export function isA<T>(value: unknown, Class: abstract new (...params: never[]) => T): value is T {
  try {
    return value instanceof Class;
  } catch {
    return false;
  }
}

/** Where a value is going: an argument's number from 1, a result's number negated, 0 for anything that stands alone. */
export type Place = number;

/** The error for a value outside its type. */
export function refusal(value: unknown, type: ValueType, place: Place): CallError {
  const what = place === 0 ? "" : ` ${place > 0 ? "argument" : "result"} #${Math.abs(place)}`;
  const why = type === "v128" ? " JavaScript has no v128 values." : ` Given ${describeValue(value)}.`;
  return new CallError(`Cannot convert${what} to a WebAssembly ${type} value.${why}`);
}

/**
 * The value as the engine takes it for that type, unchanged but for a safe integer given for an `i64`.
 *
 * @throws CallError where the value is outside the type; references are left for the engine to check.
 */
export function toEngine(value: unknown, type: ValueType, place: Place): unknown {
  if (type === "i32") {
    if (typeof value === "number" && (value | 0) === value) return value;
  } else if (type === "f64") {
    if (typeof value === "number") return value;
  } else if (type === "i64") {
    if (typeof value === "bigint") {
      if (BigInt.asIntN(64, value) === value) return value;
    } else if (Number.isSafeInteger(value)) {
      return BigInt(value as number);
    }
  } else if (type === "f32") {
    // A difference of 0 with itself tells the finite numbers: infinities and NaN are values of an f32 too.
    if (typeof value === "number" && (isFinitely(Math.fround(value)) || !isFinitely(value))) return value;
  } else if (type !== "v128") {
    return value;
  }
  throw refusal(value, type, place);
}

function isFinitely(value: number): boolean {
  return value - value === 0;
}

/** `toEngine` for one type. */
export type Converter = (value: unknown, place: Place) => unknown;

/** One function for each type, so that engines can compile each of them into its caller. */
export function converterOf(type: ValueType): Converter {
  // Here and not above: esbuild makes a `var` of what stands there, which V8 looks up and checks each time.
  const F32_MAX = 3.4028234663852886e38;
  switch (type) {
    case "i32":
      return (value, place) =>
        typeof value === "number" && (value | 0) === value ? value : toEngine(value, "i32", place);
    case "f64":
      return (value, place) => (typeof value === "number" ? value : toEngine(value, "f64", place));
    case "f32":
      return (value, place) =>
        typeof value === "number" && Math.abs(value) <= F32_MAX ? value : toEngine(value, "f32", place);
    case "i64":
      return (value, place) =>
        typeof value === "bigint" && BigInt.asIntN(64, value) === value
          ? value
          : toEngine(value, "i64", place);
    case "v128":
      return (value, place) => toEngine(value, "v128", place);
    default:
      return (value) => value;
  }
}

/** Whether the engine itself checks the values of this type. */
export function isReference(type: ValueType): type is RefType {
  return type.length > 4;
}

/**
 * A list of one value. Engines guess from a literal's first values what it will hold, and convert the array when another
 * kind comes; in V8 that costs many times the call. `undefined` makes it hold anything from the start.
 */
export function listOf(value: unknown): WasmValue[] {
  const list: unknown[] = [undefined];
  list[0] = value;
  return list as WasmValue[];
}

/** What the engine gave as the results of a function, as an array; without a `count` by what they look like. */
export function resultArray(result: unknown, count: number | undefined): WasmValue[] {
  if (count === 1) return listOf(result);
  if (count === undefined && result !== undefined) {
    return Array.isArray(result) ? result : listOf(result);
  }
  return count ? (result as WasmValue[]) : [];
}
