import { UnsupportedError } from "./errors.js";
import { copyBytes, growable } from "./pipe-buffer.js";
import {
  AGAIN,
  BLOCKING,
  CAPACITY,
  DATA_SEQUENCE,
  ENDED,
  FLAGS,
  HEAD,
  HEADER,
  IO,
  LIMIT,
  LOCK,
  NO_MEMORY,
  type SharedPipe,
  SPACE_SEQUENCE,
  TAIL,
  TERMINAL,
  type Waiting,
} from "./pipe-layout.js";
import { freeLock, takeLock } from "./pipe-lock.js";
import { isDying, isStopped, leaveIfStopped, lockOwner, TERMINATION_GRACE } from "./pipe-owners.js";
import { platform } from "./platform.js";

const FIRST_CAPACITY = 256;
/** What a shared queue can grow to where the engine grants that much address space. */
const SHARED_MAXIMUM = 2 ** 30;
const NO_LIMIT = 0x7fffffff;
/** For how long to wait between two looks at a shared queue where the engine tells of no change, in milliseconds. */
const LOOK_AGAIN = 5;
/** A queue this big gives its memory back when it has been emptied. */
const RELEASE_ABOVE = 1 << 20;

const isGone = (holder: number, waited: number): boolean => waited > TERMINATION_GRACE && isDying(holder);

/**
 * A growing queue of bytes: the same algorithm over a local buffer and over one that several threads share. It is a ring whose
 * capacity is a power of two, so that every change is one store: a thread killed on the way loses nothing.
 */
export class ByteQueue {
  #buffer!: ArrayBufferLike;
  #words!: Int32Array;
  #bytes!: Uint8Array;
  #shared: boolean;
  /** The capacity less 1. */
  #mask!: number;
  /** Of a local queue: up to where the tail may go in one piece, whatever is taken meanwhile. */
  #free = 0;
  /** Who waits for a change of a local queue. */
  #waiting: (() => void)[] = [];

  /** @internal A new one, or on this thread what `share` gave on another. */
  constructor(flags: number, shared?: SharedPipe) {
    this.#shared = shared !== undefined;
    if (shared !== undefined) {
      this.#view(shared.pipe);
      return;
    }
    const buffer = new ArrayBuffer(HEADER + FIRST_CAPACITY);
    const words = new Int32Array(buffer);
    words[FLAGS] = flags;
    words[LIMIT] = NO_LIMIT;
    words[CAPACITY] = FIRST_CAPACITY;
    this.#view(buffer);
  }

  /** @internal Moves the queue to shared memory, once; `most` bounds its bytes, a power of two. Throws where there is none. */
  share(most: number = SHARED_MAXIMUM): SharedPipe {
    if (!this.#shared) {
      if (typeof SharedArrayBuffer === "undefined") {
        throw new UnsupportedError(
          `a Pipe cannot be shared with a thread here: ${platform().threadSupport().reason}`,
        );
      }
      const old = new Uint8Array(this.#buffer);
      const buffer = growable(old.length, HEADER + most);
      new Uint8Array(buffer).set(old);
      this.#shared = true;
      this.#view(buffer);
      this.wake();
    }
    return { pipe: this.#buffer as SharedArrayBuffer };
  }

  /** Bytes left to read. */
  get size(): number {
    const words = this.#words;
    // In this order, since what others take meanwhile must not make it less than none.
    const head = words[HEAD] as number;
    return ((words[TAIL] as number) - head) | 0;
  }

  /** Whether `end()` was called. */
  get ended(): boolean {
    return (Atomics.load(this.#words, FLAGS) & ENDED) !== 0;
  }

  /** @internal What a guest is told that it is (WASI preview 1, `filetype`): a character device, or unknown. */
  get filetype(): number {
    return ((this.#words[FLAGS] as number) & TERMINAL) === 0 ? 0 : 2;
  }

  /** Whether a guest that reads the empty pipe waits. */
  get blocking(): boolean {
    return (Atomics.load(this.#words, FLAGS) & BLOCKING) !== 0;
  }

  /**
   * No more is going to be written: readers and iterations end once what is left has been read. What a guest writes all the same is
   * taken while there is room, and `errno.io` where there is none.
   */
  end(): void {
    Atomics.or(this.#words, FLAGS, ENDED);
    this.wake();
  }

  /** @internal Begins anew after the end, without what is left to read. */
  reopen(): void {
    this.read();
    Atomics.and(this.#words, FLAGS, ~ENDED);
  }

  /** @internal The most bytes that may lie unread; beyond it a guest's write is `errno.again`. */
  limitTo(bytes: number): void {
    Atomics.store(this.#words, LIMIT, Math.min(bytes, NO_LIMIT));
    this.#free = this.#words[TAIL] as number;
    this.wake();
  }

  /** @internal Appends what there is room for; answers the bytes taken, `-AGAIN` where there is none, `-IO` after the end, `-NO_MEMORY`. */
  writeFrom(source: Uint8Array, start: number, length: number): number {
    const words = this.#words;
    const tail = words[TAIL] as number;
    // No other thread looks on a local queue: where there is the room in one piece, it takes no lock.
    if (!this.#shared && (length <= ((this.#free - tail) | 0) || length <= this.#measure(tail))) {
      copyBytes(source, start, this.#bytes, tail & this.#mask, length);
      words[TAIL] = tail + length;
      if (this.#waiting.length > 0) this.wake();
      return length;
    }
    if (length === 0) return 0;
    this.#lock();
    try {
      const { size } = this;
      const count = this.#makeRoom(size, Math.min(length, (this.#words[LIMIT] as number) - size));
      if (count > 0) {
        this.#put(source, start, count);
        this.#tell(DATA_SEQUENCE);
      }
      return count === -AGAIN && this.ended ? -IO : count;
    } finally {
      this.#unlock();
    }
  }

  /**
   * @internal A guest's read: answers the bytes put into `target[start, start + length)`, 0 for the end of file, or
   * `-AGAIN` where the pipe is blocking, empty and has not ended.
   */
  readInto(target: Uint8Array, start: number, length: number): number {
    const count = this.#take(target, start, length);
    if (count > 0 || length === 0 || !this.blocking) return count;
    // The last bytes may have come between the first look and the end.
    return this.ended ? this.#take(target, start, length) : -AGAIN;
  }

  /** Takes all bytes that are there; an empty array where there are none. */
  read(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.size);
    const count = this.#take(all, 0, all.length);
    // Another thread may have taken some of it since.
    return count < all.length ? all.slice(0, count) : all;
  }

  /** @internal Cuts what is unread to its first `size` bytes, or fills it up with zeros; answers 0 or a negated errno. */
  resize(size: number): number {
    this.#lock();
    try {
      const more = size - this.size;
      if (more > 0) {
        if (size > NO_LIMIT || this.#makeRoom(this.size, more) < more) return -NO_MEMORY;
        this.#put(new Uint8Array(more), 0, more);
      } else {
        Atomics.add(this.#words, TAIL, more);
        this.#free = this.#words[TAIL] as number;
      }
      this.wake();
      return 0;
    } finally {
      this.#unlock();
    }
  }

  /** @internal Bytes to read; 0 at the end, -1 where a read would wait. */
  available(): number {
    const waits = this.blocking && !this.ended;
    return this.size || (waits ? -1 : 0);
  }

  /**
   * @internal Sleeps until there is something to read, or the end: `true`; `false` after `milliseconds` (`Infinity`: none),
   * and at once where this thread may not sleep or nobody else could write.
   */
  wait(milliseconds: number): boolean {
    return this.#sleep(DATA_SEQUENCE, milliseconds, () => this.size > 0);
  }

  /** @internal Like `wait`, after a write that was `-AGAIN`, until there is room for a byte, or the end. */
  waitForSpace(milliseconds: number): boolean {
    // A full ring under the limit is one that could not grow.
    return this.#sleep(
      SPACE_SEQUENCE,
      milliseconds,
      () => this.size < Math.min(this.#words[LIMIT] as number, this.#words[CAPACITY] as number),
    );
  }

  /** @internal The next bytes, waited for; `undefined` after the end, or where the wait is cancelled. */
  async next(waiting?: Waiting): Promise<Uint8Array<ArrayBuffer> | undefined> {
    let next: Uint8Array<ArrayBuffer> | undefined;
    await this.receive((chunk) => {
      next = chunk;
    }, waiting);
    return next;
  }

  /**
   * @internal Hands the next bytes over, or `undefined` after the end. They are taken out as they are handed over: who cancels before leaves
   * them to others.
   */
  receive(take: (chunk: Uint8Array<ArrayBuffer> | undefined) => void, waiting?: Waiting): Promise<void> {
    return this.until(DATA_SEQUENCE, () => {
      if (waiting?.cancelled === true) return true;
      const { ended } = this;
      const chunk = this.read();
      const any = chunk.length > 0;
      if (any || ended) take(any ? chunk : undefined);
      return any || ended;
    });
  }

  /** @internal Waits without blocking until `ready` answers true; it is asked after each change of that sequence. */
  async until(sequence: number, ready: () => boolean): Promise<void> {
    for (;;) {
      const words = this.#words;
      const seen = Atomics.load(words, sequence);
      if (ready()) return;
      const { waitAsync } = Atomics as Partial<typeof Atomics>;
      if (!this.#shared) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      else if (waitAsync === undefined) await new Promise<void>((resolve) => setTimeout(resolve, LOOK_AGAIN));
      else {
        Atomics.add(words, sequence + 1, 1);
        await waitAsync(words, sequence, seen).value;
        Atomics.sub(words, sequence + 1, 1);
      }
    }
  }

  /** @internal Has all who wait look again. */
  wake(): void {
    this.#tell(SPACE_SEQUENCE);
    this.#tell(DATA_SEQUENCE);
  }

  /** @internal Frees what a thread that is gone may have left locked, and wakes whom it may have left asleep. */
  recover(deadOwner: number): void {
    freeLock(this.#words, LOCK, deadOwner);
    this.wake();
  }

  #sleep(sequence: number, milliseconds: number, ready: () => boolean): boolean {
    const words = this.#words;
    const until = platform().monotonicNow() + milliseconds;
    for (;;) {
      const seen = Atomics.load(words, sequence);
      leaveIfStopped();
      if (this.ended || ready()) return true;
      const left = until - platform().monotonicNow();
      if (left <= 0 || !this.#shared || !platform().mayBlock()) return false;
      Atomics.add(words, sequence + 1, 1);
      Atomics.wait(words, sequence, seen, left);
      Atomics.sub(words, sequence + 1, 1);
    }
  }

  /** Takes up to `length` bytes; 0 where nothing is there. */
  #take(target: Uint8Array, start: number, length: number): number {
    this.#lock();
    try {
      const { size } = this;
      const count = Math.min(length, size);
      if (count <= 0) return 0;
      this.#look(target, start, count);
      Atomics.add(this.#words, HEAD, count);
      if (count === size && !this.#shared && this.#bytes.length > RELEASE_ABOVE) this.#move(FIRST_CAPACITY);
      this.#tell(SPACE_SEQUENCE);
      return count;
    } finally {
      this.#unlock();
    }
  }

  /** Copies the first unread bytes. */
  #look(target: Uint8Array, start: number, length: number): void {
    const bytes = this.#bytes;
    const at = (this.#words[HEAD] as number) & (bytes.length - 1);
    const first = Math.min(length, bytes.length - at);
    copyBytes(bytes, at, target, start, first);
    if (first < length) copyBytes(bytes, 0, target, start + first, length - first);
  }

  /** Appends bytes for which there is room. */
  #put(source: Uint8Array, start: number, length: number): void {
    const words = this.#words;
    const tail = words[TAIL] as number;
    this.#copyIn(this.#bytes, tail, source, start, length);
    words[TAIL] = tail + length;
  }

  #copyIn(ring: Uint8Array, place: number, source: Uint8Array, start: number, length: number): void {
    const at = place & (ring.length - 1);
    const first = Math.min(length, ring.length - at);
    copyBytes(source, start, ring, at, first);
    if (first < length) copyBytes(source, start + first, ring, 0, length - first);
  }

  /** Makes room for `count` more bytes; answers for how many of them, or a negated errno: only a shared queue takes a part. */
  #makeRoom(size: number, count: number): number {
    if (count <= 0) return -AGAIN;
    if (size + count <= this.#bytes.length) return count;
    const most = this.#shared ? (this.#buffer as SharedArrayBuffer).maxByteLength - HEADER : 2 ** 31;
    let capacity = this.#bytes.length;
    while (capacity < size + count && capacity * 2 <= most) capacity *= 2;
    try {
      if (capacity > this.#bytes.length) this.#move(capacity);
    } catch {
      // Memory is scarce.
    }
    const room = Math.min(count, this.#bytes.length - size);
    if (room === count) return room;
    return this.#shared ? room || -AGAIN : -NO_MEMORY;
  }

  /**
   * Gives the ring that capacity. In a larger one each byte stays where it lies or goes to where none has lain: until the capacity is
   * stored all of them are in the old places too.
   */
  #move(capacity: number): void {
    const words = this.#words;
    const unread = new Uint8Array(this.size);
    this.#look(unread, 0, unread.length);
    let buffer = this.#buffer;
    if (!this.#shared) {
      buffer = new ArrayBuffer(HEADER + capacity);
      new Int32Array(buffer, 0, HEADER / 4).set(words);
    } else if (HEADER + capacity > buffer.byteLength) {
      // A thread killed right after this leaves the buffer longer than CAPACITY says.
      (buffer as SharedArrayBuffer).grow(HEADER + capacity);
    }
    const ring = new Uint8Array(buffer, HEADER, capacity);
    this.#copyIn(ring, words[HEAD] as number, unread, 0, unread.length);
    Atomics.store(new Int32Array(buffer, 0, HEADER / 4), CAPACITY, capacity);
    this.#view(buffer);
  }

  /** Wakes the threads that wait for that sequence to go on; their number is the word after it. Here all look again. */
  #tell(sequence: number): void {
    if (this.#waiting.length > 0) for (const wake of this.#waiting.splice(0)) wake();
    if (!this.#shared) return;
    const words = this.#words;
    Atomics.add(words, sequence, 1);
    if (Atomics.load(words, sequence + 1) > 0) Atomics.notify(words, sequence);
  }

  /** Sees the buffer, as long as its header says that it is. */
  #view(buffer: ArrayBufferLike): void {
    this.#buffer = buffer;
    this.#words = new Int32Array(buffer, 0, HEADER / 4);
    this.#bytes = new Uint8Array(buffer, HEADER, (this.#words[CAPACITY] as number) >>> 0);
    this.#mask = this.#bytes.length - 1;
    this.#free = this.#words[TAIL] as number;
  }

  /** Measures anew how far a local queue is free, which other code may have made more; answers the bytes. */
  #measure(tail: number): number {
    const capacity = this.#bytes.length;
    const most = Math.min(capacity, this.#words[LIMIT] as number);
    const room = Math.min(capacity - (tail & this.#mask), most - this.size);
    this.#free = (tail + room) | 0;
    return room;
  }

  #lock(): void {
    if (!this.#shared) return;
    const words = this.#words;
    takeLock(words, LOCK, lockOwner(), Number.POSITIVE_INFINITY, isGone);
    if (isStopped()) {
      this.#unlock();
      leaveIfStopped();
    }
    // Another thread may have grown the buffer since this one looked.
    if (words[CAPACITY] !== this.#bytes.length) this.#view(this.#buffer);
  }

  #unlock(): void {
    if (this.#shared) freeLock(this.#words, LOCK, lockOwner());
  }
}
