import { UnsupportedError } from "./errors.js";
import { platform } from "./platform.js";

/** WASI preview 1 `errno.again`: nothing to take, or no room, at the moment. */
export const AGAIN = 6;
/** WASI preview 1 `errno.nomem`. */
export const NO_MEMORY = 48;

/** What a shared queue can grow to where the engine grants that much address space. */
export const SHARED_MAXIMUM = 2 ** 30;

// The header, in 32-bit words. Two slots of (head, tail) and a word that selects one: a thread that is killed between two
// stores leaves the old slot selected, never a torn pair.
export const LOCK = 0;
export const LOCK_WAITERS = 1;
export const SELECTOR = 2;
export const SLOTS = 3;
/** Each of the two is followed by the number of threads that wait for it to go on. */
export const DATA_SEQUENCE = 7;
export const SPACE_SEQUENCE = 9;
export const FLAGS = 11;
export const LIMIT = 12;
export const CAPACITY = 13;
export const HEADER = 64;

export const ENDED = 1;
export const BLOCKING = 2;

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
  if (length <= 32) {
    for (let index = 0; index < length; index++) target[at + index] = source[start + index] as number;
  } else {
    target.set(start === 0 && length === source.length ? source : source.subarray(start, start + length), at);
  }
}
