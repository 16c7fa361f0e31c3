import { HostFunctionError } from "../errors.js";
import { Pipe } from "../pipe.js";
import { AGAIN } from "../pipe-layout.js";
import type { Stream } from "../vfs/descriptors.js";
import { FDFLAGS_NONBLOCK } from "../wasi/numbers.js";
import type { WasiOptions } from "../wasi/options.js";
import { HostFailure } from "./endpoint.js";
import type { StreamPlan } from "./protocol.js";
import { OUTPUT_FAILED } from "./records.js";

/** What a stream needs of the thread that it is on. */
export interface StreamHost {
  /** Wakes the host: there is something to take. */
  ring(): void;
  /** Asks the host to follow its own input. */
  wantInput(): void;
  /** Has that done before each call of the host's. */
  beforeCalls(act: () => unknown): void;
  /** Sends output where there is no shared memory. */
  post(stream: 1 | 2, bytes: Uint8Array<ArrayBuffer>): void;
}

/**
 * A pipe where a guest that writes waits for room: the host takes it out, or whoever has the pipe. Or the host's own input, which it begins
 * to read when the guest does.
 *
 * @param taken whether the host takes it out: it ends the pipe where it fails
 */
function hostPipe(pipe: Pipe, { ring, wantInput, beforeCalls }: StreamHost, taken: boolean): Stream {
  if (taken) beforeCalls(() => pipe.ended && pipe.reopen());
  return {
    filetype: pipe.filetype,
    stuck: "nobody can write to the guest's stdin any more",
    readInto(target, start, length) {
      const count = pipe.readInto(target, start, length);
      if (count === -AGAIN) wantInput();
      return count;
    },
    writeFrom(source, start, length, flags) {
      for (let done = 0; done < length; ) {
        if (taken && pipe.ended) {
          throw new HostFunctionError("the output failed", { cause: new HostFailure(OUTPUT_FAILED) });
        }
        const written = pipe.writeFrom(source, start + done, length - done);
        if (taken) ring();
        if (written >= 0) done += written;
        else if (!taken && (written !== -AGAIN || (flags & FDFLAGS_NONBLOCK) !== 0)) return done || written;
        else pipe.waitForSpace(Number.POSITIVE_INFINITY);
      }
      return length;
    },
    available() {
      const { size, ended } = pipe;
      if (size > 0 || ended) return size;
      wantInput();
      return -1;
    },
    wait: (milliseconds) => pipe.wait(milliseconds),
  };
}

type Target = Exclude<WasiOptions["stdout"] | WasiOptions["stdin"], undefined>;

/** The guest's end of a stream, as WASI takes it. */
export function openStream(plan: StreamPlan, fd: 0 | 1 | 2, host: StreamHost): Target {
  switch (plan.kind) {
    case "null":
      return "null";
    case "direct":
      return "inherit";
    case "pipe": {
      const pipe = Pipe.attach(plan.pipe);
      return fd > 0 && pipe.blocking ? (hostPipe(pipe, host, false) as unknown as Target) : pipe;
    }
    case "host":
      return hostPipe(Pipe.attach(plan.pipe), host, fd > 0) as unknown as Target;
    case "bytes": {
      const pipe = new Pipe();
      pipe.write(plan.bytes);
      return pipe;
    }
    case "message":
      return (bytes) => host.post(fd === 2 ? 2 : 1, bytes as Uint8Array<ArrayBuffer>);
  }
}
