import type { FunctionType, RefType, ValueType } from "../shape.js";
import type { Cursor } from "./cursor.js";

const SHARED = 0x65;
const EXACT = 0x62;
const REF_NULL = 0x63;
const REF = 0x64;

/** Abstract heap types as in `(ref …)`, by their code (core specification 5.3.3; "cont" and "nocont" of stack switching). */
const FIRST_HEAP = 0x68;
const HEAP = "cont,exn,array,struct,i31,eq,any,extern,func,none,noextern,nofunc,noexn,nocont".split(",");

const NUMBERS: Readonly<Record<number, ValueType>> = {
  127: "i32",
  126: "i64",
  125: "f32",
  124: "f64",
  123: "v128",
};

function isPrefix(code: number | undefined): boolean {
  return code === SHARED || code === EXACT;
}

/** The reference to a heap type that is read from the cursor. */
function heapReference(cursor: Cursor, nullable: boolean): RefType {
  const first = cursor.bytes[cursor.at] as number;
  let heap: string;
  let short = "";
  if (isPrefix(first)) {
    cursor.at++;
    if (isPrefix(cursor.bytes[cursor.at])) cursor.fail("an unknown heap type");
    const inner = heapReference(cursor, false).slice(5, -1);
    heap = `(${first === SHARED ? "shared" : "exact"} ${inner})`;
  } else if (first >= 0x40 && first < 0x80) {
    heap = HEAP[cursor.byte() - FIRST_HEAP] ?? cursor.fail("an unknown heap type");
    // The bottom types are "nullref", "nullfuncref" …
    short = heap.replace(/^no(ne)?/, "null") + "ref";
  } else {
    heap = String(cursor.u32());
  }
  return (nullable ? short || `(ref null ${heap})` : `(ref ${heap})`) as RefType;
}

/** A reference type (core specification 5.3.4). */
export function readReference(cursor: Cursor): RefType {
  const code = cursor.bytes[cursor.at];
  if (code === REF || code === REF_NULL) cursor.at++;
  return heapReference(cursor, code !== REF);
}

/** A value type (core specification 5.3.5). */
export function readValueType(cursor: Cursor): ValueType {
  const number = NUMBERS[cursor.bytes[cursor.at] as number];
  if (number === undefined) return readReference(cursor);
  cursor.byte();
  return number;
}

export function skipHeap(cursor: Cursor): void {
  if (isPrefix(cursor.bytes[cursor.at])) cursor.skip(1);
  cursor.skipLeb();
}

/** Passes over a value type, or the packed type of a field. */
function skipValueType(cursor: Cursor): void {
  const code = cursor.byte();
  if (code === REF || code === REF_NULL || code === SHARED) skipHeap(cursor);
}

function skipValueTypes(cursor: Cursor): void {
  for (let left = cursor.count(); left > 0; left--) skipValueType(cursor);
}

function skipFields(cursor: Cursor, count: number): void {
  for (let left = count; left > 0; left--) {
    skipValueType(cursor);
    cursor.skip(1);
  }
}

/** Notes where a defined type's form stands and passes over it (core specification 5.3.9 to 5.3.11). */
function skipSubType(cursor: Cursor, offsets: number[]): void {
  let form = cursor.byte();
  if (form === 0x50 || form === 0x4f) {
    for (let left = cursor.count(); left > 0; left--) cursor.skipLeb();
    form = cursor.byte();
  }
  // Shared types, and the "describes" and "descriptor" clauses of the custom-descriptors proposal.
  while (form === SHARED || form === 0x4c || form === 0x4d) {
    if (form !== SHARED) cursor.skipLeb();
    form = cursor.byte();
  }
  offsets.push(cursor.at - 1);
  if (form === 0x60) {
    skipValueTypes(cursor);
    skipValueTypes(cursor);
  } else if (form === 0x5f) {
    skipFields(cursor, cursor.count());
  } else if (form === 0x5e) {
    skipFields(cursor, 1);
  } else if (form === 0x5d) {
    skipHeap(cursor);
  } else {
    cursor.fail("an unknown form of type");
  }
}

/** The type section: finds where each type stands, decodes the function types that are asked for. */
export class FunctionTypes {
  readonly #cursor: Cursor;
  readonly #offsets: number[] = [];
  readonly #decoded = new Map<number, FunctionType>();

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
    if (cursor.end === 0) return;
    for (let left = cursor.count(); left > 0; left--) {
      if (cursor.bytes[cursor.at] === 0x4e) {
        cursor.at++;
        for (let group = cursor.count(); group > 0; group--) skipSubType(cursor, this.#offsets);
      } else {
        skipSubType(cursor, this.#offsets);
      }
    }
  }

  /** The function type of that index; one object for all who ask, so frozen. */
  at(index: number): FunctionType {
    const known = this.#decoded.get(index);
    if (known !== undefined) return known;
    const cursor = this.#cursor;
    const offset = this.#offsets[index];
    if (offset === undefined || cursor.bytes[offset] !== 0x60) return cursor.fail("an unknown function type");
    cursor.at = offset + 1;
    const parameters = readValueTypes(cursor);
    const type: FunctionType = Object.freeze({
      kind: "function",
      parameters,
      results: readValueTypes(cursor),
    });
    this.#decoded.set(index, type);
    return type;
  }
}

function readValueTypes(cursor: Cursor): ValueType[] {
  const types: ValueType[] = [];
  for (let left = cursor.count(); left > 0; left--) types.push(readValueType(cursor));
  Object.freeze(types);
  return types;
}
