import { platform } from "./platform.js";

/** A shared buffer that can grow to `most` bytes, or to what the engine has addresses for. */
export function growable(length: number, most: number): SharedArrayBuffer {
  const share = platform().threadSupport().fewAddresses ? 4 : 1;
  for (let maximum = Math.max(length, most / share); ; maximum = Math.max(length, Math.floor(maximum / 2))) {
    try {
      return new SharedArrayBuffer(length, { maxByteLength: maximum });
    } catch (error) {
      if (maximum === length) throw error;
    }
  }
}

/** Copies between arrays that may overlap in nothing; short runs by hand, since `set` costs a call and a view. */
export function copyBytes(
  source: Uint8Array,
  start: number,
  target: Uint8Array,
  at: number,
  length: number,
): void {
  if (length <= 32) {
    for (let index = 0; index < length; index++) target[at + index] = source[start + index] as number;
  } else {
    target.set(start === 0 && length === source.length ? source : source.subarray(start, start + length), at);
  }
}
