import type { ExternKind } from "../shape.js";
import { CHECKS } from "./checks.js";
import { Cursor, concat } from "./cursor.js";
import { readInterface } from "./interface.js";
import { leb } from "./limits.js";
import { CODE, EXPORT, FUNCTION, GLOBAL, HEADER_SIZE, scanSections, TABLE, TYPE } from "./sections.js";
import { listTypes } from "./value-types.js";

/*
 * A check in every loop, and in every function that calls another, so that a guest comes by the host's code however it goes on.
 * Each counts a global down; at 0 a function of our own sets it anew and calls what lies in a table of one place, where there is
 * something. Type, function, table, global and export are added as the last of their kind: no index of the module's changes.
 */

/** How many loops and calls go by between two looks: some microseconds' worth. */
const BUDGET = 4096;

/** The sections of a module in their order (core specification 5.5.2, with tags and the data count). */
const ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

// What follows an opcode (core specification 5.4): so many numbers, or one of these.
const MEMORY_ARGUMENT = 3;
const BLOCK = 4;
const LABELS = 5;
const TYPES = 6;
const HANDLERS = 7;
const BYTES_4 = 8;
const BYTES_8 = 9;
const GC = 10;
const BULK = 11;
const VECTOR = 12;
const ATOMIC = 13;
const UNKNOWN = 14;

const LOOP = 0x03;
const CALL = 0x10;
const CALL_REF_RETURN = 0x15;

/** First opcode, last opcode and what follows them; none of the others takes anything or is known. */
const SHAPES = [
  [0x00, 0x01, 0],
  [0x02, 0x04, BLOCK],
  [0x05, 0x05, 0],
  [0x06, 0x06, BLOCK],
  [0x07, 0x09, 1],
  [0x0a, 0x0b, 0],
  [0x0c, 0x0d, 1],
  [0x0e, 0x0e, LABELS],
  [0x0f, 0x0f, 0],
  [CALL, CALL, 1],
  [0x11, 0x11, 2],
  [0x12, 0x12, 1],
  [0x13, 0x13, 2],
  [0x14, CALL_REF_RETURN, 1],
  [0x18, 0x18, 1],
  [0x19, 0x1b, 0],
  [0x1c, 0x1c, TYPES],
  [0x1f, 0x1f, HANDLERS],
  [0x20, 0x26, 1],
  [0x28, 0x3e, MEMORY_ARGUMENT],
  [0x3f, 0x42, 1],
  [0x43, 0x43, BYTES_4],
  [0x44, 0x44, BYTES_8],
  [0x45, 0xc4, 0],
  [0xd0, 0xd0, 1],
  [0xd1, 0xd1, 0],
  [0xd2, 0xd2, 1],
  [0xd3, 0xd4, 0],
  [0xd5, 0xd6, 1],
  [0xfb, 0xfb, GC],
  [0xfc, 0xfc, BULK],
  [0xfd, 0xfd, VECTOR],
  [0xfe, 0xfe, ATOMIC],
] as const;

/** Numbers after each instruction of the garbage collection proposal, and after those of 0xfc; `b`: flags, a label and two types. */
const GC_NUMBERS = "112222112221111012221111bb00000";
const BULK_NUMBERS = "00000000212121211110000";

let shapes: Uint8Array | undefined;

function shapeTable(): Uint8Array {
  if (shapes === undefined) {
    shapes = new Uint8Array(256).fill(UNKNOWN);
    for (const [first, last, shape] of SHAPES) shapes.fill(shape, first, last + 1);
  }
  return shapes;
}

/** Here and for opcodes nothing is asked of the cursor: most bytes of a module are read by these. Whether it went past the end is seen there. */
function skipNumbers(cursor: Cursor, count: number): void {
  const { bytes } = cursor;
  let { at } = cursor;
  for (let left = count; left > 0; left--) while ((bytes[at++] as number) >= 0x80);
  cursor.at = at;
}

/** A value type, or a block's: of a reference with its heap type apart two numbers, else one. */
function skipType(cursor: Cursor): void {
  const form = cursor.bytes[cursor.at];
  skipNumbers(cursor, form === 0x63 || form === 0x64 ? 2 : 1);
}

function skipMemoryArgument(cursor: Cursor): void {
  // Bit 6 of the alignment: the memory's index follows.
  skipNumbers(cursor, ((cursor.next() ?? 0) & 0x40) === 0 ? 2 : 3);
}

/** Passes over what follows an opcode. */
function skipImmediates(cursor: Cursor, shape: number): void {
  if (shape < MEMORY_ARGUMENT) skipNumbers(cursor, shape);
  else if (shape === MEMORY_ARGUMENT) skipMemoryArgument(cursor);
  else if (shape === BLOCK) skipType(cursor);
  else if (shape === LABELS) skipNumbers(cursor, cursor.count() + 1);
  else if (shape === TYPES) cursor.list(skipType);
  else if (shape === HANDLERS) {
    skipType(cursor);
    // Kinds 0 and 1 name a tag before the label.
    cursor.list(() => skipNumbers(cursor, cursor.byte() < 2 ? 2 : 1));
  } else if (shape === BYTES_4) cursor.skip(4);
  else if (shape === BYTES_8) cursor.skip(8);
  else if (shape === UNKNOWN) cursor.fail();
  else {
    const code = cursor.leb();
    if (shape === GC) skipCounted(cursor, GC_NUMBERS[code]);
    else if (shape === BULK) skipCounted(cursor, BULK_NUMBERS[code]);
    else if (shape === ATOMIC) {
      // A fence takes a byte, every other instruction an address.
      if (code === 3) cursor.skip(1);
      else skipMemoryArgument(cursor);
    } else if (code <= 11 || (code >= 84 && code <= 93)) {
      skipMemoryArgument(cursor);
      if (code >= 84 && code <= 91) cursor.skip(1);
    } else if (code === 12 || code === 13) cursor.skip(16);
    else if (code >= 21 && code <= 34) cursor.skip(1);
  }
}

function skipCounted(cursor: Cursor, count: string | undefined): void {
  if (count === "b") {
    cursor.skip(1);
    skipNumbers(cursor, 3);
  } else if (count === undefined) cursor.fail();
  else skipNumbers(cursor, Number(count));
}

/** Where checks go in the body under the cursor, whose size is passed over: after the head of each loop, and at its start where it calls. */
function findPlaces(cursor: Cursor, end: number, table: Uint8Array): number[] {
  const places: number[] = [];
  cursor.list(() => {
    cursor.leb();
    skipType(cursor);
  });
  const start = cursor.at;
  let calls = false;
  const { bytes } = cursor;
  while (cursor.at < end) {
    const opcode = bytes[cursor.at++] as number;
    skipImmediates(cursor, table[opcode] as number);
    if (opcode === LOOP) places.push(cursor.at);
    else if (opcode >= CALL && opcode <= CALL_REF_RETURN) calls = true;
  }
  if (cursor.at !== end) cursor.fail();
  return calls ? [start, ...places] : places;
}

/** A module with checks, and what has become of its offsets. */
export interface Checked {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The offset in the module as it was given. */
  readonly originalOffset: (offset: number) => number;
}

/**
 * Adds the checks; `undefined` where nothing loops or calls.
 * @throws CompileError for what can't be decoded
 */
export function addLoopChecks(bytes: Uint8Array<ArrayBuffer>): Checked | undefined {
  const { imports } = readInterface(bytes);
  /** A cursor of its own each time. */
  const open = (id: number): Cursor => scanSections(bytes)(id);
  const count = (kind: ExternKind, section: number): number =>
    imports.filter(({ type }) => type.kind === kind).length + open(section).count();
  const type = listTypes(open(TYPE)).length;
  const callee = leb(count("function", FUNCTION));
  const table = leb(count("table", TABLE));
  const budget = leb(count("global", GLOBAL));
  const signed = [0x41, 0x80 | (BUDGET & 0x7f), BUDGET >> 7];

  const check = Uint8Array.from([
    ...[0x23, ...budget, 0x45, 0x04, 0x40, CALL, ...callee, 0x0b],
    ...[0x23, ...budget, 0x41, 1, 0x6b, 0x24, ...budget],
  ]);
  const code = rewriteCode(open(CODE), check);
  if (code === undefined) return undefined;
  const look = [0x41, 0, 0x25, ...table, 0xd1, 0x45, 0x04, 0x40, 0x41, 0, 0x11, ...leb(type), ...table, 0x0b];
  // What is thrown leaves the budget used up: a guest that catches it meets the next check at once.
  const body = [0, ...look, ...signed, 0x24, ...budget, 0x0b];
  const name = Array.from(CHECKS, (character) => character.charCodeAt(0));
  const added = new Map<number, number[]>([
    [TYPE, [0x60, 0, 0]],
    [FUNCTION, leb(type)],
    [TABLE, [0x70, 1, 1, 1]],
    [GLOBAL, [0x7f, 1, ...signed, 0x0b]],
    [EXPORT, [name.length, ...name, 1, ...table]],
    [CODE, [...leb(body.length), ...body]],
  ]);

  const parts: Uint8Array[] = [bytes.subarray(0, HEADER_SIZE)];
  let written = HEADER_SIZE;
  const put = (part: Uint8Array): void => {
    parts.push(part);
    written += part.length;
  };
  /** The section of that id with what is added to it, made where the module has none. */
  const putSection = (id: number, cursor: Cursor, more: readonly number[]): void => {
    const head = leb(cursor.count() + 1);
    const content = id === CODE ? code.parts : [cursor.bytes.subarray(cursor.at, cursor.end)];
    const size = content.reduce((sum, part) => sum + part.length, head.length + more.length);
    put(Uint8Array.from([id, ...leb(size), ...head]));
    if (id === CODE) code.begin(written - cursor.at);
    for (const part of content) put(part);
    put(Uint8Array.from(more));
  };
  const flush = (before: number): void => {
    for (const [id, more] of added) {
      if (ORDER.indexOf(id) >= before) continue;
      added.delete(id);
      putSection(id, open(id), more);
    }
  };
  const cursor = new Cursor(bytes, HEADER_SIZE);
  while (cursor.at < bytes.length) {
    const start = cursor.at;
    const id = cursor.byte();
    const size = cursor.count();
    const end = cursor.at + size;
    if (id === 0) {
      // Those of the code's metadata tell offsets in it.
      if (!cursor.name().startsWith("metadata.code.")) put(bytes.subarray(start, end));
    } else {
      const isExtended = added.has(id);
      flush(ORDER.indexOf(id) + (isExtended ? 1 : 0));
      if (!isExtended) put(bytes.subarray(start, end));
    }
    cursor.at = end;
  }
  return { bytes: concat(parts), originalOffset: code.originalOffset };
}

/** The bodies of the code section with checks put in, as parts to copy, without their count. */
function rewriteCode(cursor: Cursor, check: Uint8Array) {
  const { bytes } = cursor;
  const parts: Uint8Array[] = [];
  /** From which offset in the original on how much further code lies, in ascending order. */
  const offsets: number[] = [];
  const growths: number[] = [];
  let growth = 0;
  const grow = (at: number, by: number): void => {
    growth += by;
    offsets.push(at);
    growths.push(growth);
  };
  let shift = 0;
  const table = shapeTable();
  const count = cursor.count();
  let from = cursor.at;
  for (let left = count; left > 0; left--) {
    const sizeAt = cursor.at;
    const size = cursor.count();
    const start = cursor.at;
    const places = findPlaces(cursor, start + size, table);
    if (places.length === 0) continue;
    const newSize = Uint8Array.from(leb(size + places.length * check.length));
    parts.push(bytes.subarray(from, sizeAt), newSize);
    from = start;
    grow(start, newSize.length - (start - sizeAt));
    for (const place of places) {
      parts.push(bytes.subarray(from, place), check);
      from = place;
      grow(place, check.length);
    }
  }
  if (parts.length === 0) return undefined;
  parts.push(bytes.subarray(from, cursor.at));
  return {
    parts,
    /** @param by how much further on the first body lies */
    begin(by: number): void {
      shift = by;
    },
    originalOffset(offset: number): number {
      let low = 0;
      let high = offsets.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        const moved = (offsets[middle] as number) + (growths[middle] as number) + shift;
        if (moved <= offset) low = middle + 1;
        else high = middle;
      }
      return offset - shift - (growths[low - 1] ?? 0);
    },
  };
}
