import type { Pipe } from "../pipe.js";
import { platform } from "../platform.js";
import { FILETYPE_CHARACTER_DEVICE, FILETYPE_UNKNOWN, type Result } from "../vfs/contract.js";
import { Descriptor, type Stream } from "../vfs/descriptors.js";
import { ERRNO_IO } from "../vfs/errno.js";
import { RIGHT_FD_READ, RIGHT_FD_SEEK, RIGHT_FD_TELL, RIGHT_FD_WRITE, STREAM_RIGHTS } from "../vfs/rights.js";

const stuck =
  "the guest reads from an empty stdin and nobody can write to it while this thread waits: " +
  'start the guest with thread: "worker", or write to the pipe and end() it before the call';

/** `Pipe`: an empty one is the end, or has the guest wait where it is a blocking one. */
class PipeStream implements Stream {
  readonly filetype = FILETYPE_UNKNOWN;
  readonly seekable = false;
  readonly stuck = stuck;
  readonly #pipe: Pipe;

  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }
  read(target: Uint8Array, start: number, length: number): Result {
    return this.#pipe.readInto(target, start, length);
  }
  write(source: Uint8Array, start: number, length: number): Result {
    return this.#pipe.writeFrom(source, start, length);
  }
  available(): number {
    const pipe = this.#pipe;
    const waits = pipe.blocking && !pipe.ended;
    const { size } = pipe;
    return size === 0 && waits ? -1 : size;
  }
  wait(milliseconds: number): boolean {
    return this.#pipe.wait(milliseconds);
  }
}

/** `"inherit"`: the terminal in Node, the console in browsers. */
class HostStream implements Stream {
  readonly filetype: number;
  readonly seekable = false;
  readonly stuck = stuck;
  readonly #fd: 0 | 1 | 2;

  constructor(fd: 0 | 1 | 2) {
    this.#fd = fd;
    // What is a terminal gets its lines one by one from the guest's C library.
    this.filetype =
      platform().stdio.isTerminal?.(fd) === false ? FILETYPE_UNKNOWN : FILETYPE_CHARACTER_DEVICE;
  }
  read(target: Uint8Array, start: number, length: number): Result {
    return platform().stdio.read(target, start, length);
  }
  write(source: Uint8Array, start: number, length: number): Result {
    return platform().stdio.write(this.#fd === 2 ? 2 : 1, source, start, length);
  }
  available(): number {
    return 1;
  }
  wait(): boolean {
    return false;
  }
}

/** `"null"`: nothing to read, and all that is written is gone. */
class NullStream implements Stream {
  readonly filetype: number = FILETYPE_CHARACTER_DEVICE;
  readonly seekable: boolean = true;
  readonly stuck = stuck;
  read(): Result {
    return 0;
  }
  write(_source: Uint8Array, _start: number, length: number): Result {
    return length;
  }
  available(): number {
    return 0;
  }
  wait(): boolean {
    return true;
  }
}

/** A function of the host that gets a copy of every chunk. What it throws is `EIO` for the guest. */
class CallbackStream extends NullStream {
  override readonly filetype = FILETYPE_UNKNOWN;
  override readonly seekable = false;
  readonly #callback: (chunk: Uint8Array) => void;

  constructor(callback: (chunk: Uint8Array) => void) {
    super();
    this.#callback = callback;
  }
  override write(source: Uint8Array, start: number, length: number): Result {
    try {
      this.#callback(source.slice(start, start + length));
    } catch {
      return -ERRNO_IO;
    }
    return length;
  }
}

/** What an option of stdin, stdout or stderr may be, once it has been checked. */
export type Endpoint = Pipe | "inherit" | "null" | ((chunk: Uint8Array) => void) | Stream;

export function streamOf(endpoint: Endpoint, fd: 0 | 1 | 2): Stream {
  if (endpoint === "inherit") return new HostStream(fd);
  if (endpoint === "null") return new NullStream();
  if (typeof endpoint === "function") return new CallbackStream(endpoint);
  return "readInto" in endpoint ? new PipeStream(endpoint) : endpoint;
}

/** The descriptor of stdin, stdout or stderr. */
export function streamDescriptor(stream: Stream, fd: 0 | 1 | 2): Descriptor {
  let rights = STREAM_RIGHTS & ~(fd === 0 ? RIGHT_FD_WRITE : RIGHT_FD_READ);
  // A character device that can't seek is what C libraries take for a terminal.
  if (stream.seekable) rights |= RIGHT_FD_SEEK | RIGHT_FD_TELL;
  const descriptor = new Descriptor(stream.filetype, rights, 0, ~0);
  descriptor.stream = stream;
  return descriptor;
}
