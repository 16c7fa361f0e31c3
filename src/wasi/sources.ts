import { copyBytes } from "../pipe-buffer.js";
import { platform } from "../platform.js";
import { callOption, isThere } from "./callbacks.js";
import { CLOCK_REALTIME } from "./numbers.js";

/** Which clock a guest asks for (WASI preview 1, `clockid`). */
export type ClockName = "realtime" | "monotonic";

/** Milliseconds as a number, as `Date.now` and `performance.now` have them, or nanoseconds as a bigint. */
export type ClockSource = (clock: ClockName) => number | bigint;

/** Fills the bytes it is given; at most 65,536 at once. What it answers is not looked at. */
export type RandomSource = (bytes: Uint8Array<ArrayBuffer>) => unknown;

/** The most that a source of the host is asked for at once, as `crypto.getRandomValues` has it. */
const RANDOM_CHUNK = 65_536;
/** Requests are served from a pool: asking the engine costs a microsecond, whatever the size. */
const POOL = 16_384;

const isTime = (time: unknown): boolean => typeof time === "bigint" || Number.isFinite(time);

/** Where time and random bytes come from. */
export class Sources {
  readonly #clock: ClockSource | undefined;
  readonly #random: RandomSource | undefined;
  #pool: Uint8Array<ArrayBuffer> | undefined;
  #used = POOL;

  constructor(clock: ClockSource | undefined, random: RandomSource | undefined) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Milliseconds, or nanoseconds as a bigint. Processor time is the monotonic clock's. */
  time(id: number): number | bigint {
    const clock = this.#clock;
    if (clock !== undefined)
      return callOption("wasi.clock", clock, id === CLOCK_REALTIME ? "realtime" : "monotonic", isTime);
    return id === CLOCK_REALTIME ? platform().now() : platform().monotonicNow();
  }

  nanoseconds(id: number): bigint {
    const time = this.time(id);
    if (typeof time === "bigint") return time;
    const whole = Math.floor(time);
    return BigInt(whole) * 1_000_000n + BigInt(Math.round((time - whole) * 1e6));
  }

  /** Fills `target[start, start + length)`; through a copy where it is shared, as the engines don't fill that. */
  random(target: Uint8Array, start: number, length: number): void {
    const random = this.#random;
    const end = start + length;
    // More than the pool goes where it belongs at once, wherever the engines fill memory.
    if (random === undefined && length >= POOL && target.buffer instanceof ArrayBuffer) {
      platform().randomFill(target.subarray(start, end));
      return;
    }
    for (let at = start; at < end; ) {
      const left = end - at;
      if (random !== undefined) {
        const chunk = new Uint8Array(Math.min(RANDOM_CHUNK, left));
        callOption("wasi.random", random, chunk, isThere);
        target.set(chunk, at);
        at += chunk.length;
        continue;
      }
      this.#pool ??= new Uint8Array(POOL);
      if (this.#used === POOL) {
        platform().randomFill(this.#pool);
        this.#used = 0;
      }
      const used = this.#used;
      const part = Math.min(left, POOL - used);
      copyBytes(this.#pool, used, target, at, part);
      this.#used = used + part;
      at += part;
    }
  }
}
