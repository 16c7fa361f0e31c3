/**
 * Rings of records between two threads, one writer and one reader each. A record's first word is its sequence number, stored
 * last: the reader sees it and the record in the same cache line, and sleeps on that very word.
 */

/** Words (4 bytes) of a record. The first 64 bytes are one cache line: six values travel in it. */
export const RECORD_WORDS = 32;
/** The words of a record, from its first: kind in the low byte, which function or error it is about above. */
export const KIND = 1;
/** The number that an answer refers to. */
export const ID = 2;
/** Bytes that follow in the lane's queue, for what is too big for a record. */
export const EXTRA = 3;
/** The first of the values, eight bytes each. */
export const VALUES = 4;
export const MOST_VALUES = (RECORD_WORDS - VALUES) / 2;

// Words of the channel's header, a cache line each.
/** 1 while the worker sleeps. */
export const WORKER_SLEEPS = 0;
/** 1 while the host wants to be woken by the bell. */
export const HOST_SLEEPS = 16;
export const BELL = 32;
/** How many records of the answers' ring the worker has taken. */
export const ANSWERS_TAKEN = 48;
const HEADER_WORDS = 64;

/** Records in each ring; powers of two. */
const CALLS = 64;
const ANSWERS = 16;
const REPLIES = 128;

/** Calls that may be under way at once, so that neither their ring nor that of the replies overflows: the host keeps the rest. */
export const CALL_WINDOW = 48;
/** The same for what goes to a guest that waits in a host call. */
export const ANSWER_WINDOW = ANSWERS;

/** The same buffer as 32-bit integers, doubles and 64-bit integers. */
export interface Words {
  readonly int32: Int32Array;
  readonly float64: Float64Array;
  readonly int64: BigInt64Array;
}

export class RingWriter {
  readonly #int32: Int32Array;
  readonly #base: number;
  readonly #mask: number;
  #sequence = 1;
  /** Word index of the record that is being filled. */
  at: number;

  constructor(words: Words, base: number, records: number) {
    this.#int32 = words.int32;
    this.#base = base;
    this.#mask = records - 1;
    this.at = base + RECORD_WORDS;
  }

  /** Lets the reader have the record at `at`; answers its word index. */
  publish(): number {
    const published = this.at;
    Atomics.store(this.#int32, published, this.#sequence);
    this.#sequence = (this.#sequence + 1) | 0;
    this.at = this.#base + (this.#sequence & this.#mask) * RECORD_WORDS;
    return published;
  }
}

export class RingReader {
  readonly #int32: Int32Array;
  readonly #base: number;
  readonly #mask: number;
  #sequence = 1;
  /** Word index of the next record. */
  at: number;

  constructor(words: Words, base: number, records: number) {
    this.#int32 = words.int32;
    this.#base = base;
    this.#mask = records - 1;
    this.at = base + RECORD_WORDS;
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

const CALLS_AT = HEADER_WORDS;
const ANSWERS_AT = CALLS_AT + CALLS * RECORD_WORDS;
const REPLIES_AT = ANSWERS_AT + ANSWERS * RECORD_WORDS;
export const CHANNEL_BYTES = (REPLIES_AT + REPLIES * RECORD_WORDS) * 4;

export function wordsOf(buffer: SharedArrayBuffer): Words {
  return {
    int32: new Int32Array(buffer),
    float64: new Float64Array(buffer),
    int64: new BigInt64Array(buffer),
  };
}

/** Where the rings lie: calls and, for a guest that waits in a host call, answers go to the worker, replies to the host. */
export const RINGS = {
  calls: [CALLS_AT, CALLS],
  answers: [ANSWERS_AT, ANSWERS],
  replies: [REPLIES_AT, REPLIES],
} as const;
