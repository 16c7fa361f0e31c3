import { copyBytes, growable } from "./pipe-buffer.js";
import {
  AGAIN,
  BLOCKING,
  CAPACITY,
  DATA_SEQUENCE,
  ENDED,
  FLAGS,
  HEADER,
  LIMIT,
  LOCK,
  LOCK_WAITERS,
  NO_MEMORY,
  SELECTOR,
  SHARED_MAXIMUM,
  SLOTS,
  SPACE_SEQUENCE,
} from "./pipe-layout.js";
import { isDying, lockOwner } from "./pipe-owners.js";
import { platform } from "./platform.js";

const FIRST_CAPACITY = 256;
const NO_LIMIT = 0x7fffffff;
/** A queue this big gives its memory back when it has been emptied. */
const RELEASE_ABOVE = 1 << 20;

/**
 * A growing queue of bytes: the same algorithm over a local buffer and over one that several threads share.
 * Bytes lie in one piece between `head` and `tail`; they are moved only to where no unread byte lies, so that a thread
 * killed on the way loses nothing.
 */
export class ByteQueue {
  #buffer!: ArrayBufferLike;
  #words!: Int32Array;
  #bytes!: Uint8Array;
  #shared: boolean;
  /** Where the unread bytes lie; good from `#lock` to `#unlock`. */
  #head = 0;
  #tail = 0;
  /** Who waits for a change of a local queue. */
  #waiting: Set<() => void> | undefined;

  private constructor(buffer: ArrayBufferLike, shared: boolean) {
    this.#shared = shared;
    this.#view(buffer);
  }

  static create(blocking: boolean): ByteQueue {
    const buffer = new ArrayBuffer(HEADER + FIRST_CAPACITY);
    const words = new Int32Array(buffer);
    words[FLAGS] = blocking ? BLOCKING : 0;
    words[LIMIT] = NO_LIMIT;
    words[CAPACITY] = FIRST_CAPACITY;
    return new ByteQueue(buffer, false);
  }

  static attach(buffer: SharedArrayBuffer): ByteQueue {
    return new ByteQueue(buffer, true);
  }

  /** Moves the queue to shared memory, once; `maximum` bounds its address space in bytes. */
  share(maximum: number = SHARED_MAXIMUM): SharedArrayBuffer {
    if (!this.#shared) {
      const old = new Uint8Array(this.#buffer);
      const buffer = growable(old.length, Math.max(maximum, old.length));
      new Uint8Array(buffer).set(old);
      this.#view(buffer);
      this.#shared = true;
      this.#changed();
    }
    return this.#buffer as SharedArrayBuffer;
  }

  get size(): number {
    this.#lock();
    this.#unlock();
    return this.#tail - this.#head;
  }

  get ended(): boolean {
    return (Atomics.load(this.#words, FLAGS) & ENDED) !== 0;
  }

  get blocking(): boolean {
    return (Atomics.load(this.#words, FLAGS) & BLOCKING) !== 0;
  }

  end(): void {
    Atomics.or(this.#words, FLAGS, ENDED);
    this.#changed();
  }

  /** The most bytes that may lie unread. */
  set limit(bytes: number) {
    Atomics.store(this.#words, LIMIT, Math.min(bytes, NO_LIMIT));
  }

  /** A number that changes with every write to a shared queue and with the end. */
  get dataSequence(): number {
    return Atomics.load(this.#words, DATA_SEQUENCE);
  }

  /** Appends what there is room for; answers the bytes taken, `-AGAIN` where there is none, `-NO_MEMORY`. */
  write(source: Uint8Array, start: number, length: number): number {
    if (!this.#shared) {
      // No other thread looks on: where there is the room, it takes neither lock nor second slot.
      const words = this.#words;
      const bytes = this.#bytes;
      const slot = SLOTS + 2 * (words[SELECTOR] as number);
      const tail = words[slot + 1] as number;
      const end = tail + length;
      if (end <= bytes.length && end - (words[slot] as number) <= (words[LIMIT] as number)) {
        copyBytes(source, start, bytes, tail, length);
        words[slot + 1] = end;
        if (this.#waiting !== undefined) this.#changed();
        return length;
      }
    }
    if (length === 0) return 0;
    this.#lock();
    try {
      const count = this.#makeRoom(
        Math.min(length, (this.#words[LIMIT] as number) - (this.#tail - this.#head)),
      );
      if (count > 0) {
        copyBytes(source, start, this.#bytes, this.#tail, count);
        this.#commit(this.#head, this.#tail + count);
        this.#changed();
      }
      return count;
    } finally {
      this.#unlock();
    }
  }

  /** Takes up to `length` bytes; 0 where nothing is there. */
  read(target: Uint8Array, start: number, length: number): number {
    this.#lock();
    try {
      const count = Math.min(length, this.#tail - this.#head);
      if (count <= 0) return 0;
      copyBytes(this.#bytes, this.#head, target, start, count);
      this.#taken(count);
      return count;
    } finally {
      this.#unlock();
    }
  }

  /** Takes everything. */
  readAll(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.size);
    const count = this.read(all, 0, all.length);
    // Another thread may have taken some of it since.
    return count < all.length ? all.slice(0, count) : all;
  }

  /** Cuts what is unread to its first `size` bytes, or fills it up with zeros; answers 0 or `-NO_MEMORY`. */
  setLength(size: number): number {
    this.#lock();
    try {
      const more = size - (this.#tail - this.#head);
      if (more > 0) {
        if (this.#makeRoom(more) < more) return -NO_MEMORY;
        this.#bytes.fill(0, this.#tail, this.#tail + more);
      }
      if (size === 0) this.#taken(-more);
      else this.#commit(this.#head, this.#head + size);
      this.#changed();
      return 0;
    } finally {
      this.#unlock();
    }
  }

  /** Sleeps until a byte or the end is there; `false` after `milliseconds`. Where nobody could wake it, never sleeps. */
  waitForData(milliseconds: number): boolean {
    return this.#sleep(DATA_SEQUENCE, milliseconds, () => this.ended || this.size > 0);
  }

  /** Sleeps until there is room for a byte; `false` after `milliseconds`. */
  waitForSpace(milliseconds: number): boolean {
    return this.#sleep(SPACE_SEQUENCE, milliseconds, () => this.size < (this.#words[LIMIT] as number));
  }

  /** Settles after the next change of a local queue, or when a shared one's data sequence is no longer `seen`. */
  async dataAsync(seen: number): Promise<void> {
    if (!this.#shared) {
      return new Promise((resolve) => {
        this.#waiting ??= new Set();
        this.#waiting.add(resolve);
      });
    }
    const words = this.#words;
    Atomics.add(words, DATA_SEQUENCE + 1, 1);
    try {
      const { waitAsync } = Atomics as Partial<typeof Atomics>;
      if (waitAsync !== undefined) {
        await waitAsync(words, DATA_SEQUENCE, seen).value;
        return;
      }
      while (Atomics.load(words, DATA_SEQUENCE) === seen) {
        await new Promise<void>((resolve) => setTimeout(resolve, 5));
      }
    } finally {
      Atomics.sub(words, DATA_SEQUENCE + 1, 1);
    }
  }

  /** Frees what a thread that is gone may have left locked. */
  recover(deadOwner: number): void {
    if (Atomics.compareExchange(this.#words, LOCK, deadOwner, 0) === deadOwner)
      Atomics.notify(this.#words, LOCK);
  }

  #sleep(sequence: number, milliseconds: number, ready: () => boolean): boolean {
    const words = this.#words;
    const until = platform().monotonicNow() + milliseconds;
    for (;;) {
      const seen = Atomics.load(words, sequence);
      if (ready()) return true;
      const left = until - platform().monotonicNow();
      if (left <= 0 || !this.#shared || !platform().mayBlock()) return false;
      Atomics.add(words, sequence + 1, 1);
      Atomics.wait(words, sequence, seen, left);
      Atomics.sub(words, sequence + 1, 1);
    }
  }

  #commit(head: number, tail: number): void {
    const words = this.#words;
    const selector = 1 - (words[SELECTOR] as number);
    words[SLOTS + 2 * selector] = this.#head = head;
    words[SLOTS + 2 * selector + 1] = this.#tail = tail;
    Atomics.store(words, SELECTOR, selector);
  }

  #taken(count: number): void {
    const head = this.#head + count;
    const emptied = head >= this.#tail;
    this.#commit(emptied ? 0 : head, emptied ? 0 : this.#tail);
    if (emptied && !this.#shared && this.#bytes.length > RELEASE_ABOVE) this.#reallocate(FIRST_CAPACITY);
    this.#tell(SPACE_SEQUENCE);
  }

  #changed(): void {
    this.#tell(DATA_SEQUENCE);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) for (const wake of waiting) wake();
  }

  /** Wakes the threads that wait for that sequence to go on; their number is the word after it. */
  #tell(sequence: number): void {
    const words = this.#words;
    Atomics.add(words, sequence, 1);
    if (Atomics.load(words, sequence + 1) > 0) Atomics.notify(words, sequence);
  }

  /** Sees the buffer, as long as its header says that it is. */
  #view(buffer: ArrayBufferLike): void {
    this.#buffer = buffer;
    this.#words = new Int32Array(buffer, 0, HEADER / 4);
    this.#bytes = new Uint8Array(buffer, HEADER, this.#words[CAPACITY] as number);
  }

  /** Room behind `tail`, by moving or growing; answers how many of the `count` bytes now fit there, or a negated errno. */
  #makeRoom(count: number): number {
    if (count <= 0) return -AGAIN;
    const needed = this.#tail + count;
    const size = this.#tail - this.#head;
    const movable = size <= this.#head;
    if (needed <= this.#bytes.length) return count;
    if (!movable || size + count > this.#bytes.length) {
      this.#grow(needed);
      if (this.#tail + count <= this.#bytes.length) return count;
      if (!this.#shared) return -NO_MEMORY;
    }
    if (movable) {
      this.#bytes.copyWithin(0, this.#head, this.#tail);
      this.#commit(0, size);
    }
    return Math.min(count, this.#bytes.length - this.#tail) || -AGAIN;
  }

  /** Makes the buffer hold `needed` bytes and better twice as many as now, where there is the memory; a shared one what it can. */
  #grow(needed: number): void {
    const most = (this.#buffer as SharedArrayBuffer).maxByteLength - HEADER;
    for (const target of [Math.max(2 * this.#bytes.length, needed), needed, most]) {
      try {
        if (this.#shared) this.#growShared(Math.min(target, most));
        else this.#reallocate(target);
        return;
      } catch {
        // Memory is scarce: the next, smaller target.
      }
    }
  }

  #growShared(capacity: number): void {
    const buffer = this.#buffer as SharedArrayBuffer;
    // A thread killed right after growing leaves the buffer longer than CAPACITY says.
    if (HEADER + capacity > buffer.byteLength) buffer.grow(HEADER + capacity);
    Atomics.store(this.#words, CAPACITY, capacity);
    this.#view(buffer);
  }

  /** Moves a local queue to a buffer of that capacity. */
  #reallocate(capacity: number): void {
    const unread = this.#bytes.subarray(this.#head, this.#tail);
    const buffer = new ArrayBuffer(HEADER + capacity);
    const words = new Int32Array(buffer, 0, HEADER / 4);
    words.set(this.#words);
    words[CAPACITY] = capacity;
    new Uint8Array(buffer, HEADER).set(unread);
    this.#view(buffer);
    this.#commit(0, unread.length);
  }

  #lock(): void {
    const words = this.#words;
    if (this.#shared) {
      if (Atomics.compareExchange(words, LOCK, 0, lockOwner()) !== 0) this.#contend();
      // Another thread may have grown the buffer since this one looked.
      if (words[CAPACITY] !== this.#bytes.length) this.#view(this.#buffer);
    }
    const slot = SLOTS + 2 * (words[SELECTOR] as number);
    this.#head = words[slot] as number;
    this.#tail = words[slot + 1] as number;
  }

  #unlock(): void {
    if (!this.#shared) return;
    const words = this.#words;
    Atomics.store(words, LOCK, 0);
    if (Atomics.load(words, LOCK_WAITERS) > 0) Atomics.notify(words, LOCK, 1);
  }

  #contend(): void {
    const words = this.#words;
    const began = platform().monotonicNow();
    const mayBlock = platform().mayBlock();
    for (let round = 1; ; round++) {
      const holder = Atomics.compareExchange(words, LOCK, 0, lockOwner());
      if (holder === 0) return;
      if (round % 64 !== 0) continue;
      if (isDying(holder) && platform().monotonicNow() - began > 100) this.recover(holder);
      if (mayBlock) {
        Atomics.add(words, LOCK_WAITERS, 1);
        Atomics.wait(words, LOCK, holder, 20);
        Atomics.sub(words, LOCK_WAITERS, 1);
      }
    }
  }
}
