import { StoppedError, WasmexError } from "../errors.js";
import { afterOverflow } from "../overflow.js";
import { growable } from "../pipe-buffer.js";
import { freeLock, takeLock } from "../pipe-lock.js";
import {
  CAPACITY,
  GENERATION,
  LIMIT,
  LOCK,
  LOG,
  LOG_END,
  LOG_LENGTH,
  MAGIC,
  MAGIC_VALUE,
  MAX_OWNERS,
  MAX_PAGES,
  OWNER_WORDS,
  OWNERS,
  PAGE_WORDS,
  PAGES,
  PENDING,
  pagesFor,
  SHARED_PAGES,
  UNLIMITED,
} from "./arena-layout.js";

/** 4 MiB, from which on an arena that isn't shared grows in place. */
const IN_PLACE_PAGES = 64;

/** What another thread needs to use the same arena. */
export interface ArenaDescription {
  readonly buffer: SharedArrayBuffer;
  /** Which of the arena's owners that thread is. */
  readonly owner: number;
  readonly generation: number;
}

const lost = () => new StoppedError("the lock of the file system is not held: this thread was told to stop");

/** Milliseconds that go round after some weeks, to compare by difference. */
const ticks = () => Date.now() | 0;

/** What this thread is in the middle of. */
let current: ArenaMemory | undefined;

/**
 * Lets go of what this thread is in the middle of, once a stack overflow may have cut it off anywhere: after taking the lock, before
 * noting so, or on the way to give it back. Nothing is under way while code of a guest or a user runs.
 */
export function abandonOperation(): void {
  current?.abandon();
}

afterOverflow.settle = abandonOperation;

export class ArenaMemory {
  /** Replaced whenever the arena grows: read it anew after everything that may allocate. */
  words: Int32Array;
  bytes: Uint8Array;
  /** The time of this operation, once `stamp` was called. */
  timeLow = 0;
  timeHigh = 0;
  /** Index of this thread's owner record; 0 is the thread that made the arena. */
  readonly owner: number;
  readonly #generation: number;
  readonly #clock: () => number;
  #shared: boolean;
  /** What the lock's word holds while this thread has it; 0 as long as there is no need of it. */
  #mine = 0;
  #depth = 0;
  #stamped = false;
  #growing: WebAssembly.Memory | undefined;
  /** Takes apart what an operation that was broken off left pending; set by the backend. */
  onRecovered: () => void = () => {};

  constructor(from: ArenaDescription | number, clock: () => number) {
    this.#clock = clock;
    if (typeof from === "number") {
      const buffer = new ArrayBuffer(from * PAGE_WORDS * 4);
      this.words = new Int32Array(buffer);
      this.bytes = new Uint8Array(buffer);
      this.#shared = false;
      this.owner = 0;
      this.#generation = 1;
      this.words[MAGIC] = MAGIC_VALUE;
      this.words[CAPACITY] = from;
      this.words[PAGES] = 2;
      this.words[GENERATION] = 1;
      this.words[OWNERS] = 1;
      return;
    }
    this.owner = from.owner;
    this.#generation = from.generation;
    this.#mine = from.owner + 1;
    this.#shared = true;
    this.words = new Int32Array(from.buffer, 0, from.buffer.byteLength >> 2);
    this.bytes = new Uint8Array(from.buffer, 0, from.buffer.byteLength);
    if (this.words[MAGIC] !== MAGIC_VALUE) {
      throw new TypeError("not a shared file system");
    }
  }

  get shared(): boolean {
    return this.#shared;
  }

  get(at: number): number {
    return this.words[at] as number;
  }

  put(at: number, value: number): void {
    const words = this.words;
    if (words[LOCK] !== this.#mine) {
      throw lost();
    }
    const length = words[LOG_LENGTH] as number;
    const entry = LOG + length;
    if (entry + 2 > LOG_END) {
      throw new Error("the undo log is full");
    }
    words[entry] = at;
    words[entry + 1] = words[at] as number;
    // The entry counts before the store that it can undo.
    words[LOG_LENGTH] = length + 2;
    words[at] = value;
  }

  commit(): void {
    if (this.get(LOCK) !== this.#mine) {
      throw lost();
    }
    this.words[LOG_LENGTH] = 0;
  }

  /** Takes back what was put since the last commit. May be done twice over, so it may be interrupted too. */
  rollback(): void {
    const words = this.words;
    for (let entry = LOG + (words[LOG_LENGTH] as number) - 2; entry >= LOG; entry -= 2) {
      words[words[entry] as number] = words[entry + 1] as number;
    }
    words[LOG_LENGTH] = 0;
  }

  /** Reads the clock into `timeLow` and `timeHigh`, once an operation. */
  stamp(): void {
    if (this.#stamped) {
      return;
    }
    this.#stamped = this.#depth > 0;
    const now = this.#clock();
    const milliseconds = Math.floor(now);
    // Nanoseconds in two words: exact in parts of 16 bits, no BigInt needed.
    const upper = Math.floor(milliseconds / 65536) * 1e6;
    const low =
      (upper % 65536) * 65536 + (milliseconds % 65536) * 1e6 + Math.floor((now - milliseconds) * 1e6);
    this.timeLow = low | 0;
    this.timeHigh = (Math.floor(upper / 65536) + Math.floor(low / 0x100000000)) | 0;
  }

  begin(): void {
    // Whoever made the arena is told when a thread ends, and can't be told while it waits for that thread's lock.
    if (!this.tryBegin(this.owner === 0 ? 5000 : Number.POSITIVE_INFINITY)) {
      throw new WasmexError("the file system is locked by a thread that seems to have died; try again later");
    }
  }

  /** `begin` that gives up after so many milliseconds; answers whether it has begun. */
  tryBegin(milliseconds: number): boolean {
    if (this.#depth++ > 0) {
      return true;
    }
    current = this;
    this.#stamped = false;
    const { words } = this;
    if (this.#shared) {
      if (!takeLock(words, LOCK, this.#mine, milliseconds, this.#isGone)) {
        this.#depth--;
        current = undefined;
        return false;
      }
      this.#view();
      if (words[this.ownerRecord(this.owner)] !== this.#generation) {
        this.end();
        throw new StoppedError("this thread was told to stop");
      }
    }
    if (words[LOG_LENGTH] !== 0 || words[PENDING] !== 0) {
      // The last operation ended by an exception, or with its thread.
      this.rollback();
      this.onRecovered();
    }
    return true;
  }

  end(): void {
    // It may have been abandoned.
    if (this.#depth === 0 || --this.#depth > 0) return;
    this.abandon();
  }

  /** Ends all that this thread has begun. What is not committed is taken back by whoever is next. */
  abandon(): void {
    this.#depth = 0;
    if (this.#shared) freeLock(this.words, LOCK, this.#mine);
    current = undefined;
  }

  /** Whether the owner that holds the lock was terminated. */
  readonly #isGone = (holder: number): boolean => {
    const record = this.ownerRecord(holder - 1);
    return Atomics.load(this.words, record) <= 0 && ((ticks() - (this.words[record + 1] as number)) | 0) >= 0;
  };

  /** Makes the buffer hold that many pages; answers false when there is no memory for it. */
  grow(pages: number): boolean {
    const capacity = this.words[CAPACITY] as number;
    if (pages <= capacity) {
      return true;
    }
    if (pages > MAX_PAGES) {
      return false;
    }
    const goal = Math.min(MAX_PAGES, Math.max(pages, capacity * 2));
    return this.#resize(goal) || (goal > pages && this.#resize(pages));
  }

  #resize(pages: number): boolean {
    const bytes = pages * PAGE_WORDS * 4;
    try {
      if (this.#shared) {
        const buffer = this.words.buffer as unknown as SharedArrayBuffer;
        // A thread killed right after this leaves the buffer longer than CAPACITY says.
        if (bytes > buffer.byteLength) buffer.grow(bytes);
      } else {
        this.#move(pages);
      }
    } catch {
      return false;
    }
    this.words[CAPACITY] = pages;
    this.#view();
    return true;
  }

  /**
   * Small arenas are copied to a buffer of twice the size. Larger ones lie in a WebAssembly memory, that grows in place: pages that
   * are touched for the first time cost ten times as much as the copy into them.
   */
  #move(pages: number): void {
    const { words } = this;
    let buffer: ArrayBuffer;
    if (this.#growing !== undefined) {
      this.#growing.grow(pages - words.length / PAGE_WORDS);
      buffer = this.#growing.buffer as ArrayBuffer;
    } else {
      try {
        if (pages >= IN_PLACE_PAGES) {
          this.#growing = new WebAssembly.Memory({ initial: pages, maximum: MAX_PAGES });
        }
      } catch {
        // There are no addresses for one.
      }
      buffer = (this.#growing?.buffer as ArrayBuffer | undefined) ?? new ArrayBuffer(pages * PAGE_WORDS * 4);
      new Int32Array(buffer).set(words.subarray(0, this.get(PAGES) * PAGE_WORDS));
    }
    this.words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
  }

  /** Views of fixed length: ones that follow a growable buffer cost 15 times as much an access. */
  #view(): void {
    const words = this.words;
    const length = (words[CAPACITY] as number) * PAGE_WORDS;
    if (words.length !== length) {
      this.words = new Int32Array(words.buffer, 0, length);
      this.bytes = new Uint8Array(words.buffer, 0, length * 4);
    }
  }

  /** Moves the arena to shared memory, once, and enters one more thread. Call it outside `begin` and `end`. */
  share(): ArenaDescription {
    if (!this.#shared) {
      const pages = this.words[CAPACITY] as number;
      const used = (this.words[PAGES] as number) * PAGE_WORDS;
      const limit = this.get(LIMIT);
      const most = limit === UNLIMITED ? SHARED_PAGES : Math.ceil(pagesFor(limit));
      const buffer = growable(pages * PAGE_WORDS * 4, most * PAGE_WORDS * 4);
      const words = new Int32Array(buffer, 0, pages * PAGE_WORDS);
      words.set(this.words.subarray(0, used));
      this.words = words;
      this.bytes = new Uint8Array(buffer, 0, pages * PAGE_WORDS * 4);
      this.#growing = undefined;
      this.#mine = 1;
      this.#shared = true;
    }
    this.begin();
    try {
      const words = this.words;
      for (let owner = 1; owner < MAX_OWNERS; owner++) {
        const record = OWNERS + owner * OWNER_WORDS;
        if (words[record] === 0) {
          const generation = ((words[GENERATION] as number) + 1) % 0x7fffffff || 1;
          words[GENERATION] = generation;
          words[record + 1] = words[record + 2] = words[record + 3] = 0;
          words[record] = generation;
          return { buffer: words.buffer as unknown as SharedArrayBuffer, owner, generation };
        }
      }
      throw new RangeError("a file system can't be shared by more than 1024 threads");
    } finally {
      this.end();
    }
  }

  /** Address of an owner's record. */
  ownerRecord(owner: number): number {
    return OWNERS + owner * OWNER_WORDS;
  }

  /**
   * No operation of that owner begins from now on. Where it holds the lock, it has `grace` milliseconds to end the operation; after
   * that it counts as dead, and whoever waits takes the lock from it.
   */
  retire({ owner, generation }: ArenaDescription, grace: number): void {
    const record = this.ownerRecord(owner);
    if (Math.abs(Atomics.load(this.words, record)) === generation) {
      this.words[record + 1] = ticks() + grace;
      Atomics.store(this.words, record, -generation);
    }
  }

  /** Calls back for every owner that is retired; to be called within `begin` and `end`, when none of them can be at work. */
  forRetired(each: (owner: number) => void): void {
    for (let owner = 1; owner < MAX_OWNERS; owner++) {
      if (this.get(this.ownerRecord(owner)) < 0) {
        each(owner);
      }
    }
  }
}
