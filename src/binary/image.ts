import { type Image, SLACK } from "../source-bytes.js";
import { concat } from "./cursor.js";
import type { RewrittenHead } from "./rewrite.js";

/** A length that a server announced is believed up to here. */
const MOST_RESERVED = 64 * 2 ** 20;

/** Hands the module with another head to `use`, which must be done with the bytes when it returns. */
export function withHead<T>(
  { buffer, bytes }: Image,
  { head, length }: RewrittenHead,
  use: (bytes: Uint8Array<ArrayBuffer>) => T,
): T {
  const end = SLACK + length;
  const start = end - head.length;
  if (start < 0) return use(concat([head, bytes.subarray(length)]));
  const saved = buffer.slice(start, end);
  buffer.set(head, start);
  try {
    return use(buffer.subarray(start, SLACK + bytes.length));
  } finally {
    buffer.set(saved, start);
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
    const buffer = isWasteful ? this.#buffer.slice(0, this.#end) : this.#buffer;
    return { buffer, bytes: buffer.subarray(SLACK, this.#end) };
  }
}
