import { type HostFunctionError, WasmexError } from "../errors.js";
import type { Pipe } from "../pipe.js";
import { BLOCKING, TERMINAL } from "../pipe-layout.js";
import { ByteQueue } from "../pipe-queue.js";
import { platform } from "../platform.js";
import { callOption, outputKey } from "../wasi/callbacks.js";
import type { OutputOption, WasiOptions } from "../wasi/options.js";
import { needsSharedMemory } from "./message-client.js";
import type { StreamPlan } from "./protocol.js";

/** What a guest may be ahead of its host by before it waits, in bytes. */
const AHEAD = 1 << 20;

type Taker = (bytes: Uint8Array<ArrayBuffer>) => void;

/** Only a user of `Pipe` needs the class: it isn't loaded for others. */
function isPipe(target: unknown): target is Pipe {
  return target instanceof ByteQueue;
}

function taker(target: OutputOption, fd: 1 | 2): Taker {
  const take: Taker =
    typeof target === "function"
      ? target
      : isPipe(target)
        ? (bytes) => void target.writeFrom(bytes, 0, bytes.length)
        : (bytes) => void platform().stdio.write(fd, bytes, 0, bytes.length);
  return (bytes) => callOption(outputKey(fd), take, bytes);
}

interface Drain {
  readonly pipe: ByteQueue;
  readonly take: Taker;
}

/** The host's side of a background guest's stdin, stdout and stderr. */
export class HostStreams {
  readonly #drains: Drain[] = [];
  /** Every pipe that the thread works on. */
  readonly #pipes: ByteQueue[] = [];
  /** The host's own input, where it is the guest's. */
  #followed: ByteQueue | undefined;
  #unfollow: (() => void) | undefined;
  /** The input of a guest without shared memory. */
  #stdin: ByteQueue | undefined;
  readonly #takers: { 1?: Taker; 2?: Taker } = {};
  readonly plans: readonly [StreamPlan, StreamPlan, StreamPlan];

  /** @param shared whether memory can be shared with the guest's thread; else all its input has to be there */
  constructor(options: WasiOptions, pipeBytes: number | undefined, shared: boolean) {
    const { stdin = "inherit", stdout = "inherit", stderr = "inherit" } = options;
    const plan = (target: OutputOption, fd: 0 | 1 | 2): StreamPlan => {
      if (typeof target === "object" && !isPipe(target)) {
        throw new WasmexError(
          "wasi: a Pipe of another copy of wasmex can't cross to a thread: load one copy",
        );
      }
      return target === "null"
        ? { kind: "null" }
        : shared
          ? this.#share(target, fd, pipeBytes)
          : fd === 0
            ? this.#input(target)
            : this.#post(target, fd);
    };
    this.plans = [plan(stdin, 0), plan(stdout, 1), plan(stderr, 2)];
  }

  /** Hands what the guest has written to where it belongs; answers the error that the call whose output it is ends with. */
  drain(): HostFunctionError | undefined {
    let failure: HostFunctionError | undefined;
    for (const { pipe, take } of this.#drains) {
      // Where it has failed the rest of that call's output is the guest's to forget.
      if (pipe.size === 0 || pipe.ended) continue;
      try {
        take(pipe.read());
      } catch (error) {
        failure ??= error as HostFunctionError;
        // The guest's next write unwinds it, as this one had inline.
        pipe.end();
      }
    }
    return failure;
  }

  /** The guest waits for the host's own input. */
  follow(): void {
    const pipe = this.#followed;
    if (pipe !== undefined && !pipe.ended) this.#unfollow = platform().stdio.follow(pipe);
  }

  /** The guest does not wait for the host's own input: that is left to others. */
  unfollow(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
  }

  /** The guest has come to its end. */
  end(): void {
    this.drain();
    this.unfollow();
  }

  /** What a guest without shared memory has not been given of its input; nothing where there is none. */
  moreInput(): Uint8Array<ArrayBuffer> | undefined {
    return this.#stdin?.size ? this.#stdin.read() : undefined;
  }

  /** Has a guest that waits for a pipe look whether it has been stopped. */
  wake(): void {
    for (const pipe of this.#pipes) pipe.wake();
  }

  /** The thread is gone. */
  recover(threadId: number): void {
    for (const pipe of this.#pipes) pipe.recover(threadId);
  }

  /** Output that came by message; answers as `drain` does. The guest is too far away to be told. */
  take(stream: 1 | 2, bytes: Uint8Array<ArrayBuffer>): HostFunctionError | undefined {
    try {
      return void this.#takers[stream]?.(bytes);
    } catch (error) {
      return error as HostFunctionError;
    }
  }

  /** Of a guest without shared memory: what is there goes with its start, and what comes later with its next call. */
  #input(stdin: OutputOption): StreamPlan {
    if (!isPipe(stdin)) return { kind: "null" };
    if (stdin.blocking && !stdin.ended) {
      throw needsSharedMemory("a stdin that is still being written needs");
    }
    this.#stdin = stdin;
    return { kind: "bytes", bytes: stdin.read() };
  }

  #post(target: OutputOption, fd: 1 | 2): StreamPlan {
    this.#takers[fd] = taker(target, fd);
    return { kind: "message" };
  }

  /** What is no pipe gets one, which the host fills or empties. */
  #share(target: OutputOption, fd: 0 | 1 | 2, limit: number | undefined): StreamPlan {
    if (isPipe(target)) {
      if (limit !== undefined) target.limitTo(limit);
      this.#pipes.push(target);
      return { kind: "pipe", pipe: target.share() };
    }
    const { stdio } = platform();
    const inherits = target === "inherit";
    const isInput = fd === 0;
    if (inherits && !isInput && stdio.onAnyThread === true) return { kind: "direct" };
    const isTerminal = inherits && (!isInput || stdio.isTerminal?.(0) !== false);
    const pipe = new ByteQueue((isInput ? BLOCKING : 0) | (isTerminal ? TERMINAL : 0));
    if (isInput) this.#followed = pipe;
    else {
      pipe.limitTo(AHEAD);
      this.#drains.push({ pipe, take: taker(target, fd) });
    }
    this.#pipes.push(pipe);
    return { kind: "host", pipe: isInput ? pipe.share() : pipe.share(AHEAD) };
  }
}
