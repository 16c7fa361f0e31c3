import type { FunctionType, RefType, ValueType } from "../shape.js";
import type { Cursor } from "./cursor.js";

const SHARED = 0x65;
const EXACT = 0x62;
const REF_NULL = 0x63;
const REF = 0x64;

/**
 * Abstract heap types as in `(ref …)` and the types that are no references, by their code (core specification 5.3.1 to 5.3.3,
 * the packed types of fields among them; "cont" and "nocont" of stack switching).
 */
export const FIRST = 0x68;
const FIRST_NUMBER = 0x77;
const NAMES =
  "cont,exn,array,struct,i31,eq,any,extern,func,none,noextern,nofunc,noexn,nocont,,i16,i8,,,v128,f64,f32,i64,i32".split(
    ",",
  );

/**
 * Their value types, from the code `FIRST` on: what holds more before what holds less. The bottom types are "nullref", "nullfuncref" …
 */
export const TYPES = NAMES.map((name, index) =>
  index + FIRST < FIRST_NUMBER ? name.replace(/^no(ne)?/, "null").replace(/$/, "ref") : name,
) as ValueType[];

function isPrefix(code: number | undefined): boolean {
  return code === SHARED || code === EXACT;
}

/** The reference to a heap type that is read from the cursor. */
export function readHeap(cursor: Cursor, nullable = true): RefType {
  const first = cursor.byte();
  let heap = NAMES[first - FIRST];
  let short: string | undefined = "";
  if (isPrefix(first)) {
    if (isPrefix(cursor.next())) cursor.fail();
    heap = `(${first === SHARED ? "shared" : "exact"} ${readHeap(cursor, false).slice(5, -1)})`;
  } else if (first >= 0x40 && first < 0x80) {
    if (!heap || first >= FIRST_NUMBER) cursor.fail();
    short = TYPES[first - FIRST];
  } else {
    cursor.at--;
    heap = String(cursor.leb());
  }
  return (nullable ? short || `(ref null ${heap})` : `(ref ${heap})`) as RefType;
}

/** A value type (core specification 5.3.5), or the packed type of a field. */
export function readValueType(cursor: Cursor): ValueType {
  const code = cursor.next() as number;
  if (code < FIRST_NUMBER || code > 0x7f) return readReference(cursor);
  cursor.at++;
  return TYPES[code - FIRST] as ValueType;
}

/** A reference type (core specification 5.3.4). */
export function readReference(cursor: Cursor): RefType {
  const code = cursor.next();
  if (code === REF || code === REF_NULL) cursor.at++;
  return readHeap(cursor, code !== REF);
}

/** Passes over one LEB128. */
export function skipLeb(cursor: Cursor): void {
  cursor.leb();
}

function skipField(cursor: Cursor): void {
  readValueType(cursor);
  cursor.skip(1);
}

function readValueTypes(cursor: Cursor): ValueType[] {
  const types = cursor.list(readValueType);
  Object.freeze(types);
  return types;
}

/** A defined type (core specification 5.3.9 to 5.3.11): the function type, `undefined` for any other. */
function readSubType(cursor: Cursor): FunctionType | undefined {
  let form = cursor.byte();
  if (form === 0x50 || form === 0x4f) {
    cursor.list(skipLeb);
    form = cursor.byte();
  }
  // Shared types, and the "describes" and "descriptor" clauses of the custom-descriptors proposal.
  while (form === SHARED || form === 0x4c || form === 0x4d) {
    if (form !== SHARED) cursor.leb();
    form = cursor.byte();
  }
  if (form === 0x60) {
    const parameters = readValueTypes(cursor);
    return Object.freeze({ kind: "function", parameters, results: readValueTypes(cursor) });
  }
  if (form === 0x5f) cursor.list(skipField);
  else if (form === 0x5e) skipField(cursor);
  else if (form === 0x5d) readHeap(cursor);
  else cursor.fail();
  return undefined;
}

/** The function type of an index; one object for all who ask, so frozen. */
export type FunctionTypes = (index: number) => FunctionType;

/** The type section: by their indexes the function types, `undefined` for any other. */
export function listTypes(cursor: Cursor): (FunctionType | undefined)[] {
  return cursor
    .list(() => {
      if (cursor.next() !== 0x4e) return readSubType(cursor);
      cursor.at++;
      return cursor.list(readSubType);
    })
    .flat();
}

export function readTypes(cursor: Cursor): FunctionTypes {
  const types = listTypes(cursor);
  return (index) => types[index] ?? cursor.fail();
}
