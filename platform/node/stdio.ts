import { readSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import type { HostStdio } from "../../src/platform.js";

const ERRNO_IO = 29;
const ERRNO_PIPE = 64;
/** How long to let a terminal or pipe that another program made non-blocking come round, in milliseconds. */
const RETRY_AFTER = 5;

const pauseWord = new Int32Array(new SharedArrayBuffer(4));

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

function pause(): void {
  Atomics.wait(pauseWord, 0, 0, RETRY_AFTER);
}

/** The terminal, or whatever this process's standard streams are connected to. */
export const stdio: HostStdio = {
  onAnyThread: true,
  isTerminal: isatty,

  write(fd, bytes, start, length) {
    let written = 0;
    while (written < length) {
      try {
        written += writeSync(fd, bytes, start + written, length - written);
      } catch (error) {
        const code = codeOf(error);
        if (code === "EAGAIN") {
          pause();
        } else {
          return code === "EPIPE" ? -ERRNO_PIPE : -ERRNO_IO;
        }
      }
    }
    return written;
  },

  read(target, start, length) {
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
        pause();
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
