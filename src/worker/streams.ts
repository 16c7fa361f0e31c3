import { Pipe } from "../pipe.js";
import { platform } from "../platform.js";
import type { OutputOption, WasiOptions } from "../wasi/options.js";
import { needsSharedMemory } from "./message-client.js";
import type { StreamPlan } from "./protocol.js";

/** What a guest may be ahead of its host by before it waits, in bytes. */
const AHEAD = 1 << 20;

type Taker = (bytes: Uint8Array<ArrayBuffer>) => void;

function taker(target: OutputOption, fd: 1 | 2): Taker {
  if (typeof target === "function") return target;
  if (target instanceof Pipe) return (bytes) => void target.write(bytes);
  return (bytes) => void platform().stdio.write(fd, bytes, 0, bytes.length);
}

/** All the input that a guest without shared memory gets. */
function inputBytes(stdin: NonNullable<WasiOptions["stdin"]>): StreamPlan {
  if (!(stdin instanceof Pipe)) return { kind: "null" };
  if (stdin.blocking && !stdin.ended) {
    throw needsSharedMemory("a stdin that is still being written needs");
  }
  return { kind: "bytes", bytes: stdin.read() };
}

interface Drain {
  readonly pipe: Pipe;
  readonly take: Taker;
}

/** The host's side of a background guest's stdin, stdout and stderr. */
export class HostStreams {
  readonly #drains: Drain[] = [];
  /** Every pipe that the thread works on. */
  readonly #pipes: Pipe[] = [];
  readonly #followed: Pipe | undefined;
  #unfollow: (() => void) | undefined;
  readonly #takers: { 1?: Taker; 2?: Taker } = {};
  readonly plans: readonly [StreamPlan, StreamPlan, StreamPlan];

  /** @param shared whether memory can be shared with the guest's thread; else all its input has to be there */
  constructor(options: WasiOptions, pipeBytes: number | undefined, shared: boolean) {
    const { stdin = "inherit", stdout = "inherit", stderr = "inherit" } = options;
    if (!shared) {
      this.plans = [inputBytes(stdin), this.#posted(stdout, 1), this.#posted(stderr, 2)];
      return;
    }
    if (stdin === "inherit") this.#followed = new Pipe({ blocking: true });
    this.plans = [
      stdin === "inherit"
        ? {
            kind: "host",
            pipe: this.#share(this.#followed as Pipe),
            terminal: platform().stdio.isTerminal?.(0) !== false,
          }
        : stdin === "null"
          ? { kind: "null" }
          : { kind: "pipe", pipe: this.#share(stdin, pipeBytes) },
      this.#output(stdout, 1, pipeBytes),
      this.#output(stderr, 2, pipeBytes),
    ];
  }

  /** Hands what the guest has written to where it belongs. */
  drain(): void {
    for (const { pipe, take } of this.#drains) {
      if (pipe.size === 0) continue;
      try {
        take(pipe.read());
      } catch {
        // As inline, where the guest gets EIO for it: so does its next write here.
        pipe.end();
      }
    }
  }

  /** The guest waits for the host's own input. */
  follow(): void {
    const pipe = this.#followed;
    if (pipe === undefined || pipe.ended || this.#unfollow !== undefined) return;
    this.#unfollow = platform().stdio.follow(
      (bytes) => pipe.write(bytes),
      () => pipe.end(),
    );
  }

  /** No guest waits for the host's own input: it is left to others. */
  unfollow(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
  }

  /** The thread is gone. */
  recover(threadId: number): void {
    for (const pipe of this.#pipes) pipe.recover(threadId);
    this.drain();
    this.unfollow();
  }

  /** Output that came by message. */
  take(stream: 1 | 2, bytes: Uint8Array<ArrayBuffer>): void {
    try {
      this.#takers[stream]?.(bytes);
    } catch {
      // As inline, where the guest alone learns of it; here it is too far away.
    }
  }

  #posted(target: OutputOption, fd: 1 | 2): StreamPlan {
    if (target === "null") return { kind: "null" };
    this.#takers[fd] = taker(target, fd);
    return { kind: "message" };
  }

  #output(target: OutputOption, fd: 1 | 2, pipeBytes: number | undefined): StreamPlan {
    if (target === "null") return { kind: "null" };
    if (target instanceof Pipe) return { kind: "pipe", pipe: this.#share(target, pipeBytes) };
    const { stdio } = platform();
    if (target === "inherit" && stdio.onAnyThread === true) return { kind: "direct" };
    const pipe = new Pipe();
    pipe.limitTo(AHEAD);
    this.#drains.push({ pipe, take: taker(target, fd) });
    return { kind: "host", pipe: this.#share(pipe), terminal: target === "inherit" };
  }

  #share(pipe: Pipe, limit?: number): ReturnType<Pipe["share"]> {
    if (limit !== undefined) pipe.limitTo(limit);
    this.#pipes.push(pipe);
    return pipe.share();
  }
}
