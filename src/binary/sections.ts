import { Cursor, concat } from "./cursor.js";

/** Section ids (core specification 5.5.2). */
export const TYPE = 1;
export const IMPORT = 2;
export const FUNCTION = 3;
export const TABLE = 4;
export const MEMORY = 5;
export const GLOBAL = 6;
export const EXPORT = 7;
export const CODE = 10;
export const TAG = 13;

/** What a core module begins with: the magic, `\0asm`, and the version 1. */
export const HEADER: readonly number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
export const HEADER_SIZE = 8;

/** Whether `bytes` begin with `\0asm`, which text never does. */
export function isBinary(bytes: Uint8Array): boolean {
  return HEADER.slice(0, 4).every((byte, at) => byte === bytes[at]);
}

/**
 * Reads the section headers alone: what the sections hold, code before all, is passed over by its size.
 * @returns opens the section of an id: a cursor past its header; over an empty vector where the module has none
 */
export function scanSections(bytes: Uint8Array<ArrayBuffer>): (id: number) => Cursor {
  const cursor = new Cursor(bytes, HEADER_SIZE);
  if (!isBinary(bytes)) cursor.fail();
  const sections: Cursor[] = [];
  while (cursor.at < bytes.length) {
    const id = cursor.byte();
    const end = cursor.count() + cursor.at;
    sections[id] ??= new Cursor(bytes, cursor.at, end);
    cursor.at = end;
  }
  return (id) => sections[id] ?? new Cursor(new Uint8Array(1));
}

/**
 * A module with one import, of empty namespace and name.
 * @param head what comes before: the header, and the types
 * @param description the import's kind and type
 */
export function importing(head: ArrayLike<number>, description: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  return concat([head, [IMPORT, description.length + 3, 1, 0, 0], description]);
}
