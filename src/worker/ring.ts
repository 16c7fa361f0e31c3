/**
 * Rings of records between two threads, one writer and one reader each. A record's first word is its sequence number, stored
 * last: the reader sees it and the record in the same cache line, and sleeps on that very word.
 */

import { ByteQueue } from "../pipe-queue.js";
import { decode, encode } from "./codec.js";
import { type Layout, readValues, type Words, writeValues } from "./layout.js";
import type { Channel } from "./protocol.js";
import {
  ANSWERS,
  ANSWERS_AT,
  CALLS,
  CALLS_AT,
  EXTRA,
  ID,
  KIND,
  RECORD_WORDS,
  REPLIES,
  REPLIES_AT,
  WORKER_SLEEPS,
} from "./record.js";

/** A ring as one of its two threads sees it: the writer publishes, the reader waits and releases. */
export class Ring {
  readonly #int32: Int32Array;
  readonly #base: number;
  readonly #mask: number;
  #sequence = 1;
  /** Word index of the next record. */
  at: number;

  constructor(int32: Int32Array, base: number, records: number) {
    this.#int32 = int32;
    this.#base = base;
    this.#mask = records - 1;
    this.at = base + RECORD_WORDS;
  }

  /** Lets the reader have the record at `at`; answers its word index. */
  publish(): number {
    const published = this.at;
    const sequence = this.#sequence;
    this.release();
    Atomics.store(this.#int32, published, sequence);
    return published;
  }

  get ready(): boolean {
    return Atomics.load(this.#int32, this.at) === this.#sequence;
  }

  /** Looks for the next record for about `milliseconds` without sleeping. */
  spin(milliseconds: number, now: () => number): boolean {
    const int32 = this.#int32;
    const at = this.at;
    const sequence = this.#sequence;
    const until = now() + milliseconds;
    do {
      for (let count = 0; count < 64; count++) {
        if (Atomics.load(int32, at) === sequence) return true;
      }
    } while (now() < until);
    return false;
  }

  /** Sleeps until the next record is there. */
  sleep(): void {
    const int32 = this.#int32;
    Atomics.store(int32, WORKER_SLEEPS, 1);
    for (;;) {
      const found = Atomics.load(int32, this.at);
      if (found === this.#sequence) break;
      Atomics.wait(int32, this.at, found);
    }
    Atomics.store(int32, WORKER_SLEEPS, 0);
  }

  /** Gives the record back: from here on the writer may use it again. */
  release(): void {
    this.#sequence = (this.#sequence + 1) | 0;
    this.at = this.#base + (this.#sequence & this.#mask) * RECORD_WORDS;
  }
}

/** What a record carries: values, or what they have been encoded to. */
export type Values = readonly unknown[] | Uint8Array;

/** What was read. Throws where values are nested too deep for the stack. */
export function unpack(values: Values): unknown {
  return values instanceof Uint8Array ? decode(values as Uint8Array<ArrayBuffer>) : values;
}

/** No values at all. */
export const NOTHING: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** One thread's end of the channel. Calls and, for a guest that waits in a host call, answers go to the worker, replies to the host. */
export class ChannelEnd implements Words {
  readonly int32: Int32Array;
  readonly float64: Float64Array;
  readonly int64: BigInt64Array;
  readonly calls: Ring;
  readonly answers: Ring;
  readonly replies: Ring;
  readonly #incoming: ByteQueue;
  readonly #outgoing: ByteQueue;

  constructor({ words, toWorker, toHost }: Channel, onHost: boolean) {
    this.int32 = new Int32Array(words);
    this.float64 = new Float64Array(words);
    this.int64 = new BigInt64Array(words);
    this.calls = new Ring(this.int32, CALLS_AT, CALLS);
    this.answers = new Ring(this.int32, ANSWERS_AT, ANSWERS);
    this.replies = new Ring(this.int32, REPLIES_AT, REPLIES);
    this.#incoming = new ByteQueue(0, onHost ? toHost : toWorker);
    this.#outgoing = new ByteQueue(0, onHost ? toWorker : toHost);
    // Has the engine compile what works under a lock, while there is stack.
    if (!onHost) {
      const byte = new Uint8Array(1);
      this.#incoming.writeFrom(byte, 0, 1);
      this.#incoming.readInto(byte, 0, 1);
    }
  }

  /** The values of the record at `at`, or the bytes of those without a layout: to be unpacked when the record is released. */
  read(at: number, layout: Layout): Values {
    if (layout !== undefined) return readValues(this, at, layout);
    const bytes = new Uint8Array(this.int32[at + EXTRA] as number);
    this.#incoming.readInto(bytes, 0, bytes.length);
    return bytes;
  }

  /** Publishes a record with values, or the bytes for those without a layout; answers its word index. */
  write(ring: Ring, word: number, id: number, layout: Layout, values: Values): number {
    if (layout !== undefined) {
      writeValues(this, ring.at, layout, values as readonly unknown[]);
      return this.publish(ring, word, id, 0);
    }
    const bytes = values instanceof Uint8Array ? values : encode(values);
    const { length } = bytes;
    if (this.#outgoing.writeFrom(bytes, 0, length) !== length) {
      throw new RangeError(`out of memory: ${length} bytes could not be sent to the other thread`);
    }
    return this.publish(ring, word, id, length);
  }

  /** Publishes a record whose values have been written. */
  publish(ring: Ring, word: number, id: number, extra: number): number {
    const { at } = ring;
    this.int32[at + KIND] = word;
    this.int32[at + ID] = id;
    this.int32[at + EXTRA] = extra;
    return ring.publish();
  }
}
