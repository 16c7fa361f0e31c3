import { readSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
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

  follow(onChunk, onEnd) {
    const { stdin } = process;
    if (stdin.readableEnded || stdin.destroyed) {
      onEnd();
      return () => undefined;
    }
    stdin.on("data", onChunk);
    stdin.on("end", onEnd);
    stdin.on("error", onEnd);
    // A listener alone doesn't set going again what was paused.
    stdin.resume();
    return () => {
      stdin.off("data", onChunk);
      stdin.off("end", onEnd);
      stdin.off("error", onEnd);
      // A listener of the program's own goes on.
      if (stdin.listenerCount("data") === 0 && stdin.listenerCount("readable") === 0) stdin.pause();
    };
  },
};
