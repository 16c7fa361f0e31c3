import { WasmexError } from "./errors.js";
import {
  BLOCKING,
  NO_MEMORY,
  type SharedPipe,
  SPACE_SEQUENCE,
  TERMINAL,
  type Waiting,
} from "./pipe-layout.js";
import { ByteQueue } from "./pipe-queue.js";
import { toBytes } from "./source-bytes.js";
import { decodeText } from "./text.js";
import { describeValue } from "./values.js";

export type { SharedPipe } from "./pipe-layout.js";

/** How a guest sees a pipe. */
export interface PipeOptions {
  /**
   * A guest that reads the empty pipe waits until the host writes or calls `end()`, and one that writes to a full one until the host reads.
   * Default: `false`, it sees the end of the file, or `errno.again`.
   */
  readonly blocking?: boolean | undefined;
  /**
   * A guest takes it for a terminal: C libraries then write each line when it is whole, instead of all at the end. Default: `false`.
   */
  readonly terminal?: boolean | undefined;
  /** Most bytes that may lie unread, from 1 on; `limits.pipeBytes` can make it less. Default: none, the pipe grows. */
  readonly limit?: number | undefined;
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
  #limit = Number.POSITIVE_INFINITY;

  /** An empty pipe. */
  constructor(options?: PipeOptions);
  /** @internal */
  constructor(options: undefined, shared: SharedPipe);
  constructor(options?: PipeOptions, shared?: SharedPipe) {
    super((options?.blocking === true ? BLOCKING : 0) | (options?.terminal === true ? TERMINAL : 0), shared);
    const { limit } = options ?? {};
    if (limit === undefined) return;
    if (!(typeof limit === "number" && limit >= 1)) {
      throw new WasmexError(`Pipe: limit is a number of bytes from 1 on, not ${describeValue(limit)}`);
    }
    this.#limit = limit;
    this.limitTo(limit);
  }

  /** Has frameworks that wrap plain objects in proxies (Vue, Alpine) leave it as it is: through one its private fields can't be reached. @internal */
  get [Symbol.toStringTag](): string {
    return "Pipe";
  }

  /** @internal */
  override limitTo(bytes: number): void {
    super.limitTo(Math.min(bytes, this.#limit));
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

  /**
   * The bytes as a Web Stream, which ends after `end()`. Nothing is taken before somebody reads from it; once it is cancelled, what comes
   * stays in the pipe and this is a new stream.
   */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    if (this.#readable === undefined) {
      const waiting = { cancelled: false };
      this.#readable = new ReadableStream<Uint8Array<ArrayBuffer>>(
        {
          pull: (controller) =>
            this.receive((chunk) => {
              if (chunk === undefined) controller.close();
              else controller.enqueue(chunk);
            }, waiting),
          cancel: () => {
            this.#readable = undefined;
            this.#cancel(waiting);
          },
        },
        { highWaterMark: 0 },
      );
    }
    return this.#readable;
  }

  /**
   * A Web Stream whose chunks (bytes or strings) are written to the pipe; closing or aborting it calls `end()`: nobody waits for more.
   * Where a limit is set, each chunk waits until there has been room for all of it.
   */
  get writable(): WritableStream<Uint8Array | string> {
    const end = (): void => this.end();
    this.#writable ??= new WritableStream<Uint8Array | string>({
      // `abort` is told after the write under way, which may wait for a reader that is gone.
      start(controller) {
        const signal = Reflect.get(controller, "signal") as AbortSignal | undefined;
        signal?.addEventListener("abort", end);
      },
      write: (chunk) => {
        let rest = toBytes(chunk);
        return this.until(SPACE_SEQUENCE, () => {
          rest = rest.subarray(this.write(rest));
          return rest.length === 0;
        });
      },
      close: end,
      abort: end,
    });
    return this.#writable;
  }

  /** Follows the pipe live, chunk by chunk, until `end()`. Chunks that one reader takes no other sees. */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    return this.#cancellable((waiting) => this.#chunks(waiting));
  }

  /**
   * Follows the pipe live, line by line, without the line ends (`\n`, `\r\n`); the last line needs none. What was taken from the pipe with
   * a line is not given back where the loop is left early: to go on later, keep the iterator and call its `next()`.
   */
  lines(): AsyncGenerator<string, void, undefined> {
    return this.#cancellable((waiting) => this.#lines(waiting));
  }

  async *#chunks(waiting: Waiting): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    for (let chunk = await this.next(waiting); chunk !== undefined; chunk = await this.next(waiting))
      yield chunk;
  }

  async *#lines(waiting: Waiting): AsyncGenerator<string, void, undefined> {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let parts: string[] = [];
    for await (const chunk of this.#chunks(waiting)) {
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
    if (waiting.cancelled) return;
    parts.push(decoder.decode());
    const last = parts.join("");
    if (last !== "") yield last;
  }

  /** A generator alone would run its `return()` after the `next()` that waits. */
  #cancellable<T>(
    begin: (waiting: Waiting) => AsyncGenerator<T, void, undefined>,
  ): AsyncGenerator<T, void, undefined> {
    const waiting = { cancelled: false };
    const generator = begin(waiting);
    const leave = generator.return.bind(generator);
    generator.return = (value) => {
      this.#cancel(waiting);
      return leave(value);
    };
    return generator;
  }

  #cancel(waiting: Waiting): void {
    waiting.cancelled = true;
    this.wake();
  }
}
