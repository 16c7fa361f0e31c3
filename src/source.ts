import { ImageBuilder } from "./binary/image.js";
import { findCode, type Rewriting, rewriteHead } from "./binary/rewrite.js";
import { CODE, HEADER_SIZE, isBinary } from "./binary/sections.js";
import { CompileError } from "./errors.js";
import { platform } from "./platform.js";
import { classOf, type Image, imageOf, viewOf } from "./source-bytes.js";
import { describeValue } from "./values.js";

/** What a module can be compiled from; a string is always WebAssembly text. */
export type ModuleSource =
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | string
  | URL
  | Request
  | Response
  | ReadableStream<Uint8Array>
  | Blob
  | WebAssembly.Module;

/** How far the loading of a module has come. */
export interface Progress {
  /** Bytes that have arrived, decompressed. */
  readonly loaded: number;
  /** Bytes there will be; `undefined` where that can't be known, as for a compressed response. */
  readonly total: number | undefined;
}

export interface LoadOptions {
  /** Ends the loading; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each part that arrives. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Bytes that have been read, under the name that errors call them by. */
export interface Loaded {
  readonly what: string;
  readonly image: Image;
  /** The engine's compile of the binary, begun while it arrived; absent where the bytes came at once or are text. */
  readonly streamed:
    | { readonly compiled: Promise<WebAssembly.Module>; readonly shift: number | undefined }
    | undefined;
}

/** Bytes that need no loading. */
export function loaded(image: Image, what: string, options: LoadOptions): Loaded {
  const { length } = image.bytes;
  options.onProgress?.({ loaded: length, total: length });
  return { what, image, streamed: undefined };
}

/** Reads any source but bytes in hand, text and a `WebAssembly.Module`. */
export async function load(source: unknown, options: LoadOptions, rewriting: Rewriting): Promise<Loaded> {
  switch (classOf(source)) {
    case "URL": {
      const url = source as URL;
      const read = platform().readUrl?.(url);
      if (read === undefined) return fetched(url, nameOf(url.href), options, rewriting);
      const bytes = await read.catch((cause: unknown) => fail(`could not read ${url.href}`, cause));
      return loaded(imageOf(bytes), url.href, options);
    }
    case "Request":
      return fetched(source as Request, nameOf((source as Request).url), options, rewriting);
    case "Response":
      return loadResponse(source as Response, "", options, rewriting);
    case "ReadableStream":
      return readStream(source as ReadableStream<Uint8Array>, "the stream", undefined, options, rewriting);
    case "Blob":
    case "File": {
      const blob = source as Blob | Pick<Blob, "arrayBuffer"> | object;
      if ("stream" in blob) return readStream(blob.stream(), "the blob", blob.size, options, rewriting);
      // jsdom has no streams.
      if ("arrayBuffer" in blob) return loaded(imageOf(await blob.arrayBuffer()), "the blob", options);
    }
  }
  throw new CompileError(
    `${describeValue(source)} is no module: pass bytes, WebAssembly text, a URL, Request, Response, stream, Blob or WebAssembly.Module`,
  );
}

/** An address as errors call it: one with the bytes in it would be all of the error. */
function nameOf(address: string): string {
  return address.replace(/^(data:.{40}).+/, "$1…");
}

/** Passes an abort on as it came and gives anything else a sentence of its own. */
export function fail(what: string, cause: unknown): never {
  const name = cause instanceof Error || classOf(cause) === "DOMException" ? (cause as Error).name : "";
  if (name === "AbortError" || name === "TimeoutError" || cause instanceof CompileError) throw cause;
  const inner = cause instanceof Error && cause.cause instanceof Error ? ` (${cause.cause.message})` : "";
  throw new CompileError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}${inner}`, {
    cause,
  });
}

async function fetched(
  input: URL | Request,
  url: string,
  options: LoadOptions,
  rewriting: Rewriting,
): Promise<Loaded> {
  let { signal } = options;
  if (signal !== undefined && "signal" in input) signal = AbortSignal.any([signal, input.signal]);
  const response = await fetch(input, signal && { signal }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    return fail(`could not fetch ${url}`, cause);
  });
  return loadResponse(response, url, options, rewriting);
}

async function loadResponse(
  response: Response,
  requested: string,
  options: LoadOptions,
  rewriting: Rewriting,
): Promise<Loaded> {
  const what = nameOf(response.url) || requested || "the response";
  if (!response.ok) {
    const status =
      response.status === 0
        ? "an opaque response: request it with CORS"
        : `HTTP ${response.status} ${response.statusText}`;
    await response.body?.cancel().catch(() => undefined);
    throw new CompileError(`could not load ${what}: the server answered ${status.trim()}, check the address`);
  }
  if (response.bodyUsed || response.body?.locked) {
    throw new CompileError(
      `could not load ${what}: its body was already read, pass a fresh response or a clone`,
    );
  }
  if (response.body === null) throw new CompileError(`${what} is empty`);
  const { headers } = response;
  const mime = (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  // A content length counts compressed bytes; a page sees neither encoding nor compression of another origin's answer.
  const isPlain = (headers.get("content-encoding") ?? "identity") === "identity" && response.type !== "cors";
  const length = isPlain ? Number(headers.get("content-length") || Number.NaN) : Number.NaN;
  const total = Number.isSafeInteger(length) ? length : undefined;
  return readStream(response.body, what, total, options, rewriting, mime);
}

async function readStream(
  stream: ReadableStream<Uint8Array>,
  what: string,
  announced: number | undefined,
  { signal, onProgress }: LoadOptions,
  rewriting: Rewriting,
  mime = "",
): Promise<Loaded> {
  if (stream.locked) throw new CompileError(`could not load ${what}: another reader has it`);
  const reader = stream.getReader();
  const cancel = () => void reader.cancel(signal?.reason).catch(() => undefined);
  signal?.addEventListener("abort", cancel, { once: true });
  const builder = new ImageBuilder(announced);
  let streaming: StreamingCompile | undefined;
  let total = announced;
  try {
    let seen = 0;
    for (;;) {
      const { done, value } = await reader
        .read()
        .catch((cause: unknown) =>
          fail(`could not load ${what}, which broke off after ${builder.length} bytes`, cause),
        );
      signal?.throwIfAborted();
      if (done) break;
      const chunk = viewOf(value);
      if (chunk === undefined)
        throw new CompileError(`could not load ${what}: a stream must give Uint8Array chunks`);
      const copy = builder.push(chunk);
      const loaded = builder.length;
      if (total !== undefined && loaded > total) total = undefined;
      onProgress?.({ loaded, total });
      const all = builder.all();
      if (seen < 4 && loaded >= 4) {
        checkBegin(all, what, mime);
        // Checks go between instructions: the engine can't begin before the module is whole.
        if (isBinary(all) && !rewriting.loops) streaming = StreamingCompile.begin(rewriting);
      }
      streaming?.push(all, copy);
      seen = loaded;
    }
    if (seen < 4) checkBegin(builder.all(), what, mime);
    const compiled = streaming?.end(builder.all());
    return {
      what,
      image: builder.finish(),
      streamed: streaming && compiled && { compiled, shift: streaming.shift },
    };
  } catch (error) {
    streaming?.abort(error);
    cancel();
    throw error;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}

/** Judges a response's first bytes by the type that the server gave them. */
function checkBegin(bytes: Uint8Array, what: string, mime: string): void {
  if (mime === "") return;
  if (isBinary(bytes)) {
    if (mime === "application/wasm") return;
    throw new CompileError(
      `${what} is WebAssembly served with the MIME type "${mime}": have the server send "application/wasm", or pass the bytes`,
    );
  }
  const isText = mime.startsWith("text/") || /wasm|webassembly|wat\b|octet-stream/.test(mime);
  if (mime === "text/html") {
    throw new CompileError(
      `${what} is an HTML page, not a WebAssembly module: servers send one for an unknown path, so check the address`,
    );
  }
  if (!isText) {
    throw new CompileError(`${what} has the MIME type "${mime}", not "application/wasm": check the address`);
  }
}

/** The engine's streaming compile, fed by hand so that the bytes are kept and rewritten on their way. */
class StreamingCompile {
  readonly #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  readonly #compiled: Promise<WebAssembly.Module>;
  readonly #rewriting: Rewriting;
  #open = true;
  /** Where the next section begins, while none has gone to the engine. */
  #section = HEADER_SIZE;
  #flows = false;
  /** By how many bytes the code lies further on in what the engine gets, where that is something else than what came. */
  shift: number | undefined;

  /** `undefined` where the engine can't. */
  static begin(rewriting: Rewriting): StreamingCompile | undefined {
    return typeof WebAssembly.compileStreaming === "function" ? new StreamingCompile(rewriting) : undefined;
  }

  private constructor(rewriting: Rewriting) {
    this.#rewriting = rewriting;
    let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
    const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (given) => {
        controller = given;
      },
      cancel: () => {
        this.#open = false;
      },
    });
    // `start` has been called by now.
    this.#controller = controller as unknown as ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
    const headers = { "content-type": "application/wasm" };
    this.#compiled = WebAssembly.compileStreaming(new Response(stream, { headers }));
    // Whoever takes the result handles the error; until then it is nobody's.
    this.#compiled.catch(() => undefined);
  }

  /**
   * @param all what has come of the module so far
   * @param chunk the last part of it
   */
  push(all: Uint8Array<ArrayBuffer>, chunk: Uint8Array<ArrayBuffer>): void {
    if (this.#flows) {
      this.#enqueue(chunk);
      return;
    }
    // What may be rewritten is held back until it is whole; the code, by far the most, flows.
    this.#section = findCode(all, this.#section);
    if (all[this.#section] === CODE) this.#begin(all);
  }

  #begin(all: Uint8Array<ArrayBuffer>): void {
    const rewritten = rewriteHead(all, this.#rewriting);
    this.#flows = true;
    if (rewritten !== undefined) {
      this.shift = rewritten.head.length - rewritten.length;
      this.#enqueue(rewritten.head);
    }
    this.#enqueue(all.subarray(rewritten?.length ?? 0));
  }

  #enqueue(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#open && bytes.length > 0) this.#controller.enqueue(bytes);
  }

  end(all: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
    if (!this.#flows) this.#begin(all);
    if (this.#open) this.#controller.close();
    return this.#compiled;
  }

  abort(reason: unknown): void {
    if (this.#open) this.#controller.error(reason);
  }
}
