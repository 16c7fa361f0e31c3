import { concat } from "./cursor.js";
import type { RewrittenHead } from "./rewrite.js";

/** Bytes kept free before a module, so that a rewritten head, which is a little longer, fits without a second copy. */
const SLACK = 64;
/** A length that a server announced is believed up to here. */
const MOST_RESERVED = 64 * 2 ** 20;

/** A private copy of a module's bytes: what the giver does to its own afterwards changes nothing here. */
export class Image {
  readonly #buffer: Uint8Array<ArrayBuffer>;
  /** The module as it was given. Not to be changed or handed out. */
  readonly bytes: Uint8Array<ArrayBuffer>;

  constructor(buffer: Uint8Array<ArrayBuffer>, end: number) {
    this.#buffer = buffer;
    this.bytes = buffer.subarray(SLACK, end);
  }

  /** Hands the module with another head to `use`, which must be done with the bytes when it returns. */
  withHead<T>({ head, length }: RewrittenHead, use: (bytes: Uint8Array<ArrayBuffer>) => T): T {
    const end = SLACK + length;
    const start = end - head.length;
    if (start < 0) return use(concat([head, this.bytes.subarray(length)]));
    const saved = this.#buffer.slice(start, end);
    this.#buffer.set(head, start);
    try {
      return use(this.#buffer.subarray(start, SLACK + this.bytes.length));
    } finally {
      this.#buffer.set(saved, start);
    }
  }
}

/** Gathers an image from chunks. */
export class ImageBuilder {
  #buffer: Uint8Array<ArrayBuffer>;
  #end = SLACK;

  constructor(expected = 0) {
    this.#buffer = new Uint8Array(SLACK + Math.min(expected, MOST_RESERVED));
  }

  get length(): number {
    return this.#end - SLACK;
  }

  /** What has come so far. */
  all(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(SLACK, this.#end);
  }

  /** Copies a chunk; answers the copy, which stays as it is. */
  push(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
    const end = this.#end + chunk.length;
    if (end > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(end, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, this.#end));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#end);
    const copy = this.#buffer.subarray(this.#end, end);
    this.#end = end;
    return copy;
  }

  finish(): Image {
    // What grew by doubling may have twice the room it needs, for as long as the module lives.
    const isWasteful = this.#buffer.length > this.#end * 1.25;
    return new Image(isWasteful ? this.#buffer.slice(0, this.#end) : this.#buffer, this.#end);
  }
}
