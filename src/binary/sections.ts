import { CompileError } from "../errors.js";
import { Cursor } from "./cursor.js";

/** Section ids (core specification 5.5.2). */
export const CUSTOM = 0;
export const TYPE = 1;
export const IMPORT = 2;
export const FUNCTION = 3;
export const TABLE = 4;
export const MEMORY = 5;
export const GLOBAL = 6;
export const EXPORT = 7;
export const CODE = 10;
export const TAG = 13;

/** The magic and the version of a core module: `\0asm` 1. */
export const HEADER_SIZE = 8;

/** Whether `bytes` hold these ASCII characters at that place. */
export function startsWith(bytes: Uint8Array, at: number, characters: string): boolean {
  for (let index = 0; index < characters.length; index++) {
    if (bytes[at + index] !== characters.charCodeAt(index)) return false;
  }
  return true;
}

/** Whether `bytes` begin with `\0asm`, which text never does. */
export function isBinary(bytes: Uint8Array): boolean {
  return startsWith(bytes, 0, "\0asm");
}

/** Where a module's sections lie. */
export interface Sections {
  /** A cursor over the section of that id, its id and size passed over; over an empty vector where the module has none. */
  open(id: number): Cursor;
  /** Likewise for the last custom section "name". */
  readonly names: Cursor;
}

/** Reads the section headers alone: what the sections hold, code before all, is passed over by its size. */
export function scanSections(bytes: Uint8Array<ArrayBuffer>): Sections {
  const cursor = new Cursor(bytes);
  if (!isBinary(bytes) || bytes.length < HEADER_SIZE) throw new CompileError("not a WebAssembly module");
  cursor.at = HEADER_SIZE;
  const starts: number[] = [];
  const ends: number[] = [];
  let names = new Cursor(bytes, 0, 0);
  while (cursor.at < bytes.length) {
    const id = cursor.byte();
    const size = cursor.count();
    const end = cursor.at + size;
    if (id === CUSTOM) {
      if (size >= 5 && startsWith(bytes, cursor.at, "\x04name"))
        names = new Cursor(bytes, cursor.at + 5, end);
    } else if (starts[id] === undefined) {
      starts[id] = cursor.at;
      ends[id] = end;
    }
    cursor.at = end;
  }
  return {
    open: (id) =>
      starts[id] === undefined ? new Cursor(new Uint8Array(1)) : new Cursor(bytes, starts[id], ends[id]),
    names,
  };
}
