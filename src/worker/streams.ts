import { Pipe } from "../pipe.js";
import { platform } from "../platform.js";
import type { OutputOption, WasiOptions } from "../wasi/options.js";
import type { StreamPlan } from "./protocol.js";

/** What a guest may be ahead of its host by before it waits, in bytes. */
const AHEAD = 1 << 20;

interface Drain {
  readonly pipe: Pipe;
  readonly take: (bytes: Uint8Array<ArrayBuffer>) => void;
}

/** The host's side of a background guest's stdin, stdout and stderr. */
export class HostStreams {
  readonly #drains: Drain[] = [];
  /** Every pipe that the thread works on. */
  readonly #pipes: Pipe[] = [];
  readonly #followed: Pipe | undefined;
  #unfollow: (() => void) | undefined;
  readonly plans: readonly [StreamPlan, StreamPlan, StreamPlan];

  constructor(options: WasiOptions, pipeBytes: number | undefined) {
    const { stdin = "inherit", stdout = "inherit", stderr = "inherit" } = options;
    if (stdin === "inherit") this.#followed = new Pipe({ blocking: true });
    this.plans = [
      stdin === "inherit"
        ? { kind: "follow", pipe: this.#share(this.#followed as Pipe) }
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

  #output(target: OutputOption, fd: 1 | 2, pipeBytes: number | undefined): StreamPlan {
    if (target === "null") return { kind: "null" };
    if (target instanceof Pipe) return { kind: "pipe", pipe: this.#share(target, pipeBytes) };
    const { stdio } = platform();
    if (target === "inherit" && stdio.onAnyThread === true) return { kind: "direct" };
    const pipe = new Pipe();
    pipe.limitTo(AHEAD);
    const take =
      typeof target === "function"
        ? target
        : (bytes: Uint8Array) => void stdio.write(fd, bytes, 0, bytes.length);
    this.#drains.push({ pipe, take });
    return { kind: "drain", pipe: this.#share(pipe), terminal: target === "inherit" };
  }

  #share(pipe: Pipe, limit?: number): ReturnType<Pipe["share"]> {
    if (limit !== undefined) pipe.limitTo(limit);
    this.#pipes.push(pipe);
    return pipe.share();
  }
}
