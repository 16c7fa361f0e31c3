import type { HostStdio } from "../../src/platform.js";

/** One console stream: the console writes whole lines, so the rest of one waits until the guest is done with its turn. */
class ConsoleStream {
  readonly #print: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #flushing = false;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  write(bytes: Uint8Array, start: number, length: number): number {
    // A decoder refuses shared memory in some engines; `slice` copies into memory that is not shared.
    const text =
      this.#rest +
      this.#decoder.decode(bytes.slice(start, start + length) as Uint8Array<ArrayBuffer>, { stream: true });
    const lastBreak = text.lastIndexOf("\n");
    this.#rest = text.slice(lastBreak + 1);
    if (lastBreak >= 0) {
      this.#print(text.slice(0, lastBreak));
    }
    if (this.#rest !== "" && !this.#flushing) {
      this.#flushing = true;
      queueMicrotask(() => this.#flush());
    }
    return length;
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#rest !== "") {
      const line = this.#rest;
      this.#rest = "";
      this.#print(line);
    }
  }
}

const streams = {
  1: /* @__PURE__ */ new ConsoleStream((line) => console.log(line)),
  2: /* @__PURE__ */ new ConsoleStream((line) => console.error(line)),
};

/** The console. Nothing can be read from it: input is at its end. */
export const stdio: HostStdio = {
  write: (fd, bytes, start, length) => streams[fd].write(bytes, start, length),
  read: () => 0,
  follow(_onChunk, onEnd) {
    queueMicrotask(onEnd);
    return () => undefined;
  },
};
