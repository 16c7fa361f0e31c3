import { platform } from "../platform.js";

/** Which clock a guest asks for (WASI preview 1, `clockid`). */
export type ClockName = "realtime" | "monotonic";

/** Milliseconds as a number, as `Date.now` and `performance.now` have them, or nanoseconds as a bigint. */
export type ClockSource = (clock: ClockName) => number | bigint;

/** Fills the bytes it is given; at most 65,536 at once. What it answers is not looked at. */
export type RandomSource = (bytes: Uint8Array<ArrayBuffer>) => unknown;

export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
/** The last clock there is: of the thread's processor time. */
export const CLOCK_LAST = 3;

/** Of the engine's own source: what `crypto.getRandomValues` takes at once. */
const RANDOM_CHUNK = 65_536;
/** Small requests are served from a pool: asking the engine costs a microsecond, whatever the size. */
const POOL = 16_384;

/** Where time and random bytes come from. */
export class Sources {
  readonly clock: ClockSource | undefined;
  readonly #random: RandomSource | undefined;
  #pool: Uint8Array<ArrayBuffer> | undefined;
  #used = POOL;

  constructor(clock: ClockSource | undefined, random: RandomSource | undefined) {
    this.clock = clock;
    this.#random = random;
  }

  /** Milliseconds, or nanoseconds as a bigint. Processor time is the monotonic clock's. */
  time(id: number): number | bigint {
    const { clock } = this;
    if (clock !== undefined) return clock(id === CLOCK_REALTIME ? "realtime" : "monotonic");
    return id === CLOCK_REALTIME ? platform().now() : platform().monotonicNow();
  }

  nanoseconds(id: number): bigint {
    const time = this.time(id);
    if (typeof time === "bigint") return time;
    const whole = Math.floor(time);
    return BigInt(whole) * 1_000_000n + BigInt(Math.round((time - whole) * 1e6));
  }

  /** Fills `target[start, start + length)`; through a copy, as the engines don't fill shared memory. */
  random(target: Uint8Array, start: number, length: number): void {
    if (this.#random !== undefined) {
      for (let done = 0; done < length; done += RANDOM_CHUNK) {
        const chunk = new Uint8Array(Math.min(RANDOM_CHUNK, length - done));
        this.#random(chunk);
        target.set(chunk, start + done);
      }
      return;
    }
    if (length > POOL) {
      this.#fill(target, start, length);
      return;
    }
    let pool = this.#pool;
    if (pool === undefined || this.#used + length > POOL) {
      pool ??= new Uint8Array(POOL);
      platform().randomFill(pool);
      this.#pool = pool;
      this.#used = 0;
    }
    const used = this.#used;
    this.#used = used + length;
    if (length <= 32) {
      for (let index = 0; index < length; index++) target[start + index] = pool[used + index] as number;
    } else {
      target.set(pool.subarray(used, used + length), start);
    }
  }

  #fill(target: Uint8Array, start: number, length: number): void {
    const { buffer } = target;
    const copy = buffer instanceof ArrayBuffer ? undefined : new Uint8Array(Math.min(RANDOM_CHUNK, length));
    for (let done = 0; done < length; done += RANDOM_CHUNK) {
      const size = Math.min(RANDOM_CHUNK, length - done);
      const part =
        copy?.subarray(0, size) ??
        new Uint8Array(buffer as ArrayBuffer, target.byteOffset + start + done, size);
      platform().randomFill(part);
      if (copy !== undefined) target.set(part, start + done);
    }
  }
}
