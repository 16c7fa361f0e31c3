import { UnsupportedError } from "./errors.js";
import { platform } from "./platform.js";

/** A shared buffer that can grow; to less than `maximum` where address space is scarce. */
export function growable(length: number, maximum: number): SharedArrayBuffer {
  if (typeof SharedArrayBuffer === "undefined") {
    throw new UnsupportedError(
      `a Pipe cannot be shared with a thread here: ${platform().threadSupport().reason}`,
    );
  }
  for (let size = maximum; ; size = Math.max(length, size >>> 2)) {
    try {
      return new SharedArrayBuffer(length, { maxByteLength: size });
    } catch (error) {
      // Address space may be scarce (32-bit engines, thousands of pipes): less of it still makes a pipe.
      if (size <= Math.max(length, 1 << 20)) throw error;
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
  if (length === 1) target[at] = source[start] as number;
  else if (length <= 32) {
    for (let index = 0; index < length; index++) target[at + index] = source[start + index] as number;
  } else {
    target.set(start === 0 && length === source.length ? source : source.subarray(start, start + length), at);
  }
}
