import type { FunctionType, RefType, ValueType } from "../shape.js";
import type { Cursor } from "./cursor.js";

const SHARED = 0x65;
const EXACT = 0x62;
const REF_NULL = 0x63;
const REF = 0x64;
const FUNCTION = 0x60;

/**
 * Abstract heap types as in `(ref …)` and the types that are no references, by their code (core specification 5.3.1 to 5.3.3;
 * "cont" and "nocont" of stack switching).
 */
const FIRST = 0x68;
const FIRST_NUMBER = 0x7b;
const NAMES =
  "cont,exn,array,struct,i31,eq,any,extern,func,none,noextern,nofunc,noexn,nocont,,,,,,v128,f64,f32,i64,i32".split(
    ",",
  );

/** Their value types. The bottom types are "nullref", "nullfuncref" … */
const TYPES = NAMES.map((name, index) =>
  name && index + FIRST < FIRST_NUMBER ? `${name.replace(/^no(ne)?/, "null")}ref` : name,
) as ValueType[];

/** The value types of one byte, numbers first and what holds less before what holds more. */
export const shortTypes = (): ValueType[] => TYPES.filter(Boolean).reverse();

/** The byte of a value type; NaN where it takes more than one. */
export function typeCode(type: ValueType): number {
  const index = TYPES.indexOf(type);
  return index < 0 ? Number.NaN : index + FIRST;
}

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
    const index = cursor.byte() - FIRST;
    heap = (first < FIRST_NUMBER && NAMES[index]) || cursor.fail("an unknown heap type");
    short = TYPES[index] as string;
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
  const code = cursor.bytes[cursor.at] as number;
  return code >= FIRST_NUMBER && code < 0x80
    ? (TYPES[cursor.byte() - FIRST] as ValueType)
    : readReference(cursor);
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

function skipField(cursor: Cursor): void {
  skipValueType(cursor);
  cursor.skip(1);
}

/** Passes over a defined type (core specification 5.3.9 to 5.3.11); answers where its form stands. */
function skipSubType(cursor: Cursor): number {
  let form = cursor.byte();
  if (form === 0x50 || form === 0x4f) {
    cursor.list(skipLeb);
    form = cursor.byte();
  }
  // Shared types, and the "describes" and "descriptor" clauses of the custom-descriptors proposal.
  while (form === SHARED || form === 0x4c || form === 0x4d) {
    if (form !== SHARED) cursor.skipLeb();
    form = cursor.byte();
  }
  const at = cursor.at - 1;
  if (form === FUNCTION) {
    cursor.list(skipValueType);
    cursor.list(skipValueType);
  } else if (form === 0x5f) {
    cursor.list(skipField);
  } else if (form === 0x5e) {
    skipField(cursor);
  } else if (form === 0x5d) {
    skipHeap(cursor);
  } else {
    cursor.fail("an unknown form of type");
  }
  return at;
}

function skipLeb(cursor: Cursor): void {
  cursor.skipLeb();
}

/** The function type of an index; one object for all who ask, so frozen. */
export type FunctionTypes = (index: number) => FunctionType;

/** The type section: finds where each type stands, decodes the function types that are asked for. */
export function readTypes(cursor: Cursor): FunctionTypes {
  const offsets = cursor
    .list(() => {
      if (cursor.bytes[cursor.at] !== 0x4e) return skipSubType(cursor);
      cursor.at++;
      return cursor.list(skipSubType);
    })
    .flat();
  const decoded: FunctionType[] = [];
  const decode = (index: number): FunctionType => {
    const offset = offsets[index];
    if (offset === undefined || cursor.bytes[offset] !== FUNCTION) cursor.fail("an unknown function type");
    cursor.at = offset + 1;
    const parameters = readValueTypes(cursor);
    return Object.freeze({ kind: "function", parameters, results: readValueTypes(cursor) });
  };
  return (index) => {
    decoded[index] ??= decode(index);
    return decoded[index];
  };
}

function readValueTypes(cursor: Cursor): ValueType[] {
  const types = cursor.list(readValueType);
  Object.freeze(types);
  return types;
}
