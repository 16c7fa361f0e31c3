import { UnsupportedError } from "../errors.js";
import type { Pipe } from "../pipe.js";
import { platform } from "../platform.js";
import { FILETYPE_CHARACTER_DEVICE, FILETYPE_UNKNOWN } from "../vfs/contract.js";
import { Descriptor, type Stream } from "../vfs/descriptors.js";
import { RIGHT_FD_READ, RIGHT_FD_SEEK, RIGHT_FD_TELL, RIGHT_FD_WRITE, STREAM_RIGHTS } from "../vfs/rights.js";
import { callOption, outputKey } from "./callbacks.js";

/** The error for a stream that can't be waited for. */
export function stuck(stream: Stream): UnsupportedError {
  return new UnsupportedError(
    stream.stuck ??
      `the guest reads from an empty stdin and nobody can write to it while this thread waits: ${platform().threadSupport().reason || 'start the guest with thread: "worker"'}, or write to the pipe and end() it before the call`,
  );
}

/** What an option of stdin, stdout or stderr may be, once it has been checked; a `Pipe` is a stream. */
export type Endpoint = Pipe | "inherit" | "null" | ((chunk: Uint8Array<ArrayBuffer>) => void) | Stream;

/** `"null"`: nothing to read, and all that is written is gone. */
const nothing: Stream = {
  filetype: FILETYPE_CHARACTER_DEVICE,
  seekable: true,
  readInto: () => 0,
  writeFrom: (_source, _start, length) => length,
  available: () => 0,
  wait: () => true,
};

/** `"inherit"`: the terminal in Node, the console in browsers. */
function hostStream(fd: 0 | 1 | 2): Stream {
  const { stdio } = platform();
  return {
    // What is a terminal gets its lines one by one from the guest's C library.
    filetype: stdio.isTerminal?.(fd) === false ? FILETYPE_UNKNOWN : FILETYPE_CHARACTER_DEVICE,
    readInto: (target, start, length) => stdio.read(target, start, length),
    writeFrom: (source, start, length) => stdio.write(fd === 2 ? 2 : 1, source, start, length),
    available: () => 1,
    wait: () => false,
  };
}

/** A function of the host that gets a copy of every chunk. What it throws ends the call of the guest. */
function callbackStream(callback: (chunk: Uint8Array<ArrayBuffer>) => void, fd: 0 | 1 | 2): Stream {
  return {
    ...nothing,
    filetype: FILETYPE_UNKNOWN,
    seekable: false,
    writeFrom(source, start, length) {
      callOption(outputKey(fd), callback, source.slice(start, start + length));
      return length;
    },
  };
}

/** The descriptor of stdin, stdout or stderr. */
export function streamDescriptor(endpoint: Endpoint, fd: 0 | 1 | 2): Descriptor {
  const stream: Stream =
    endpoint === "inherit"
      ? hostStream(fd)
      : endpoint === "null"
        ? nothing
        : typeof endpoint === "function"
          ? callbackStream(endpoint, fd)
          : endpoint;
  let rights = STREAM_RIGHTS & ~(fd === 0 ? RIGHT_FD_WRITE : RIGHT_FD_READ);
  // A character device that can't seek is what C libraries take for a terminal.
  if (stream.seekable) rights |= RIGHT_FD_SEEK | RIGHT_FD_TELL;
  const descriptor = new Descriptor(stream.filetype ?? FILETYPE_UNKNOWN, rights, 0, ~0);
  descriptor.stream = stream;
  return descriptor;
}
