import { describe, expect, test } from "vitest";
import { CompileError, Module, type Progress } from "wasmex";
import { binary, custom, section, vec } from "./binary/build.js";

const MODULE = binary(
  section(5, vec([0, 1])),
  section(7, vec(["memory", 2, 0])),
  custom("pad", ...new Array(500).fill(7)),
);
const WASM = { "content-type": "application/wasm" };

/** A stream that gives these chunks, one each time it is asked. */
function streamOf(
  chunks: readonly unknown[],
  onCancel: (reason: unknown) => void = () => {},
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let next = 0;
  return new ReadableStream({
    pull(controller) {
      if (next === chunks.length) return controller.close();
      const chunk = chunks[next++];
      if (chunk instanceof Error) controller.error(chunk);
      else controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
    },
    cancel: onCancel,
  });
}

function cut(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer>[] {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size));
  return chunks;
}

const failureOf = (source: unknown, options = {}) =>
  Module.compile(source as Uint8Array, options).then(
    () => "compiled",
    (error: unknown) => error as Error,
  );

describe("Module.compile", () => {
  const text = new TextEncoder().encode(`(module (memory (export "memory") 1))`);
  const blobUrl = () => new URL(URL.createObjectURL(new Blob([MODULE], { type: "application/wasm" })));
  const sources: [string, () => unknown][] = [
    ["a Uint8Array", () => MODULE],
    ["an ArrayBuffer", () => MODULE.slice().buffer],
    ["a part of a larger buffer", () => new Uint8Array([9, 9, ...MODULE, 9]).subarray(2, 2 + MODULE.length)],
    ["a DataView", () => new DataView(MODULE.buffer)],
    ["a Uint16Array", () => new Uint16Array(MODULE.slice(0, 8).buffer)],
    ["WebAssembly text", () => `(module (memory (export "memory") 1))`],
    ["bytes of WebAssembly text", () => text],
    ["bytes of WebAssembly text with a byte order mark", () => new Uint8Array([0xef, 0xbb, 0xbf, ...text])],
    ["a Blob", () => new Blob([MODULE])],
    ["a Blob of text", () => new Blob([text])],
    ["a stream", () => streamOf(cut(MODULE, 100))],
    ["a stream of single bytes", () => streamOf(cut(MODULE, 1))],
    ["a stream with empty chunks", () => streamOf([new Uint8Array(0), ...cut(MODULE, 3), new Uint8Array(0)])],
    ["a stream of text", () => streamOf(cut(text, 2))],
    ["a Response", () => new Response(MODULE, { headers: WASM })],
    ["a Response without a type", () => new Response(MODULE)],
    ["a Response of text", () => new Response(`(module (memory (export "memory") 1))`)],
    ["a Response from a stream", () => new Response(streamOf(cut(MODULE, 7)), { headers: WASM })],
    ["a promise of a Response", async () => new Response(MODULE, { headers: WASM })],
    ["a promise of bytes", async () => MODULE],
    ["a URL", blobUrl],
    ["a Request", () => new Request(blobUrl())],
    ["a WebAssembly.Module", () => new WebAssembly.Module(MODULE)],
  ];
  if (typeof SharedArrayBuffer !== "undefined") {
    const shared = new Uint8Array(new SharedArrayBuffer(MODULE.length));
    shared.set(MODULE);
    sources.push(["a SharedArrayBuffer", () => shared.buffer], ["a view of shared memory", () => shared]);
  }

  for (const [title, make] of sources) {
    test(`Module.compile takes ${title}`, async () => {
      const module = await Module.compile(make() as Uint8Array);
      const names = WebAssembly.Module.exports(module.compiled).map(({ name }) => name);
      expect(names).toEqual(title === "a Uint16Array" ? [] : ["memory"]);
    });
  }

  test("Module.compile of a stream keeps the bytes as they came", async () => {
    const module = await Module.compile(streamOf(cut(MODULE, 33)));
    expect(module.byteLength).toBe(MODULE.length);
    expect(module.serialize()).toEqual(Module.compileSync(MODULE).serialize());
    expect(module.exports["memory"]).toEqual({ kind: "memory", minimum: 1, shared: false });
    expect(new Uint8Array(module.customSections("pad")[0] ?? new ArrayBuffer(0))).toHaveLength(500);
  });

  test("Module.compile of a stream is not touched by chunks that are used again", async () => {
    const chunk = new Uint8Array(64);
    let at = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (at >= MODULE.length) return controller.close();
          const part = MODULE.subarray(at, at + 64);
          chunk.set(part);
          at += part.length;
          controller.enqueue(chunk.subarray(0, part.length));
        },
      },
      { highWaterMark: 0 },
    );
    expect((await Module.compile(stream)).serialize()).toEqual(Module.compileSync(MODULE).serialize());
  });

  const damaged: [string, unknown, string | RegExp][] = [
    ["empty text", "", "the text is empty"],
    ["blank text", " \n\t", "the text is empty"],
    ["no bytes", new Uint8Array(0), "the module is empty"],
    ["an empty buffer", new ArrayBuffer(0), "the module is empty"],
    ["an empty Blob", new Blob([]), "the blob is empty"],
    ["an empty stream", streamOf([]), "the stream is empty"],
    ["a Response without a body", new Response(null, { headers: WASM }), "the response is empty"],
    ["a cut header", MODULE.slice(0, 6), /^the module could not be compiled: /],
    [
      "a component",
      Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0),
      /^the module could not be compiled: it is a component \(WASI preview 2\), not a core module: build it for/,
    ],
    ["a cut module", MODULE.slice(0, -1), /^the module could not be compiled: /],
    ["a cut stream", streamOf(cut(MODULE.slice(0, -1), 50)), /^the stream could not be compiled: /],
    ["a machine's program", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 0), "it begins with 7f 45 4c 46"],
    ["bytes that are no UTF-8", Uint8Array.of(0xff, 0xfe, 0xfd), "neither a WebAssembly module nor text"],
    ["an HTML page as text", "<!doctype html><p>", "an HTML or XML page"],
    [
      "an HTML page",
      new Response("<!doctype html><p>not found", {
        headers: { "content-type": "text/html; charset=utf-8" },
      }),
      "the response is an HTML page",
    ],
    [
      "an HTML page of another type",
      new Response("\n<html>", { headers: { "content-type": "text/plain" } }),
      "an HTML or XML page",
    ],
    [
      "an HTTP error",
      new Response("gone", { status: 404, statusText: "Not Found" }),
      "could not load the response: the server answered HTTP 404",
    ],
    [
      "a wrong MIME type",
      new Response(MODULE, { headers: { "content-type": "Text/Plain" } }),
      'served with the MIME type "text/plain": have the server send "application/wasm"',
    ],
    [
      "octets",
      new Response(MODULE, { headers: { "content-type": "application/octet-stream" } }),
      'MIME type "application/octet-stream"',
    ],
    [
      "another format",
      new Response("{}", { headers: { "content-type": "application/json" } }),
      'MIME type "application/json"',
    ],
    [
      "a stream that breaks off",
      streamOf([MODULE.slice(0, 20), new Error("line cut")]),
      "could not load the stream, which broke off after 20 bytes: line cut",
    ],
    ["a stream of strings", streamOf(["(module)"]), "a stream must give Uint8Array chunks"],
    ["nothing", undefined, /^undefined is no module: pass bytes/],
    ["null", null, /^null is no module/],
    ["a number", 5, /^5 is no module/],
    ["an object", {}, /^\[object Object\] is no module/],
    ["an array", [0, 0x61], /^\[object Array\] is no module/],
    ["a Blob that can't be read", { [Symbol.toStringTag]: "Blob" }, /^\[object Blob\] is no module/],
  ];
  for (const [title, source, message] of damaged) {
    test(`Module.compile refuses ${title} with one sentence`, async () => {
      const failure = await failureOf(source);
      expect(failure).toBeInstanceOf(CompileError);
      expect((failure as Error).message).toMatch(message);
    });
  }

  test("Module.compile takes the Blob of surroundings without streams", async () => {
    const blob = { [Symbol.toStringTag]: "Blob", arrayBuffer: async () => MODULE.buffer };
    const module = await Module.compile(blob as unknown as Blob);
    expect(module.byteLength).toBe(MODULE.length);
  });

  test("Module.compile names no more than the beginning of a data: URL", async () => {
    const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...Array(3000).fill(255)];
    const address = `data:application/wasm;base64,${btoa(String.fromCharCode(...bytes))}`;
    for (const source of [new URL(address), new Request(address), await fetch(address)]) {
      const { message } = (await failureOf(source)) as Error;
      expect(message).toMatch(/^data:application\/wasm;base64,AGFzbQEAAAD\/+… could not be compiled: /);
      expect(message.length).toBeLessThan(300);
    }
  });

  test("Module.compile refuses a response that was read already", async () => {
    const response = new Response(MODULE, { headers: WASM });
    await response.arrayBuffer();
    expect(await failureOf(response)).toMatchObject({
      name: "CompileError",
      message: expect.stringContaining("already read"),
    });
    const locked = streamOf([MODULE]);
    locked.getReader();
    expect(await failureOf(locked)).toMatchObject({
      message: expect.stringContaining("another reader has it"),
    });
  });

  test("Module.compile passes the reason of a rejected promise on as the cause", async () => {
    const cause = new TypeError("no network");
    const failure = await failureOf(Promise.reject(cause));
    expect(failure).toMatchObject({
      name: "CompileError",
      message: "could not load the module: no network",
      cause,
    });
  });

  test("Module.compile tells onProgress of each part, and of the whole where it is known", async () => {
    const told: Progress[] = [];
    const onProgress = (progress: Progress) => void told.push(progress);
    const total = MODULE.length;
    await Module.compile(MODULE, { onProgress });
    expect(told.splice(0)).toEqual([{ loaded: total, total }]);
    const length = { ...WASM, "content-length": String(total) };
    const body = () => streamOf(cut(MODULE, 300));
    await Module.compile(new Response(body(), { headers: length }), { onProgress });
    expect(told.splice(0)).toEqual([
      { loaded: 300, total },
      { loaded: total, total },
    ]);
    await Module.compile(new Response(body(), { headers: { ...length, "content-encoding": "gzip" } }), {
      onProgress,
    });
    expect(told.splice(0)).toEqual([
      { loaded: 300, total: undefined },
      { loaded: total, total: undefined },
    ]);
    await Module.compile(new Response(body(), { headers: { ...WASM, "content-length": "310" } }), {
      onProgress,
    });
    expect(told.splice(0)).toEqual([
      { loaded: 300, total: 310 },
      { loaded: total, total: undefined },
    ]);
    await Module.compile(streamOf(cut(MODULE, 400)), { onProgress });
    expect(told.map(({ total }) => total)).toEqual([undefined, undefined]);
  });

  test("Module.compile passes on what onProgress throws", async () => {
    const cancelled: unknown[] = [];
    const thrown = new Error("mine");
    const onProgress = () => {
      throw thrown;
    };
    expect(
      await failureOf(
        streamOf(cut(MODULE, 9), (reason) => cancelled.push(reason)),
        { onProgress },
      ),
    ).toBe(thrown);
    expect(cancelled).toHaveLength(1);
  });

  test("Module.compile rejects with the signal's reason and cancels the stream", async () => {
    const reason = new Error("changed my mind");
    expect(await failureOf(MODULE, { signal: AbortSignal.abort(reason) })).toBe(reason);
    const controller = new AbortController();
    let wasCancelled: (reason: unknown) => void = () => {};
    const cancelled = new Promise((resolve) => {
      wasCancelled = resolve;
    });
    let compiling: Promise<unknown> | undefined;
    const endless = new ReadableStream<Uint8Array>({
      start: (stream) => stream.enqueue(MODULE),
      cancel: (given) => wasCancelled(given),
    });
    const progress = new Promise<void>((resolve) => {
      const onProgress = () => resolve();
      compiling = failureOf(endless, { signal: controller.signal, onProgress });
    });
    await progress;
    controller.abort(reason);
    expect(await compiling).toBe(reason);
    await cancelled;
    const started = new AbortController();
    const onProgress = () => started.abort(reason);
    expect(await failureOf(streamOf(cut(MODULE, 9)), { signal: started.signal, onProgress })).toBe(reason);
    expect((await failureOf(new Promise(() => {}), { signal: AbortSignal.abort() })) as Error).toMatchObject({
      name: "AbortError",
    });
  });

  test("Module.compile takes bytes as they are when it is called, and those of a detached buffer for none", async () => {
    await Module.compile(MODULE);
    const bytes = MODULE.slice();
    const compiling = Module.compile(bytes);
    bytes.fill(0);
    expect((await compiling).byteLength).toBe(MODULE.length);
    structuredClone(bytes, { transfer: [bytes.buffer] });
    await expect(Module.compile(bytes)).rejects.toThrow(CompileError);
    expect(() => Module.compileSync(bytes)).toThrow("the module is empty");
  });
});
