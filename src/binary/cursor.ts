import { CompileError } from "../errors.js";
import { decodeText, strict } from "../text.js";

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

  /** The engine says better what is wrong with a module; what it accepts comes here only where it knows more than this reader. */
  fail(): never {
    throw new CompileError(`malformed WebAssembly module: it can't be read at byte ${this.at}`);
  }

  byte(): number {
    this.skip(1);
    return this.bytes[this.at - 1] as number;
  }

  /** The byte that comes next. */
  next(): number | undefined {
    return this.bytes[this.at];
  }

  /** An unsigned LEB128 of up to 64 bits, as the nearest number; passes over a signed one as well. */
  leb(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return this.fail();
  }

  skip(count: number): void {
    if (count > this.end - this.at) this.fail();
    this.at += count;
  }

  /**
   * A count of elements that take a byte each at least: one that the bytes left can't hold is refused here, before
   * anything is made that large.
   */
  count(): number {
    const count = this.leb();
    if (count > this.end - this.at) this.fail();
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
    try {
      return decodeText(this.bytes, from, this.at, strict);
    } catch {
      return this.fail();
    }
  }
}

/** One array of all the parts. */
export function concat(parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
