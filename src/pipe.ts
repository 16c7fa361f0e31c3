import { WasmexError } from "./errors.js";
import { BLOCKING, NO_MEMORY, TERMINAL } from "./pipe-layout.js";
import { ByteQueue, type SharedPipe } from "./pipe-queue.js";
import { toBytes } from "./source-bytes.js";
import { decodeText } from "./text.js";

export type { SharedPipe } from "./pipe-queue.js";

/** How a guest sees a pipe. */
export interface PipeOptions {
  /** A guest that reads the empty pipe waits until the host writes or calls `end()`. Default: `false`, it sees the end of the file. */
  readonly blocking?: boolean;
  /**
   * A guest takes it for a terminal: C libraries then write each line when it is whole, instead of all at the end. Default: `false`.
   */
  readonly terminal?: boolean;
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
export class Pipe extends ByteQueue {
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array | string> | undefined;

  /** An empty pipe. */
  constructor(options?: PipeOptions);
  /** @internal */
  constructor(options: undefined, shared: SharedPipe);
  constructor({ blocking, terminal }: PipeOptions = {}, shared?: SharedPipe) {
    super((blocking === true ? BLOCKING : 0) | (terminal === true ? TERMINAL : 0), shared);
  }

  /** The same as `new Pipe(options)`. */
  static create(options?: PipeOptions): Pipe {
    return new Pipe(options);
  }

  /** @internal Opens on this thread what `share` gave on another. */
  static attach(shared: SharedPipe): Pipe {
    return new Pipe(undefined, shared);
  }

  /**
   * Appends bytes, or a string as UTF-8. Answers the number of bytes written: all of them, unless a limit is set.
   * Throws `WasmexError` after `end()`, `RangeError` when the engine has no memory left.
   */
  write(data: Uint8Array | ArrayBufferView | ArrayBufferLike | string): number {
    const bytes = toBytes(data);
    if (this.ended) throw new WasmexError("the pipe has ended: nothing can be written after end()");
    const written = this.writeFrom(bytes, 0, bytes.length);
    if (written === -NO_MEMORY)
      throw new RangeError(`out of memory: the pipe cannot take ${bytes.length} more bytes`);
    return Math.max(written, 0);
  }

  /**
   * Takes all bytes that are there, as UTF-8; what is no UTF-8 becomes U+FFFD. A character whose bytes are still on their
   * way counts as such: follow a pipe that is being written with `lines()` or through `readable`.
   */
  readString(): string {
    return decodeText(this.read());
  }

  /** Cuts what is left to read to its first `length` bytes, or fills it up with zeros. Throws `RangeError`. */
  setLength(length: number): void {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new RangeError(`the length of a pipe is an integer from 0 on, not ${String(length)}`);
    }
    if (this.resize(length) !== 0) throw new RangeError(`out of memory: a pipe cannot hold ${length} bytes`);
  }

  /** The bytes as a Web Stream, which ends after `end()`. Nothing is taken before somebody reads from it. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#readable ??= new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: async (controller) => {
          const chunk = await this.next();
          if (chunk === undefined) controller.close();
          else controller.enqueue(chunk);
        },
      },
      { highWaterMark: 0 },
    );
    return this.#readable;
  }

  /** A Web Stream whose chunks (bytes or strings) are written to the pipe; closing or aborting it calls `end()`: nobody waits for more. */
  get writable(): WritableStream<Uint8Array | string> {
    this.#writable ??= new WritableStream<Uint8Array | string>({
      write: (chunk) => void this.write(chunk),
      close: () => this.end(),
      abort: () => this.end(),
    });
    return this.#writable;
  }

  /** Follows the pipe live, chunk by chunk, until `end()`. Chunks that one reader takes no other sees. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) yield chunk;
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
}
