import type { ValueType } from "../shape.js";
import type { WasmValue } from "../values.js";
import { RECORD_WORDS } from "./record.js";

/** The first of the values, eight bytes each. */
const VALUES = 4;
const MOST_VALUES = (RECORD_WORDS - VALUES) / 2;

/** The same buffer as 32-bit integers, doubles and 64-bit integers. */
export interface Words {
  readonly int32: Int32Array;
  readonly float64: Float64Array;
  readonly int64: BigInt64Array;
}

const INT32 = 0;
const FLOAT64 = 1;
const INT64 = 2;

/** How the values of one signature lie in a record: one code for each, or `undefined` where they need the codec. */
export type Layout = Uint8Array | undefined;

/** Both threads derive the same layout from the same signature, so records carry no types. */
export function layoutOf(types: readonly ValueType[] | undefined): Layout {
  if (types === undefined || types.length > MOST_VALUES) return undefined;
  const layout = new Uint8Array(types.length);
  for (const [index, type] of types.entries()) {
    if (type === "i32") layout[index] = INT32;
    else if (type === "f32" || type === "f64") layout[index] = FLOAT64;
    else if (type === "i64") layout[index] = INT64;
    else return undefined;
  }
  return layout;
}

/** Puts one value of the engine's into the record at `at`. */
export function writeValue(words: Words, at: number, code: number, index: number, value: unknown): void {
  const word = at + VALUES + index * 2;
  if (code === INT32) words.int32[word] = value as number;
  else if (code === FLOAT64) words.float64[word >> 1] = value as number;
  else words.int64[word >> 1] = value as bigint;
}

export function writeValues(words: Words, at: number, layout: Uint8Array, values: readonly unknown[]): void {
  for (let index = 0; index < layout.length; index++) {
    writeValue(words, at, layout[index] as number, index, values[index]);
  }
}

export function readValues(words: Words, at: number, layout: Uint8Array): WasmValue[] {
  const values: WasmValue[] = [];
  for (let index = 0; index < layout.length; index++) {
    const word = at + VALUES + index * 2;
    const code = layout[index];
    if (code === INT32) values.push(words.int32[word]);
    else values.push(code === FLOAT64 ? words.float64[word >> 1] : words.int64[word >> 1]);
  }
  return values;
}
