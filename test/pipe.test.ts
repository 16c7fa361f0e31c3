import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Pipe, WasmexError } from "wasmex";
import { HEADER, TAIL } from "../src/pipe-layout.js";

const shares = typeof SharedArrayBuffer !== "undefined" && globalThis.crossOriginIsolated !== false;
const text = new TextEncoder();

/** The same queue, seen from a second place: what one writes the other reads. */
function twoEnds(shared: boolean): [Pipe, Pipe] {
  const pipe = new Pipe();
  return shared ? [pipe, Pipe.attach(pipe.share())] : [pipe, pipe];
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of source) all.push(each);
  return all;
}

describe("Pipe", () => {
  it("Pipe.write answers the bytes written, Pipe.read takes everything", () => {
    const pipe = Pipe.create();
    expect(pipe.write("héllo")).toBe(6);
    expect(pipe.write(new Uint8Array([33]))).toBe(1);
    expect(pipe.write(new Uint16Array([0x4241]).buffer)).toBe(2);
    expect(pipe.write(new DataView(text.encode("xyz").buffer, 1, 1))).toBe(1);
    expect(pipe.size).toBe(10);
    expect(pipe.readString()).toBe("héllo!ABy");
    expect(pipe.size).toBe(0);
    expect(pipe.read()).toEqual(new Uint8Array(0));
    expect(pipe.readString()).toBe("");
  });

  it("Pipe.write refuses what is no bytes", () => {
    expect(() => new Pipe().write(5 as unknown as string)).toThrow(TypeError);
    const detached = new Uint8Array(3);
    structuredClone(detached, { transfer: [detached.buffer] });
    expect(new Pipe().write(detached)).toBe(0);
  });

  it("Pipe.readString replaces what is no UTF-8 and keeps a byte order mark", () => {
    const pipe = new Pipe();
    pipe.write(new Uint8Array([0xff, 0x41, 0xe2, 0x82]));
    expect(pipe.readString()).toBe("\ufffdA\ufffd");
    pipe.write("\ufeffx");
    expect(pipe.readString()).toBe("\ufeffx");
  });

  it("Pipe.setLength cuts and zero-fills", () => {
    const pipe = new Pipe();
    pipe.write("abcdef");
    pipe.setLength(2);
    expect(pipe.size).toBe(2);
    pipe.setLength(4);
    expect(pipe.read()).toEqual(new Uint8Array([97, 98, 0, 0]));
    pipe.setLength(3000);
    expect(pipe.read()).toEqual(new Uint8Array(3000));
    pipe.write("abc");
    pipe.setLength(0);
    expect(pipe.size).toBe(0);
    for (const length of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "1" as unknown as number]) {
      expect(() => pipe.setLength(length)).toThrow(RangeError);
    }
  });

  it("Pipe.end refuses later writes and leaves what is there to be read", () => {
    const pipe = new Pipe();
    pipe.write("rest");
    pipe.end();
    expect(() => pipe.write("more")).toThrow(WasmexError);
    expect(pipe.readString()).toBe("rest");
    pipe.end();
  });

  it("Pipe grows with what is written", () => {
    const pipe = new Pipe();
    const chunk = new Uint8Array(1 << 16).map((_, index) => index * 7);
    for (let count = 0; count < 64; count++) pipe.write(chunk);
    expect(pipe.size).toBe(64 << 16);
    const all = pipe.read();
    expect(all.length).toBe(64 << 16);
    expect(all.every((byte, index) => byte === chunk[index & 0xffff])).toBe(true);
  });

  it("Pipe[Symbol.asyncIterator] follows live until the end", async () => {
    const pipe = new Pipe();
    const collected = collect(pipe);
    pipe.write("a");
    await Promise.resolve();
    pipe.write("b");
    await new Promise<void>((resolve) => setTimeout(resolve));
    pipe.write("c");
    pipe.end();
    const chunks = await collected;
    expect(chunks.map((chunk) => new TextDecoder().decode(chunk)).join("")).toBe("abc");
    expect(chunks.length).toBeGreaterThan(1);
    expect(await collect(pipe)).toEqual([]);
  });

  it("Pipe.lines splits at line ends, whatever the chunks are", async () => {
    const pipe = new Pipe();
    const collected = collect(pipe.lines());
    for (const byte of text.encode("one\r\ntwö\n\nlast")) {
      pipe.write(new Uint8Array([byte]));
      await new Promise<void>((resolve) => setTimeout(resolve));
    }
    pipe.end();
    expect(await collected).toEqual(["one", "twö", "", "last"]);
    const ended = new Pipe();
    ended.write("x\n");
    ended.end();
    expect(await collect(ended.lines())).toEqual(["x"]);
  });

  it("Pipe.readable is a stream that takes nothing before it is read from", async () => {
    const pipe = new Pipe();
    pipe.write("abc");
    const { readable } = pipe;
    expect(pipe.readable).toBe(readable);
    await new Promise<void>((resolve) => setTimeout(resolve));
    expect(pipe.size).toBe(3);
    const reader = readable.getReader();
    expect(await reader.read()).toEqual({ done: false, value: text.encode("abc") });
    const next = reader.read();
    pipe.write("d");
    expect(await next).toEqual({ done: false, value: text.encode("d") });
    pipe.end();
    expect((await reader.read()).done).toBe(true);
  });

  it("Pipe.writable takes bytes and strings, and ends the pipe when it is closed", async () => {
    const pipe = new Pipe();
    const writer = pipe.writable.getWriter();
    await writer.write("ab");
    await writer.write(text.encode("c"));
    await writer.close();
    expect(pipe.readString()).toBe("abc");
    expect(() => pipe.write("d")).toThrow(WasmexError);
  });

  it("Pipe.writable ends the pipe when what is piped into it breaks off", async () => {
    const pipe = new Pipe({ blocking: true });
    const source = new ReadableStream<string>({
      start: (controller) => controller.enqueue("begun"),
      pull: (controller) => controller.error(new Error("broke off")),
    });
    await expect(source.pipeTo(pipe.writable)).rejects.toThrow("broke off");
    expect(pipe.ended).toBe(true);
  });

  for (const shared of shares ? [false, true] : [false]) {
    const where = shared ? "shared" : "local";
    const make = (): Pipe => {
      const pipe = new Pipe();
      if (shared) pipe.share();
      return pipe;
    };
    const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

    it(`Pipe.write takes no more than its limit, which limitTo can only lower (${where})`, () => {
      const pipe = new Pipe({ limit: 5 });
      if (shared) pipe.share();
      expect([pipe.write("hello, world"), pipe.write("!"), pipe.readString()]).toEqual([5, 0, "hello"]);
      pipe.limitTo(100);
      expect(pipe.write("hello, world")).toBe(5);
      pipe.limitTo(3);
      expect([pipe.readString(), pipe.write("hello")]).toEqual(["hello", 3]);
      expect(() => new Pipe({ limit: 0 })).toThrow(/limit is a number of bytes from 1 on, not 0/);
    });

    it(`Pipe.writable waits for room under a limit (${where})`, async () => {
      const pipe = make();
      pipe.limitTo(5);
      const sent = new Blob(["hello, world"]).stream().pipeTo(pipe.writable);
      const chunks = await collect(pipe);
      await sent;
      expect(chunks.map((chunk) => new TextDecoder().decode(chunk)).join("")).toBe("hello, world");
      expect(Math.max(...chunks.map((chunk) => chunk.length))).toBe(5);
    });

    it(`Pipe.writable waits no longer where the limit is raised, the pipe ends or it is aborted (${where})`, async () => {
      const pipe = make();
      pipe.limitTo(2);
      const writer = pipe.writable.getWriter();
      const first = writer.write("four");
      await turn();
      expect(pipe.size).toBe(2);
      pipe.limitTo(4);
      await first;
      const second = writer.write("more");
      await turn();
      pipe.end();
      await expect(second).rejects.toThrow(/the pipe has ended/);
      await expect(writer.closed).rejects.toThrow(WasmexError);
      expect(pipe.readString()).toBe("four");

      const other = make();
      other.limitTo(2);
      const aborted = other.writable.getWriter();
      const write = aborted.write("four").catch(() => "failed");
      await turn();
      await aborted.abort();
      expect([await write, other.ended, other.readString()]).toEqual(["failed", true, "fo"]);
    });

    it(`Pipe.readable leaves what comes after it was cancelled, and is a new stream then (${where})`, async () => {
      const pipe = make();
      const { readable } = pipe;
      const reader = readable.getReader();
      const read = reader.read();
      await turn();
      await reader.cancel();
      expect((await read).done).toBe(true);
      pipe.write("a");
      await turn();
      expect(pipe.size).toBe(1);
      expect(pipe.readable).not.toBe(readable);
      expect((await pipe.readable.getReader().read()).value).toEqual(text.encode("a"));
    });

    it(`Pipe.readable leaves what comes after a pipeTo that was aborted (${where})`, async () => {
      const pipe = make();
      const abort = async (source: ReadableStream): Promise<unknown> => {
        const controller = new AbortController();
        const { signal } = controller;
        const piped = source.pipeTo(new WritableStream(), { signal }).catch((error: unknown) => error);
        await turn();
        controller.abort();
        // WebKit's waits for its read to end before it cancels the source, whatever that is.
        return Promise.race([piped.then((error) => error === signal.reason), turn()]);
      };
      const never = new ReadableStream({ pull: () => new Promise(() => undefined) });
      if ((await abort(never)) === undefined) return;
      expect(await abort(pipe.readable)).toBe(true);
      pipe.write("b");
      await turn();
      expect(pipe.readString()).toBe("b");
    });

    it(`Pipe[Symbol.asyncIterator] and lines: return() ends a next() that waits, and takes nothing (${where})`, async () => {
      for (const begin of [(pipe: Pipe) => pipe[Symbol.asyncIterator](), (pipe: Pipe) => pipe.lines()]) {
        const pipe = make();
        const iterator = begin(pipe);
        const next = iterator.next();
        await turn();
        const left = iterator.return();
        pipe.write("a");
        expect(await left).toEqual({ done: true, value: undefined });
        expect(await next).toEqual({ done: true, value: undefined });
        expect(await iterator.next()).toEqual({ done: true, value: undefined });
        expect(pipe.readString()).toBe("a");
      }
    });
  }

  it("Pipe.readInto is the end of file on an empty pipe, and no end yet on a blocking one", () => {
    const target = new Uint8Array(4);
    const plain = new Pipe();
    expect(plain.readInto(target, 0, 4)).toBe(0);
    const blocking = new Pipe({ blocking: true });
    expect(blocking.readInto(target, 0, 4)).toBe(-6);
    expect(blocking.readInto(target, 0, 0)).toBe(0);
    blocking.write("abc");
    expect(blocking.readInto(target, 1, 2)).toBe(2);
    expect(target).toEqual(new Uint8Array([0, 97, 98, 0]));
    blocking.end();
    expect(blocking.readInto(target, 0, 4)).toBe(1);
    expect(blocking.readInto(target, 0, 4)).toBe(0);
  });

  it("Pipe.writeFrom answers EAGAIN at the limit, Pipe.write what it took", () => {
    const pipe = new Pipe();
    pipe.limitTo(5);
    expect(pipe.writeFrom(new Uint8Array(4), 0, 4)).toBe(4);
    expect(pipe.write("abc")).toBe(1);
    expect(pipe.writeFrom(new Uint8Array(4), 0, 4)).toBe(-6);
    expect(pipe.write("a")).toBe(0);
    pipe.read();
    expect(pipe.writeFrom(new Uint8Array(9), 0, 9)).toBe(5);
  });

  it("Pipe.wait does not sleep where nobody else could write", () => {
    const pipe = new Pipe({ blocking: true });
    expect(pipe.wait(Number.POSITIVE_INFINITY)).toBe(false);
    pipe.write("a");
    expect(pipe.wait(0)).toBe(true);
  });

  it.runIf(shares)("Pipe.waitForSpace knows how far the pipe can grow, whatever its limit", () => {
    const pipe = new Pipe();
    pipe.share(1024);
    // Where addresses are few it gets a quarter.
    expect([1024, 256]).toContain(pipe.writeFrom(new Uint8Array(2000), 0, 2000));
    expect(pipe.writeFrom(new Uint8Array(1), 0, 1)).toBe(-6);
    expect(pipe.waitForSpace(0)).toBe(false);
    pipe.readInto(new Uint8Array(1), 0, 1);
    expect(pipe.waitForSpace(0)).toBe(true);
    expect(pipe.writeFrom(new Uint8Array(2), 0, 2)).toBe(1);
  });

  it.runIf(shares)("Pipe.share keeps what is there, and whoever waits for it", async () => {
    const pipe = new Pipe();
    pipe.write("before ");
    const collected = collect(pipe);
    await new Promise<void>((resolve) => setTimeout(resolve));
    const other = Pipe.attach(pipe.share());
    other.writeFrom(text.encode("after"), 0, 5);
    await new Promise<void>((resolve) => setTimeout(resolve));
    other.end();
    const chunks = await collected;
    expect(chunks.map((chunk) => new TextDecoder().decode(chunk)).join("")).toBe("before after");
  });

  it.runIf(shares)("Pipe.recover frees the lock of a thread that is gone", () => {
    const pipe = new Pipe();
    const { pipe: buffer } = pipe.share();
    pipe.write("kept");
    // As a thread with the number 77 leaves it that was ended inside an operation.
    new Int32Array(buffer)[0] = 77;
    pipe.recover(76);
    expect(new Int32Array(buffer)[0]).toBe(77);
    pipe.recover(77);
    expect(pipe.readString()).toBe("kept");
  });

  it.runIf(shares)("Pipe.recover wakes a reader whom a thread that is gone has left asleep", async () => {
    const pipe = new Pipe();
    const { pipe: buffer } = pipe.share();
    const next = pipe.next();
    // As a thread leaves it that was ended between its store and the wake-up.
    new Uint8Array(buffer)[HEADER] = 42;
    new Int32Array(buffer)[TAIL] = 1;
    pipe.recover(77);
    expect(await next).toEqual(Uint8Array.of(42));
  });

  it("Pipe is a queue of bytes, local and shared", () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("write" as const), bytes: fc.uint8Array({ maxLength: 700 }) }),
      fc.record({
        do: fc.constant("writeFrom" as const),
        bytes: fc.uint8Array({ maxLength: 90 }),
        cut: fc.nat(90),
      }),
      fc.record({ do: fc.constant("readInto" as const), length: fc.nat(900), at: fc.nat(5) }),
      fc.record({ do: fc.constant("setLength" as const), length: fc.nat(1500) }),
      fc.record({ do: fc.constant("read" as const) }),
      fc.record({ do: fc.constant("share" as const) }),
    );
    fc.assert(
      fc.property(fc.boolean(), fc.array(step, { maxLength: 60 }), (shared, steps) => {
        const [near, far] = twoEnds(shared && shares);
        let model: number[] = [];
        for (const [index, each] of steps.entries()) {
          const [a, b] = index % 2 === 0 ? [near, far] : [far, near];
          if (each.do === "write") {
            expect(a.write(each.bytes)).toBe(each.bytes.length);
            model.push(...each.bytes);
          } else if (each.do === "writeFrom") {
            const start = Math.min(each.cut, each.bytes.length);
            const length = each.bytes.length - start;
            expect(a.writeFrom(each.bytes, start, length)).toBe(length);
            model.push(...each.bytes.subarray(start));
          } else if (each.do === "readInto") {
            const target = new Uint8Array(each.length + each.at + 1).fill(255);
            const count = Math.min(each.length, model.length);
            expect(a.readInto(target, each.at, each.length)).toBe(count);
            expect([...target.subarray(each.at, each.at + count)]).toEqual(model.slice(0, count));
            expect(target[each.at + count]).toBe(255);
            model = model.slice(count);
          } else if (each.do === "setLength") {
            a.setLength(each.length);
            model = model.slice(0, each.length);
            while (model.length < each.length) model.push(0);
          } else if (each.do === "read") {
            expect([...a.read()]).toEqual(model);
            model = [];
          } else if (shares && !shared) near.share();
          expect(b.size).toBe(model.length);
        }
        expect([...near.read()]).toEqual(model);
      }),
    );
  });
});
