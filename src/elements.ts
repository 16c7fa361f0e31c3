/** The element types of linear memory, and what fits in them. */
import { describeValue } from "./values.js";

/** Element types of a {@link Memory}; the 64-bit integers are `bigint`. */
export type ElementType =
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "uint32"
  | "int32"
  | "uint64"
  | "int64"
  | "float32"
  | "float64";

/** What an element is in JavaScript. */
export type ElementValue<T extends ElementType> = T extends "uint64" | "int64" ? bigint : number;

/** What the elements are read through. */
export const ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

export type ElementArray = InstanceType<(typeof ARRAYS)[ElementType]>;

/** Whether it is a whole number from 0 on. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function outOfBound(given: unknown, size: number, what = "index"): RangeError {
  const why = isCount(given) ? `is larger than the memory size ${size}` : "is no whole number from 0 on";
  return new RangeError(`Out of bound: Given ${what} ${describeValue(given)} ${why}.`);
}

/** The value as it is stored; throws where it is outside the type. */
export function toElement(type: ElementType, value: unknown): number | bigint {
  const array = new ARRAYS[type](1);
  const isBig = typeof array[0] === "bigint";
  const element = isBig && Number.isSafeInteger(value) ? BigInt(value as number) : value;
  if (typeof element === typeof array[0]) {
    array[0] = element as never;
    // Floats may be rounded, integers may not be changed at all.
    const fits = type.startsWith("f")
      ? Number.isFinite(array[0]) || !Number.isFinite(element)
      : array[0] === element;
    if (fits) return element as number | bigint;
  }
  throw new RangeError(`Value out of range: ${describeValue(value)} is no ${type}.`);
}
