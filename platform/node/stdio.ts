import { readSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import { SPACE_SEQUENCE } from "../../src/pipe-layout.js";
import type { ByteQueue } from "../../src/pipe-queue.js";
import type { HostStdio } from "../../src/platform.js";

const ERRNO_IO = 29;
const ERRNO_PIPE = 64;
/**
 * How long to let a terminal or pipe that is non-blocking come round, in milliseconds: a reader that keeps up has a pipe of 64 KiB empty
 * in the time of the first, and one that doesn't come is not to cost a core.
 */
const FIRST_PAUSE = 0.05;
const LONGEST_PAUSE = 5;

const pauseWord = new Int32Array(new SharedArrayBuffer(4));

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

/** Answers how long the next pause is. */
function pause(milliseconds: number): number {
  Atomics.wait(pauseWord, 0, 0, milliseconds);
  return Math.min(milliseconds * 2, LONGEST_PAUSE);
}

/**
 * This process's input for the guests on other threads. What has arrived lies with one of them at a time; once that has read some of it,
 * the rest goes to the next that waits, as it does between processes that read one stream.
 */
class SharedInput {
  /** Guests that have nothing to read, in the order in which they asked. */
  readonly #waiting = new Set<ByteQueue>();
  /** Who has what arrived last, and how much that was. */
  #reader: ByteQueue | undefined;
  #given = 0;
  /** What no guest has. */
  #left: Uint8Array = new Uint8Array();
  #ended = false;
  #isListening = false;
  #isWatching = false;

  follow(queue: ByteQueue): () => void {
    // It may have been given something after it asked.
    if (queue.size === 0) {
      this.#waiting.add(queue);
      this.#listen(this.#serve());
    }
    return () => {
      this.#waiting.delete(queue);
      if (this.#reader === queue) this.#takeBack();
      this.#listen(this.#serve());
    };
  }

  /** Hands out what there is; answers whether somebody waits for more. */
  #serve(): boolean {
    const { stdin } = process;
    for (const next of this.#waiting) {
      const reader = this.#reader;
      if (reader !== undefined && reader.size > 0 && reader.size === this.#given) {
        this.#watch(reader);
        return false;
      }
      this.#takeBack();
      if (this.#left.length > 0) {
        this.#waiting.delete(next);
        this.#reader = next;
        this.#given = Math.max(next.writeFrom(this.#left, 0, this.#left.length), 0);
        this.#left = this.#left.subarray(this.#given);
      } else if (this.#ended || stdin.readableEnded || stdin.destroyed) {
        this.#waiting.delete(next);
        next.end();
      } else {
        return true;
      }
    }
    return false;
  }

  #takeBack(): void {
    const unread = this.#reader?.read();
    this.#reader = undefined;
    if (unread !== undefined && unread.length > 0) this.#left = Buffer.concat([unread, this.#left]);
  }

  /** Others wait while that guest has not begun to read what it was given. */
  #watch(reader: ByteQueue): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const ready = (): boolean => reader !== this.#reader || reader.size < this.#given;
    void reader.until(SPACE_SEQUENCE, ready).then(() => {
      this.#isWatching = false;
      this.#listen(this.#serve());
    });
  }

  #listen(listens: boolean): void {
    if (listens === this.#isListening) return;
    this.#isListening = listens;
    const { stdin } = process;
    if (listens) {
      stdin.on("data", this.#onChunk);
      stdin.on("end", this.#onEnd);
      stdin.on("error", this.#onEnd);
      // A listener alone doesn't set going again what was paused.
      stdin.resume();
      return;
    }
    stdin.off("data", this.#onChunk);
    stdin.off("end", this.#onEnd);
    stdin.off("error", this.#onEnd);
    // A listener of the program's own goes on.
    if (stdin.listenerCount("data") === 0 && stdin.listenerCount("readable") === 0) stdin.pause();
  }

  readonly #onChunk = (chunk: Uint8Array | string): void => {
    // The program may have set an encoding.
    const bytes =
      typeof chunk === "string" ? Buffer.from(chunk, process.stdin.readableEncoding ?? "utf8") : chunk;
    this.#left = this.#left.length === 0 ? bytes : Buffer.concat([this.#left, bytes]);
    // A stream that is paused while it hands out a chunk reads on after that, which keeps the event loop alive.
    if (!this.#serve()) setImmediate(() => this.#listen(this.#serve()));
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#listen(this.#serve());
  };
}

const input = new SharedInput();

/** The terminal, or whatever this process's standard streams are connected to. */
export const stdio: HostStdio = {
  onAnyThread: true,
  isTerminal: isatty,

  write(fd, bytes, start, length) {
    let written = 0;
    let wait = FIRST_PAUSE;
    while (written < length) {
      try {
        written += writeSync(fd, bytes, start + written, length - written);
        wait = FIRST_PAUSE;
      } catch (error) {
        const code = codeOf(error);
        if (code === "EAGAIN") {
          wait = pause(wait);
        } else {
          return code === "EPIPE" ? -ERRNO_PIPE : -ERRNO_IO;
        }
      }
    }
    return written;
  },

  read(target, start, length) {
    let wait = FIRST_PAUSE;
    for (;;) {
      try {
        return readSync(0, target, start, length, null);
      } catch (error) {
        const code = codeOf(error);
        if (code === "EOF") {
          return 0;
        }
        if (code !== "EAGAIN") {
          return -ERRNO_IO;
        }
        wait = pause(wait);
      }
    }
  },

  follow: (queue) => input.follow(queue),
};
