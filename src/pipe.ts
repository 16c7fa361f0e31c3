import { WasmexError } from "./errors.js";
import { AGAIN, NO_MEMORY } from "./pipe-layout.js";
import { ByteQueue } from "./pipe-queue.js";

/** How another thread opens the same pipe; a plain object for `postMessage`. */
export interface SharedPipe {
  readonly pipe: SharedArrayBuffer;
}

const encoder = new TextEncoder();

function toBytes(data: Uint8Array | ArrayBufferView | ArrayBufferLike | string): Uint8Array {
  if (typeof data === "string") return encoder.encode(data);
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (
    data instanceof ArrayBuffer ||
    (typeof SharedArrayBuffer !== "undefined" && data instanceof SharedArrayBuffer)
  ) {
    return new Uint8Array(data);
  }
  throw new TypeError("a Pipe takes bytes (an ArrayBuffer or a view of one) or a string");
}

/**
 * An in-memory byte stream: a guest's stdin, stdout or stderr, or all three at once. It grows with what is written and
 * works the same whether the guest runs on this thread or on another.
 *
 * ```ts
 * const stdout = new Pipe();
 * await run({ module, wasi: { stdout } });
 * stdout.readString();
 * ```
 */
export class Pipe {
  #queue: ByteQueue;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array | string> | undefined;

  /** @param options.blocking a guest that reads the empty pipe waits until the host writes or calls `end()` */
  constructor(options?: { blocking?: boolean }) {
    this.#queue = ByteQueue.create(options?.blocking === true);
  }

  /** The same as `new Pipe(options)`. */
  static create(options?: { blocking?: boolean }): Pipe {
    return new Pipe(options);
  }

  /** @internal Opens on this thread what `share` gave on another. */
  static attach(shared: SharedPipe): Pipe {
    const pipe = new Pipe();
    pipe.#queue = ByteQueue.attach(shared.pipe);
    return pipe;
  }

  /** @internal Moves the pipe to shared memory; throws `UnsupportedError` where the page has none. */
  share(maximumBytes?: number): SharedPipe {
    return { pipe: this.#queue.share(maximumBytes) };
  }

  /** Bytes left to read. */
  get size(): number {
    return this.#queue.size;
  }

  /** Whether a guest that reads the empty pipe waits. */
  get blocking(): boolean {
    return this.#queue.blocking;
  }

  /** Whether `end()` was called. */
  get ended(): boolean {
    return this.#queue.ended;
  }

  /**
   * Appends bytes, or a string as UTF-8. Answers the number of bytes written: all of them, unless a limit is set.
   * Throws `WasmexError` after `end()`, `RangeError` when the engine has no memory left.
   */
  write(data: Uint8Array | ArrayBufferView | ArrayBufferLike | string): number {
    const bytes = toBytes(data);
    if (this.#queue.ended) throw new WasmexError("the pipe has ended: nothing can be written after end()");
    const written = this.#queue.write(bytes, 0, bytes.length);
    if (written === -NO_MEMORY)
      throw new RangeError(`out of memory: the pipe cannot take ${bytes.length} more bytes`);
    return Math.max(written, 0);
  }

  /** Takes all bytes that are there; an empty array where there are none. */
  read(): Uint8Array<ArrayBuffer> {
    return this.#queue.readAll();
  }

  /**
   * Takes all bytes that are there, as UTF-8; what is no UTF-8 becomes U+FFFD. A character whose bytes are still on their
   * way counts as such: follow a pipe that is being written with `lines()` or through `readable`.
   */
  readString(): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.#queue.readAll());
  }

  /** Cuts what is left to read to its first `length` bytes, or fills it up with zeros. Throws `RangeError`. */
  setLength(length: number): void {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`the length of a pipe is an integer from 0 on, not ${String(length)}`);
    }
    if (this.#queue.setLength(length) !== 0)
      throw new RangeError(`out of memory: a pipe cannot hold ${length} bytes`);
  }

  /** No more is going to be written: readers and iterations end once what is left has been read. */
  end(): void {
    this.#queue.end();
  }

  /** The bytes as a Web Stream, which ends after `end()`. Nothing is taken before somebody reads from it. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#readable ??= new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: async (controller) => {
          const chunk = await this.#next();
          if (chunk === undefined) controller.close();
          else controller.enqueue(chunk);
        },
      },
      { highWaterMark: 0 },
    );
    return this.#readable;
  }

  /** A Web Stream whose chunks (bytes or strings) are written to the pipe; closing it calls `end()`. */
  get writable(): WritableStream<Uint8Array | string> {
    this.#writable ??= new WritableStream<Uint8Array | string>({
      write: (chunk) => void this.write(chunk),
      close: () => this.end(),
    });
    return this.#writable;
  }

  /** Follows the pipe live, chunk by chunk, until `end()`. Chunks that one reader takes no other sees. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
  }

  /** Follows the pipe live, line by line, without the line ends (`\n`, `\r\n`); the last line needs none. */
  async *lines(): AsyncGenerator<string, void, undefined> {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let parts: string[] = [];
    for await (const chunk of this) {
      const text = decoder.decode(chunk, { stream: true });
      let from = 0;
      for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", from)) {
        parts.push(text.slice(from, at));
        const line = parts.join("");
        parts = [];
        from = at + 1;
        yield line.endsWith("\r") ? line.slice(0, -1) : line;
      }
      if (from < text.length) parts.push(text.slice(from));
    }
    parts.push(decoder.decode());
    const last = parts.join("");
    if (last !== "") yield last;
  }

  /**
   * @internal A guest's read: answers the bytes put into `target[start, start + length)`, 0 for the end of file, or
   * `-errno.again` where the pipe is blocking, empty and has not ended.
   */
  readInto(target: Uint8Array, start: number, length: number): number {
    const queue = this.#queue;
    const count = queue.read(target, start, length);
    if (count > 0 || length === 0) return count;
    if (!queue.blocking) return 0;
    if (!queue.ended) return -AGAIN;
    // The last bytes may have come between the first look and the end.
    return queue.read(target, start, length);
  }

  /** @internal A guest's write: answers the bytes taken, `-errno.again` when the pipe's limit is reached, `-errno.nomem`. */
  writeFrom(source: Uint8Array, start: number, length: number): number {
    return this.#queue.write(source, start, length);
  }

  /** @internal Bytes to read; 0 at the end, -1 where a read would wait. */
  available(): number {
    const waits = this.blocking && !this.ended;
    const { size } = this;
    return size === 0 && waits ? -1 : size;
  }

  /**
   * @internal Sleeps until there is something to read, or the end: `true`; `false` after `milliseconds` (`Infinity`: none),
   * and at once where this thread may not sleep or nobody else could write.
   */
  wait(milliseconds: number): boolean {
    return this.#queue.waitForData(milliseconds);
  }

  /** @internal Like `wait`, until there is room for a byte under the limit. */
  waitForSpace(milliseconds: number): boolean {
    return this.#queue.waitForSpace(milliseconds);
  }

  /** @internal The most bytes that may lie unread; beyond it a guest's write is `errno.again`. */
  limitTo(bytes: number): void {
    this.#queue.limit = bytes;
  }

  /** @internal Frees what a thread that is gone may have left locked. */
  recover(deadOwner: number): void {
    this.#queue.recover(deadOwner);
  }

  /** The next bytes, waited for; `undefined` after the end. */
  async #next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const queue = this.#queue;
      const seen = queue.dataSequence;
      const ended = queue.ended;
      const chunk = queue.readAll();
      if (chunk.length > 0) return chunk;
      if (ended) return undefined;
      await queue.dataAsync(seen);
    }
  }
}
