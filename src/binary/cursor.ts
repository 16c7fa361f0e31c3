import { CompileError } from "../errors.js";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes UTF-8 strictly; throws a `TypeError` for what is none. `bytes` must not be shared memory. */
export function decodeUtf8(bytes: Uint8Array<ArrayBuffer>): string {
  return utf8.decode(bytes);
}

/** Reads the binary format's primitives (core specification 5.2) from `bytes[at, end)`; never past the end. */
export class Cursor {
  readonly bytes: Uint8Array<ArrayBuffer>;
  at: number;
  end: number;

  constructor(bytes: Uint8Array<ArrayBuffer>, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  fail(what: string): never {
    throw new CompileError(`malformed WebAssembly module: ${what} at byte ${this.at}`);
  }

  byte(): number {
    if (this.at >= this.end) this.fail("unexpected end");
    return this.bytes[this.at++] as number;
  }

  /** An unsigned LEB128 of 32 bits. */
  u32(): number {
    const first = this.byte();
    return first < 0x80 ? first : this.#rest(first, 5) >>> 0;
  }

  /** An unsigned LEB128 of 64 bits, as the nearest number. */
  u64(): number {
    const first = this.byte();
    return first < 0x80 ? first : this.#rest(first, 10);
  }

  #rest(first: number, most: number): number {
    let value = first & 0x7f;
    let scale = 1;
    for (let count = 1; count < most; count++) {
      const next = this.byte();
      scale *= 0x80;
      value += (next & 0x7f) * scale;
      if (next < 0x80) return value;
    }
    return this.fail("a number is too long");
  }

  /** Passes over one LEB128 of any width. */
  skipLeb(): void {
    for (let count = 0; count < 10; count++) if (this.byte() < 0x80) return;
    this.fail("a number is too long");
  }

  skip(count: number): void {
    if (count > this.end - this.at) this.fail("unexpected end");
    this.at += count;
  }

  /**
   * A count of elements that take a byte each at least: one that the bytes left can't hold is refused here, before
   * anything is made that large.
   */
  count(): number {
    const count = this.u32();
    if (count > this.end - this.at) this.fail("unexpected end");
    return count;
  }

  /** A vector: its count, and what `read` makes of each element. */
  list<T>(read: (cursor: Cursor) => T): T[] {
    const list: T[] = [];
    for (let left = this.count(); left > 0; left--) list.push(read(this));
    return list;
  }

  name(): string {
    const length = this.count();
    const from = this.at;
    this.at += length;
    if (length < 24) {
      let text = "";
      let at = from;
      for (; at < this.at; at++) {
        const byte = this.bytes[at] as number;
        if (byte >= 0x80) break;
        text += String.fromCharCode(byte);
      }
      if (at === this.at) return text;
    }
    try {
      return decodeUtf8(this.bytes.subarray(from, this.at));
    } catch {
      this.at = from;
      return this.fail("a name is not UTF-8");
    }
  }
}

/** One array of all the parts. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const part of parts) size += part.length;
  const result = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
