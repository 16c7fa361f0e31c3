import { FileSystemError, WasmexError } from "../errors.js";
import { refusal } from "../vfs/access.js";
import { abandonOperation } from "../vfs/arena-memory.js";
import { type Backend, FILETYPE_DIRECTORY, Filestat, type Result } from "../vfs/contract.js";
import { type Descriptor, DescriptorTable } from "../vfs/descriptors.js";
import { ERRNO_BADF, ERRNO_IO } from "../vfs/errno.js";
import { Walk } from "../vfs/walk.js";
import { TWO_32 } from "./numbers.js";
import type { Sources } from "./sources.js";

const none = new Uint8Array(0);

/**
 * One guest at the ABI edge: its memory, its descriptors and what the functions share. Every pointer is checked with `has`,
 * and `bytes` and `view` are taken afresh after anything that may have run other code.
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
  #held: Backend | undefined;

  /** The guest's memory. Cached: reading `memory.buffer` costs more than a whole small write. */
  bytes: Uint8Array = none;
  view: DataView = new DataView(none.buffer);
  #memory: WebAssembly.Memory | undefined;

  /** The milliseconds after which a function that waits has to answer. */
  readonly left: () => number;

  /** Gets the errors that the guest exits with, which may be thrown on by the host's functions that it called. */
  readonly own: WeakSet<object> | undefined;

  /** A function has failed, and what it had begun is not ended yet: there may be no stack left to do it. */
  broken = false;

  constructor(
    args: readonly Uint8Array[],
    env: readonly Uint8Array[],
    sources: Sources,
    openFiles: number,
    left = () => Number.POSITIVE_INFINITY,
    own?: WeakSet<object>,
  ) {
    this.own = own;
    this.left = left;
    this.args = args;
    this.env = env;
    this.sources = sources;
    this.table = new DescriptorTable(openFiles);
  }

  /**
   * Its `buffer` is read when it is first needed: what is given may stand for a memory that isn't made yet. `null`: no other is to come, and
   * where there is none no pointer is good.
   */
  bind(memory: WebAssembly.Memory | null): void {
    // Of an empty memory no more is needed than what an empty array has too.
    this.#memory =
      memory === null ? (this.#memory ?? (none as { buffer: unknown } as WebAssembly.Memory)) : memory;
    this.bytes = none;
  }

  get bound(): boolean {
    return this.#memory !== undefined;
  }

  /** Whether `[pointer, pointer + length)` lies inside the memory. After it `bytes` and `view` are good for that range. */
  has(pointer: number, length: number): boolean {
    // A memory that was grown is detached here, and so of length 0, or, where it is shared, shorter than the real one.
    if (pointer + length > this.bytes.length) this.#refresh();
    return pointer + length <= this.bytes.length;
  }

  /** Stores a result whose place was checked before. */
  setU32(pointer: number, value: number): void {
    // Code that ran since may have grown the memory.
    if (this.bytes.length === 0) this.#refresh();
    this.view.setUint32(pointer, value, true);
  }

  /** Stores an integer from 0 on as 64 bits. */
  setU64(pointer: number, value: number): void {
    this.setU32(pointer, value);
    this.view.setUint32(pointer + 4, value / TWO_32, true);
  }

  /** Stores `filestat`: 64 bytes are its very layout, the 56 of `wasi_unstable` have an `nlink` of 32 bits. */
  setFilestat(pointer: number, size: number): void {
    const { bytes, words } = this.filestat;
    if (this.bytes.length === 0) this.#refresh();
    this.bytes.set(size === 64 ? bytes : bytes.subarray(0, 20), pointer);
    if (size !== 64) {
      this.setU32(pointer + 20, words[7] !== 0 ? 0xffffffff : (words[6] as number));
      this.bytes.set(bytes.subarray(32), pointer + 24);
    }
  }

  /**
   * What is against using that descriptor, as a negated errno: it isn't open, it is of a kind that an errno is given for, it
   * lacks a right or the host's access.
   */
  check(fd: number, rights: number, access = 0, directory = 0, stream = 0, file = 0): Result {
    const descriptor = this.table.entries[fd];
    if (descriptor === undefined) return -ERRNO_BADF;
    const kind =
      descriptor.backend === undefined
        ? stream
        : descriptor.filetype === FILETYPE_DIRECTORY
          ? directory
          : file;
    if (kind !== 0) return -kind;
    const allowed = (descriptor.rights & rights) === rights && (descriptor.access & access) === access;
    return allowed ? 0 : -refusal(descriptor.access, access);
  }

  /** Begins file I/O, which `end` ends. */
  hold(descriptor: Descriptor): Backend {
    if (this.broken) this.mend();
    const backend = descriptor.backend as Backend;
    backend.begin();
    this.#held = backend;
    return backend;
  }

  /** Ends what a function has begun. */
  end(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.end();
    // What the first path keeps is given back when nothing is begun any more.
    this.second.leave();
    this.first.leave();
  }

  /** Ends what a function that failed could not. */
  mend(): void {
    this.end();
    abandonOperation();
    this.broken = false;
  }

  /**
   * The one boundary for what was thrown while a function ran: what is this package's goes out to the host (an exit, what this surrounding
   * can't do, that a function of the options has failed), but for what a file system says; all else is an errno.
   */
  caught(error: unknown): number {
    this.mend();
    if (error instanceof WasmexError && !(error instanceof FileSystemError)) throw error;
    return ERRNO_IO;
  }

  #refresh(): void {
    const buffer = this.#memory?.buffer;
    if (buffer === undefined) {
      throw new WasmexError(
        "WASI has no memory yet: call start(instance), initialize(instance) or bind(memory) first; a start section needs one that is imported",
      );
    }
    if (buffer === this.bytes.buffer) return;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }
}
