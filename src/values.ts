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

/** What a function of these results gives back: one bare, several as a tuple, none as nothing. */
export type JsResult<T extends readonly ValueType[]> = T extends readonly []
  ? // biome-ignore lint/suspicious/noConfusingVoidType: it stands for a return type
    void
  : T extends readonly [infer One extends ValueType]
    ? JsType<One>
    : { readonly [K in keyof T]: JsType<T[K]> };

const I64_MIN = -(2n ** 63n);
const I64_MAX = 2n ** 63n - 1n;

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
      return value === null ? "null" : Object.prototype.toString.call(value);
    default:
      return String(value);
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
      if (value >= I64_MIN && value <= I64_MAX) return value;
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

/** Whether the engine itself checks the values of this type. */
export function isReference(type: ValueType): type is RefType {
  return type.length > 4;
}

/** What the engine gave as the results of a function, as an array. */
export function resultArray(result: unknown, count: number): WasmValue[] {
  if (count === 1) return [result as WasmValue];
  return count === 0 ? [] : (result as WasmValue[]);
}
