import type { Backend, Node, Result } from "./contract.js";
import { ERRNO_BADF, ERRNO_MFILE } from "./errno.js";
import type { MountTable } from "./mounts.js";

/** What a descriptor that is no file reads from or writes to. Answers are as in `Backend`. */
export interface Stream {
  /** Default: unknown. */
  readonly filetype?: number;
  /** Seeks are taken, to no effect, as with `/dev/null`. */
  readonly seekable?: boolean;
  /** 0 is the end; `-ERRNO_AGAIN` where there is nothing yet. */
  readInto(target: Uint8Array, start: number, length: number): Result;
  /** @param flags WASI `fdflags` of the descriptor: where a write would wait */
  writeFrom(source: Uint8Array, start: number, length: number, flags: number): Result;
  /** Bytes to read; 0 at the end, -1 where a read would wait, 1 where that can't be known. */
  available(): number;
  /** Sleeps until a read would not wait, at most that long; `false` where it still would. */
  wait(milliseconds: number): boolean;
  /** Why a `wait` without an end came back with nothing: the text of the error that says what to do. */
  readonly stuck?: string;
}

/** One open file, directory or stream. */
export class Descriptor {
  filetype: number;
  rights: number;
  inheriting: number;
  /** WASI `fdflags`. */
  flags = 0;
  /** What the host's preopen allows, and `ACCESS_WRITE` for a file that this very open created. */
  access: number;
  position = 0;
  /** For a stream, else `undefined`. */
  stream: Stream | undefined = undefined;
  /** For a file or directory, else `undefined`. */
  backend: Backend | undefined = undefined;
  node: Node = 0;
  mounts: MountTable | undefined = undefined;
  /** Whether `openFile` was called for the node. */
  opened = false;
  /** A preopen's name as the guest sees it, in UTF-8. */
  preopen: Uint8Array | undefined = undefined;

  constructor(filetype: number, rights: number, inheriting: number, access: number) {
    this.filetype = filetype;
    this.rights = rights;
    this.inheriting = inheriting;
    this.access = access;
  }

  /** Gives back what it holds of its backend. */
  close(): void {
    const backend = this.backend;
    if (backend === undefined) return;
    this.backend = undefined;
    backend.begin();
    try {
      if (this.opened) backend.closeFile(this.node);
      backend.release(this.node);
    } finally {
      backend.end();
    }
  }
}

/** The descriptors of one guest, by number. */
export class DescriptorTable {
  /** `undefined` where a number is free; a number past the end is free too. */
  readonly entries: (Descriptor | undefined)[] = [];
  readonly #limit: number;
  #open = 0;
  /** No number below it is free. */
  #lowest = 0;

  /** @param limit how many may be open at once */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get full(): boolean {
    return this.#open >= this.#limit;
  }

  /** The lowest free number, or `-ERRNO_MFILE`. */
  add(descriptor: Descriptor): Result {
    if (this.#open >= this.#limit) return -ERRNO_MFILE;
    const entries = this.entries;
    let fd = this.#lowest;
    while (fd < entries.length && entries[fd] !== undefined) fd++;
    if (fd === entries.length) entries.push(descriptor);
    else entries[fd] = descriptor;
    this.#lowest = fd + 1;
    this.#open++;
    return fd;
  }

  /** Closes it; answers an errno. */
  close(fd: number): number {
    const descriptor = fd < this.entries.length ? this.entries[fd] : undefined;
    if (descriptor === undefined) return ERRNO_BADF;
    this.#free(fd);
    descriptor.close();
    return 0;
  }

  /** Closes `to` and gives its number to `from`; both must be open. Answers an errno. */
  renumber(from: number, to: number): number {
    const { entries } = this;
    const moved = from < entries.length ? entries[from] : undefined;
    const closed = to < entries.length ? entries[to] : undefined;
    if (moved === undefined || closed === undefined) return ERRNO_BADF;
    if (from === to) return 0;
    entries[to] = moved;
    this.#free(from);
    closed.close();
    return 0;
  }

  closeAll(): void {
    for (let fd = this.entries.length - 1; fd >= 0; fd--) {
      if (this.entries[fd] !== undefined) this.close(fd);
    }
  }

  #free(fd: number): void {
    this.entries[fd] = undefined;
    this.#open--;
    if (fd < this.#lowest) this.#lowest = fd;
  }
}
