import type { HostStdio } from "../../src/platform.js";

type Write = (bytes: Uint8Array, start: number, length: number) => number;

/** One console stream: the console writes whole lines, so the rest of one waits until the guest is done with its turn. */
function consoleStream(print: (line: string) => void): Write {
  const decoder = new TextDecoder();
  let rest = "";
  let flushing = false;
  return (bytes, start, length) => {
    // A decoder refuses shared memory in some engines; `slice` copies into memory that is not shared.
    rest += decoder.decode(bytes.slice(start, start + length) as Uint8Array<ArrayBuffer>, { stream: true });
    const lastBreak = rest.lastIndexOf("\n");
    const lines = rest.slice(0, lastBreak);
    rest = rest.slice(lastBreak + 1);
    if (lastBreak >= 0) print(lines);
    if (rest !== "" && !flushing) {
      flushing = true;
      queueMicrotask(() => {
        flushing = false;
        const line = rest;
        rest = "";
        if (line !== "") print(line);
      });
    }
    return length;
  };
}

const streams = {
  1: /* @__PURE__ */ consoleStream((line) => console.log(line)),
  2: /* @__PURE__ */ consoleStream((line) => console.error(line)),
};

/** The console. Nothing can be read from it: input is at its end. */
export const stdio: HostStdio = {
  write: (fd, ...given) => streams[fd](...given),
  read: () => 0,
  follow(queue) {
    queueMicrotask(() => queue.end());
    return () => undefined;
  },
};
