import { Pipe } from "../pipe.js";
import { AGAIN } from "../pipe-buffer.js";
import { FILETYPE_CHARACTER_DEVICE, FILETYPE_UNKNOWN } from "../vfs/contract.js";
import type { Stream } from "../vfs/descriptors.js";
import type { WasiOptions } from "../wasi/options.js";
import type { StreamPlan } from "./protocol.js";

const ERRNO_IO = 29;
const STUCK = "nobody can write to the guest's stdin any more";

/** What a stream needs of the thread that it is on. */
export interface StreamHost {
  /** Wakes the host: there is something to take. */
  ring(): void;
  /** Asks the host to follow its own input. */
  wantInput(): void;
  /** Sends output where there is no shared memory. */
  post(stream: 1 | 2, bytes: Uint8Array<ArrayBuffer>): void;
}

/** Output that the host takes out of a pipe: the guest waits where it is too far ahead. */
class DrainedStream implements Stream {
  readonly filetype: number;
  readonly seekable = false;
  readonly stuck = STUCK;
  readonly #pipe: Pipe;
  readonly #ring: () => void;

  constructor(pipe: Pipe, ring: () => void, filetype: number) {
    this.#pipe = pipe;
    this.#ring = ring;
    this.filetype = filetype;
  }
  readInto(): number {
    return 0;
  }
  writeFrom(source: Uint8Array, start: number, length: number): number {
    const pipe = this.#pipe;
    for (let done = 0; done < length; ) {
      if (pipe.ended) return -ERRNO_IO;
      const written = pipe.writeFrom(source, start + done, length - done);
      this.#ring();
      if (written >= 0) done += written;
      else if (written === -AGAIN) pipe.waitForSpace(Number.POSITIVE_INFINITY);
      else return written;
    }
    return length;
  }
  available(): number {
    return 0;
  }
  wait(): boolean {
    return true;
  }
}

/** The host's own input, which the host begins to read when the guest does. */
class FollowedStream implements Stream {
  readonly filetype: number;
  readonly seekable = false;
  readonly stuck = STUCK;
  readonly #pipe: Pipe;
  readonly #want: () => void;

  constructor(pipe: Pipe, want: () => void, filetype: number) {
    this.#pipe = pipe;
    this.#want = want;
    this.filetype = filetype;
  }
  readInto(target: Uint8Array, start: number, length: number): number {
    const count = this.#pipe.readInto(target, start, length);
    if (count === -AGAIN) this.#want();
    return count;
  }
  writeFrom(): number {
    return 0;
  }
  available(): number {
    const { size, ended } = this.#pipe;
    if (size > 0 || ended) return size;
    this.#want();
    return -1;
  }
  wait(milliseconds: number): boolean {
    return this.#pipe.wait(milliseconds);
  }
}

class PostedStream extends DrainedStream {
  readonly #post: (bytes: Uint8Array<ArrayBuffer>) => void;

  constructor(post: (bytes: Uint8Array<ArrayBuffer>) => void) {
    super(new Pipe(), () => undefined, FILETYPE_UNKNOWN);
    this.#post = post;
  }
  override writeFrom(source: Uint8Array, start: number, length: number): number {
    this.#post(source.slice(start, start + length) as Uint8Array<ArrayBuffer>);
    return length;
  }
}

type Target = Exclude<WasiOptions["stdout"] | WasiOptions["stdin"], undefined>;

/** What is a terminal gets its lines one by one from the guest's C library. */
function filetypeOf({ terminal }: { readonly terminal: boolean }): number {
  return terminal ? FILETYPE_CHARACTER_DEVICE : FILETYPE_UNKNOWN;
}

/** The guest's end of a stream, as WASI takes it. */
export function openStream(plan: StreamPlan, fd: 0 | 1 | 2, host: StreamHost): Target {
  switch (plan.kind) {
    case "null":
      return "null";
    case "direct":
      return "inherit";
    case "pipe":
      return Pipe.attach(plan.pipe);
    case "drain": {
      const pipe = Pipe.attach(plan.pipe);
      return new DrainedStream(pipe, () => host.ring(), filetypeOf(plan)) as unknown as Target;
    }
    case "follow": {
      const pipe = Pipe.attach(plan.pipe);
      return new FollowedStream(pipe, () => host.wantInput(), filetypeOf(plan)) as unknown as Target;
    }
    case "bytes": {
      const pipe = new Pipe();
      pipe.write(plan.bytes);
      return pipe;
    }
    case "message":
      return new PostedStream((bytes) => host.post(fd === 2 ? 2 : 1, bytes)) as unknown as Target;
  }
}
