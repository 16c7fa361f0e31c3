import { StoppedError, UnsupportedError } from "../errors.js";
import { Filestat } from "../vfs/contract.js";
import type { Descriptor } from "../vfs/descriptors.js";
import { DescriptorTable } from "../vfs/descriptors.js";
import { ERRNO_IO } from "../vfs/errno.js";
import { Walk } from "../vfs/walk.js";
import { WasiExit } from "./exit.js";
import type { Sources } from "./sources.js";

/** Two 32-bit halves of a 64-bit number without a `BigInt`. */
const TWO_32 = 2 ** 32;
const none = new Uint8Array(0);
const IOVECS = 1024;

/**
 * One guest at the ABI edge: its memory, its descriptors and what the functions share. Every function checks its pointers
 * with `has` before it does anything else, and takes `bytes` and `view` afresh after anything that may have run other code.
 */
export class Guest {
  readonly args: readonly Uint8Array[];
  readonly env: readonly Uint8Array[];
  readonly sources: Sources;
  readonly table: DescriptorTable;
  /** The path of a function, or its first one. */
  readonly first = new Walk();
  /** The second path of a function that has two. */
  readonly second = new Walk();
  readonly filestat = new Filestat();
  /** The backend that is begun for file I/O, so that whatever is thrown ends it. */
  held: { end(): void } | undefined;

  /** The guest's memory. Cached: reading `memory.buffer` costs more than a whole small write. */
  bytes: Uint8Array = none;
  view: DataView = new DataView(none.buffer);
  #memory: WebAssembly.Memory | undefined;

  /** Pointers and lengths of the buffers of this call, copied out so that they can't change under way. */
  readonly iovecs = new Float64Array(2 * IOVECS);
  /** How many of them there are. */
  iovecCount = 0;
  /** Bytes in all of them. */
  iovecBytes = 0;

  constructor(args: readonly Uint8Array[], env: readonly Uint8Array[], sources: Sources, openFiles: number) {
    this.args = args;
    this.env = env;
    this.sources = sources;
    this.table = new DescriptorTable(openFiles);
  }

  bind(memory: WebAssembly.Memory): void {
    this.#memory = memory;
    this.#refresh();
  }

  get bound(): boolean {
    return this.#memory !== undefined;
  }

  /** Whether `[pointer, pointer + length)` lies inside the memory. After it `bytes` and `view` are good for that range. */
  has(pointer: number, length: number): boolean {
    // A memory that was grown is detached here, and so of length 0, or, where it is shared, shorter than the real one.
    return pointer + length <= this.bytes.length || this.#refreshedHas(pointer, length);
  }

  descriptor(fd: number): Descriptor | undefined {
    const { entries } = this.table;
    return fd < entries.length ? entries[fd] : undefined;
  }

  u32(pointer: number): number {
    return this.view.getUint32(pointer, true);
  }

  /** Stores a result whose place was checked before. */
  setU32(pointer: number, value: number): void {
    // Code that ran since may have grown the memory.
    if (this.bytes.length === 0) this.#refresh();
    this.view.setUint32(pointer, value, true);
  }

  /** Stores an integer from 0 to 2^53 as 64 bits. */
  setU64(pointer: number, value: number): void {
    if (this.bytes.length === 0) this.#refresh();
    this.view.setUint32(pointer, value, true);
    this.view.setUint32(pointer + 4, value / TWO_32, true);
  }

  /**
   * Copies the vectors at that place and checks their buffers. Answers false where a pointer leads out of the memory. Beyond
   * 1024 the rest is left for the next call, as a short read or write.
   */
  loadIovecs(pointer: number, count: number): boolean {
    if (!this.has(pointer, count * 8)) return false;
    const { view, iovecs } = this;
    const used = count < IOVECS ? count : IOVECS;
    let total = 0;
    for (let index = 0; index < used; index++) {
      const start = view.getUint32(pointer + index * 8, true);
      const length = view.getUint32(pointer + index * 8 + 4, true);
      if (!this.has(start, length)) return false;
      iovecs[2 * index] = start;
      iovecs[2 * index + 1] = length;
      total += length;
    }
    this.iovecCount = used;
    this.iovecBytes = total;
    return true;
  }

  /**
   * The one boundary for what was thrown while a function ran: exit, what this surrounding can't do and that the thread has
   * been stopped go out to the host, all else is an errno.
   */
  caught(error: unknown): number {
    const { held } = this;
    this.held = undefined;
    this.first.leave();
    this.second.leave();
    held?.end();
    if (error instanceof WasiExit || error instanceof UnsupportedError || error instanceof StoppedError)
      throw error;
    return ERRNO_IO;
  }

  #refreshedHas(pointer: number, length: number): boolean {
    this.#refresh();
    return pointer + length <= this.bytes.length;
  }

  #refresh(): void {
    const buffer = this.#memory?.buffer;
    if (buffer === undefined || buffer === this.bytes.buffer) return;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }
}
