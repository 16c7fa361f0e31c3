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

export function outOfBound(index: unknown, size: number): RangeError {
  const why = isCount(index) ? `is larger than the memory size ${size}` : "is no whole number from 0 on";
  return new RangeError(`Out of bound: Given index ${describeValue(index)} ${why}.`);
}

/** The value as it is stored; throws where it is outside the type. */
export function toElement(type: ElementType, value: unknown): number | bigint {
  const bits = ARRAYS[type].BYTES_PER_ELEMENT * 8;
  if (type === "float32" || type === "float64") {
    if (typeof value === "number") {
      const fits = type === "float64" || Number.isFinite(Math.fround(value)) || !Number.isFinite(value);
      if (fits) return value;
    }
  } else {
    const wide =
      typeof value === "bigint" ? value : Number.isSafeInteger(value) ? BigInt(value as number) : undefined;
    const fits =
      wide === (type.startsWith("u") ? BigInt.asUintN(bits, wide ?? 0n) : BigInt.asIntN(bits, wide ?? 0n));
    if (wide !== undefined && fits && (bits === 64 || typeof value === "number")) {
      return bits === 64 ? wide : Number(wide);
    }
  }
  throw new RangeError(`Value out of range: ${describeValue(value)} is no ${type}.`);
}

const ACCESSORS = {
  uint8: "Uint8",
  int8: "Int8",
  uint16: "Uint16",
  int16: "Int16",
  uint32: "Uint32",
  int32: "Int32",
  uint64: "BigUint64",
  int64: "BigInt64",
  float32: "Float32",
  float64: "Float64",
} as const;

/** The element at that index, little-endian whatever the machine's own order is. */
export function readElement(type: ElementType, elements: ElementArray, index: number): number | bigint {
  const view = new DataView(elements.buffer, elements.byteOffset);
  return view[`get${ACCESSORS[type]}`](index * elements.BYTES_PER_ELEMENT, true);
}

/** Stores what `toElement` answered, little-endian. */
export function writeElement(
  type: ElementType,
  elements: ElementArray,
  index: number,
  value: number | bigint,
): void {
  const view = new DataView(elements.buffer, elements.byteOffset);
  view[`set${ACCESSORS[type]}`](index * elements.BYTES_PER_ELEMENT, value as never, true);
}
