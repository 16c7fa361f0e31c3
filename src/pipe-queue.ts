import {
  AGAIN,
  BLOCKING,
  CAPACITY,
  copyBytes,
  DATA_SEQUENCE,
  DATA_WAITERS,
  ENDED,
  FLAGS,
  growable,
  HEADER,
  LIMIT,
  LOCK,
  LOCK_WAITERS,
  NO_MEMORY,
  SELECTOR,
  SHARED_MAXIMUM,
  SLOTS,
  SPACE_SEQUENCE,
  SPACE_WAITERS,
} from "./pipe-buffer.js";
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
  #buffer: ArrayBufferLike;
  #words: Int32Array;
  #bytes: Uint8Array;
  #shared: boolean;
  /** Told after every change that this thread makes to a local queue. */
  onChange: (() => void) | undefined;

  private constructor(buffer: ArrayBufferLike, shared: boolean) {
    this.#buffer = buffer;
    this.#shared = shared;
    this.#words = new Int32Array(buffer, 0, HEADER / 4);
    const capacity = (this.#words[CAPACITY] as number) || buffer.byteLength - HEADER;
    this.#bytes = new Uint8Array(buffer, HEADER, capacity);
  }

  static create(blocking: boolean): ByteQueue {
    const queue = new ByteQueue(new ArrayBuffer(HEADER + FIRST_CAPACITY), false);
    queue.#words[FLAGS] = blocking ? BLOCKING : 0;
    queue.#words[LIMIT] = NO_LIMIT;
    queue.#words[CAPACITY] = FIRST_CAPACITY;
    return queue;
  }

  static attach(buffer: SharedArrayBuffer): ByteQueue {
    return new ByteQueue(buffer, true);
  }

  get shared(): boolean {
    return this.#shared;
  }

  /** Moves the queue to shared memory, once; `maximum` bounds its address space in bytes. */
  share(maximum: number = SHARED_MAXIMUM): SharedArrayBuffer {
    if (!this.#shared) {
      const old = new Uint8Array(this.#buffer);
      const buffer = growable(old.length, Math.max(maximum, old.length));
      new Uint8Array(buffer).set(old);
      this.#buffer = buffer;
      this.#words = new Int32Array(buffer, 0, HEADER / 4);
      this.#bytes = new Uint8Array(buffer, HEADER);
      this.#bytes = new Uint8Array(buffer, HEADER, this.#words[CAPACITY] as number);
      this.#shared = true;
      this.#changed();
    }
    return this.#buffer as SharedArrayBuffer;
  }

  get size(): number {
    this.#lock();
    const slot = SLOTS + 2 * (this.#words[SELECTOR] as number);
    const size = (this.#words[slot + 1] as number) - (this.#words[slot] as number);
    this.#unlock();
    return size;
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

  /** A number that changes with every write and with the end. */
  get dataSequence(): number {
    return Atomics.load(this.#words, DATA_SEQUENCE);
  }

  /** Appends what there is room for; answers the bytes taken, `-AGAIN` where there is none, `-NO_MEMORY`. */
  write(source: Uint8Array, start: number, length: number): number {
    if (length === 0) return 0;
    if (!this.#shared && this.#writeLocal(source, start, length)) return length;
    this.#lock();
    try {
      const slot = SLOTS + 2 * (this.#words[SELECTOR] as number);
      let head = this.#words[slot] as number;
      let tail = this.#words[slot + 1] as number;
      const room = (this.#words[LIMIT] as number) - (tail - head);
      if (room <= 0) return -AGAIN;
      let count = length < room ? length : room;
      if (tail + count > this.#bytes.length) {
        const free = this.#makeRoom(head, tail, count);
        if (free <= 0) return free;
        if (free < count) count = free;
        const moved = SLOTS + 2 * (this.#words[SELECTOR] as number);
        head = this.#words[moved] as number;
        tail = this.#words[moved + 1] as number;
      }
      copyBytes(source, start, this.#bytes, tail, count);
      this.#commit(head, tail + count);
      this.#changed();
      return count;
    } finally {
      this.#unlock();
    }
  }

  /** The write to a local queue that has the room: no other thread looks on, so it takes neither lock nor second slot. */
  #writeLocal(source: Uint8Array, start: number, length: number): boolean {
    const words = this.#words;
    const bytes = this.#bytes;
    const slot = SLOTS + 2 * (words[SELECTOR] as number);
    const tail = words[slot + 1] as number;
    const end = tail + length;
    if (end > bytes.length || end - (words[slot] as number) > (words[LIMIT] as number)) return false;
    if (length < 32)
      for (let index = 0; index < length; index++) bytes[tail + index] = source[start + index] as number;
    else bytes.set(source.subarray(start, start + length), tail);
    words[slot + 1] = end;
    words[DATA_SEQUENCE] = (words[DATA_SEQUENCE] as number) + 1;
    this.onChange?.();
    return true;
  }

  /** Takes up to `length` bytes; 0 where nothing is there. */
  read(target: Uint8Array, start: number, length: number): number {
    this.#lock();
    try {
      const slot = SLOTS + 2 * (this.#words[SELECTOR] as number);
      const head = this.#words[slot] as number;
      const tail = this.#words[slot + 1] as number;
      const count = Math.min(length, tail - head);
      if (count <= 0) return 0;
      this.#refresh(head + count);
      copyBytes(this.#bytes, head, target, start, count);
      this.#taken(head + count, tail);
      return count;
    } finally {
      this.#unlock();
    }
  }

  /** Takes everything. */
  readAll(): Uint8Array<ArrayBuffer> {
    this.#lock();
    try {
      const slot = SLOTS + 2 * (this.#words[SELECTOR] as number);
      const head = this.#words[slot] as number;
      const tail = this.#words[slot + 1] as number;
      const all = new Uint8Array(tail - head);
      if (all.length === 0) return all;
      this.#refresh(tail);
      all.set(this.#bytes.subarray(head, tail));
      this.#taken(tail, tail);
      return all;
    } finally {
      this.#unlock();
    }
  }

  /** Cuts what is unread to its first `size` bytes, or fills it up with zeros; answers 0 or `-NO_MEMORY`. */
  setLength(size: number): number {
    this.#lock();
    try {
      const slot = SLOTS + 2 * (this.#words[SELECTOR] as number);
      let head = this.#words[slot] as number;
      let tail = this.#words[slot + 1] as number;
      const more = size - (tail - head);
      if (more > 0) {
        if (tail + more > this.#bytes.length) {
          if (this.#makeRoom(head, tail, more) < more) return -NO_MEMORY;
          const moved = SLOTS + 2 * (this.#words[SELECTOR] as number);
          head = this.#words[moved] as number;
          tail = this.#words[moved + 1] as number;
        }
        this.#bytes.fill(0, tail, tail + more);
      }
      if (size === 0) this.#taken(tail, tail);
      else this.#commit(head, head + size);
      this.#changed();
      return 0;
    } finally {
      this.#unlock();
    }
  }

  /** Sleeps until a byte or the end is there; `false` after `milliseconds`. Where nobody could wake it, never sleeps. */
  waitForData(milliseconds: number): boolean {
    return this.#sleep(DATA_SEQUENCE, DATA_WAITERS, milliseconds, () => this.ended || this.size > 0);
  }

  /** Sleeps until there is room for a byte; `false` after `milliseconds`. */
  waitForSpace(milliseconds: number): boolean {
    return this.#sleep(
      SPACE_SEQUENCE,
      SPACE_WAITERS,
      milliseconds,
      () => this.size < (this.#words[LIMIT] as number),
    );
  }

  /** Settles when a shared queue's data sequence is no longer `seen`. */
  async dataAsync(seen: number): Promise<void> {
    const words = this.#words;
    Atomics.add(words, DATA_WAITERS, 1);
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
      Atomics.sub(words, DATA_WAITERS, 1);
    }
  }

  /** Frees what a thread that is gone may have left locked. */
  recover(deadOwner: number): void {
    if (Atomics.compareExchange(this.#words, LOCK, deadOwner, 0) === deadOwner)
      Atomics.notify(this.#words, LOCK);
  }

  #sleep(sequence: number, waiters: number, milliseconds: number, ready: () => boolean): boolean {
    const words = this.#words;
    const until = milliseconds === Infinity ? Infinity : platform().monotonicNow() + milliseconds;
    for (;;) {
      const seen = Atomics.load(words, sequence);
      if (ready()) return true;
      const left = until === Infinity ? Infinity : until - platform().monotonicNow();
      if (left <= 0 || !this.#shared || !platform().mayBlock()) return false;
      Atomics.add(words, waiters, 1);
      Atomics.wait(words, sequence, seen, left);
      Atomics.sub(words, waiters, 1);
    }
  }

  #commit(head: number, tail: number): void {
    const words = this.#words;
    const selector = 1 - (words[SELECTOR] as number);
    const slot = SLOTS + 2 * selector;
    words[slot] = head;
    words[slot + 1] = tail;
    Atomics.store(words, SELECTOR, selector);
  }

  #taken(head: number, tail: number): void {
    if (head < tail) this.#commit(head, tail);
    else {
      if (!this.#shared && this.#bytes.length > RELEASE_ABOVE) this.#reallocate(FIRST_CAPACITY, 0, 0);
      this.#commit(0, 0);
    }
    const words = this.#words;
    Atomics.add(words, SPACE_SEQUENCE, 1);
    if (Atomics.load(words, SPACE_WAITERS) > 0) Atomics.notify(words, SPACE_SEQUENCE);
  }

  #changed(): void {
    const words = this.#words;
    Atomics.add(words, DATA_SEQUENCE, 1);
    if (this.#shared && Atomics.load(words, DATA_WAITERS) > 0) Atomics.notify(words, DATA_SEQUENCE);
    this.onChange?.();
  }

  /** Another thread may have grown the buffer since this one looked. */
  #refresh(end: number): void {
    if (end > this.#bytes.length) {
      this.#bytes = new Uint8Array(this.#buffer, HEADER, this.#words[CAPACITY] as number);
    }
  }

  /** Room behind `tail`, by moving or growing; answers how many of the `count` bytes now fit there, or a negated errno. */
  #makeRoom(head: number, tail: number, count: number): number {
    this.#refresh(this.#words[CAPACITY] as number);
    let capacity = this.#bytes.length;
    if (tail + count <= capacity) return count;
    const size = tail - head;
    const fitsMoved = size <= head && size + count <= capacity;
    if (!fitsMoved) {
      const wanted = Math.max(2 * capacity, tail + count);
      capacity = this.#shared
        ? this.#growShared(wanted, tail + count)
        : this.#growLocal(wanted, head, tail, count);
      if (tail + count <= capacity || !this.#shared) return capacity < 0 ? capacity : count;
    }
    if (size <= head) {
      this.#bytes.copyWithin(0, head, tail);
      this.#commit(0, size);
      return Math.min(count, capacity - size) || -AGAIN;
    }
    return Math.min(count, capacity - tail) || -AGAIN;
  }

  #growLocal(wanted: number, head: number, tail: number, count: number): number {
    try {
      this.#reallocate(wanted, head, tail);
    } catch {
      try {
        this.#reallocate(tail - head + count, head, tail);
      } catch {
        return -NO_MEMORY;
      }
    }
    this.#commit(0, tail - head);
    return wanted;
  }

  #reallocate(capacity: number, head: number, tail: number): void {
    const buffer = new ArrayBuffer(HEADER + capacity);
    const bytes = new Uint8Array(buffer, HEADER);
    bytes.set(this.#bytes.subarray(head, tail));
    const words = new Int32Array(buffer, 0, HEADER / 4);
    words.set(this.#words);
    words[CAPACITY] = capacity;
    this.#buffer = buffer;
    this.#words = words;
    this.#bytes = bytes;
  }

  #growShared(wanted: number, needed: number): number {
    const buffer = this.#buffer as SharedArrayBuffer;
    const maximum = buffer.maxByteLength;
    for (const target of [wanted, needed, maximum - HEADER]) {
      const length = Math.min(HEADER + target, maximum);
      try {
        // A thread killed right after growing leaves the buffer longer than CAPACITY says.
        if (length > buffer.byteLength) buffer.grow(length);
        Atomics.store(this.#words, CAPACITY, length - HEADER);
        this.#refresh(length - HEADER);
        break;
      } catch {
        // Memory is scarce: the next, smaller target.
      }
    }
    return this.#bytes.length;
  }

  #lock(): void {
    if (this.#shared && Atomics.compareExchange(this.#words, LOCK, 0, lockOwner()) !== 0) this.#contend();
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
