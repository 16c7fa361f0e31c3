import type { ExternKind } from "../shape.js";
import { CHECKS, START } from "./checks.js";
import { Cursor, concat } from "./cursor.js";
import { readInterface } from "./interface.js";
import { ADDRESS_64, readLimits } from "./limits.js";
import {
  CODE,
  EXPORT,
  FUNCTION,
  GLOBAL,
  HEADER_SIZE,
  MEMORY,
  scanSections,
  TABLE,
  TYPE,
} from "./sections.js";
import { listTypes } from "./value-types.js";
import { leb } from "./write.js";

/*
 * Checks in every loop, and in every function that calls another, so that a guest comes by the host's code however it goes on.
 * A loop counts its rounds in a local of its own and looks at every 1024th, functions count a global down. To look is to call what
 * lies in a table of one place, where there is something. On its first round a loop counts as a call does: short loops in many calls
 * add up. Instructions that take as long as they are told to (copying, filling, growing) look before each that is large. Counting comes
 * after looking, so a guest that catches what the host has thrown at it meets the next check at once.
 *
 * Types, function, table, global and export are added as the last of their kind: no index of the module's changes.
 */

/** How many rounds of a loop, or calls, go by between two looks; a power of two. */
const BUDGET = 1024;

/** The sections of a module in their order (core specification 5.5.2, with tags and the data count). */
const ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/**
 * What follows each opcode (core specification 5.4), sixteen in a row: so many numbers, `4` or `8` bytes, an address (`m`), a block's
 * type (`b`), labels (`l`), types (`t`), handlers (`h`), or an opcode of garbage collection (`g`), bulk memory and the like (`k`),
 * vectors (`v`) or atomics (`a`). Those with `z` are unknown.
 */
const SHAPES = [
  "00bbb0b1110011l0",
  "121211zz1000tzzh",
  "1111111zmmmmmmmm",
  "mmmmmmmmmmmmmmm1",
  "1114800000000000",
  "0".repeat(112),
  "00000zzzzzzzzzzz",
  "1010011zzzzzzzzz",
  "z".repeat(16),
  "zzzzzzzzzzzgkvaz",
];
/** The letters as numbers of base 36. */
const ATOMIC = 10;
const BLOCK = 11;
const GC = 16;
const HANDLERS = 17;
const BULK = 20;
const LABELS = 21;
const ADDRESS = 22;
const TYPES = 29;
const VECTOR = 31;

const START_SECTION = 8;
const MEMORY_GROW = 0x40;
const GC_PREFIX = 0xfb;
const BULK_PREFIX = 0xfc;

const LOOP = 0x03;
const CALL = 0x10;
const CALL_REF_RETURN = 0x15;

/** Numbers after each instruction of the garbage collection proposal, and after those of 0xfc; `b`: flags, a label and two types. */
const GC_NUMBERS = "112222112221111012221111bb00000";
const BULK_NUMBERS = "00000000212121211110000";
/** Which of these take long: `s` by the 32-bit number on top of the stack, `m` so where the module has no memory of 64 bits, `l` may always. */
const GC_LONG = "      ss ss     ssss";
const BULK_LONG = "        s mms ll l";
/** By that number's bits beyond these it is looked. */
const SHORT_BITS = 14;

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

function skipAddress(cursor: Cursor): void {
  // Bit 6 of the alignment: the memory's index follows.
  skipNumbers(cursor, ((cursor.next() ?? 0) & 0x40) === 0 ? 2 : 3);
}

/** Passes over what follows an opcode. */
function skipImmediates(cursor: Cursor, shape: number): void {
  if (shape <= 2) skipNumbers(cursor, shape);
  else if (shape <= 8) cursor.skip(shape);
  else if (shape === ADDRESS) skipAddress(cursor);
  else if (shape === BLOCK) skipType(cursor);
  else if (shape === LABELS) skipNumbers(cursor, cursor.count() + 1);
  else if (shape === TYPES) cursor.list(skipType);
  else if (shape === HANDLERS) {
    skipType(cursor);
    // Kinds 0 and 1 name a tag before the label.
    cursor.list(() => skipNumbers(cursor, cursor.byte() < 2 ? 2 : 1));
  } else {
    const code = cursor.leb();
    if (shape === GC) skipCounted(cursor, GC_NUMBERS[code]);
    else if (shape === BULK) skipCounted(cursor, BULK_NUMBERS[code]);
    else if (shape === ATOMIC) {
      // A fence takes a byte, every other instruction an address.
      if (code === 3) cursor.skip(1);
      else skipAddress(cursor);
    } else if (shape !== VECTOR) cursor.fail();
    else if (code <= 11 || (code >= 84 && code <= 93)) {
      skipAddress(cursor);
      // The number of a lane.
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

/** What a function's body needs to get its checks. */
type Body = readonly [
  /** How many groups of locals it declares, where they begin, how many locals these are, and where they end. */
  groups: number,
  groupsAt: number,
  locals: number,
  codeAt: number,
  /** Where checks go: to the first instruction of a loop, or before what takes long (see `GC_LONG`). */
  places: readonly (readonly [at: number, long?: string])[],
  calls: boolean,
];

/** Reads the body under the cursor, whose size is passed over. */
function readBody(cursor: Cursor, end: number, shapes: Uint8Array): Body {
  const groups = cursor.count();
  const groupsAt = cursor.at;
  let locals = 0;
  for (let left = groups; left > 0; left--) {
    locals += cursor.leb();
    skipType(cursor);
  }
  const codeAt = cursor.at;
  const places: (readonly [number, string?])[] = [];
  let calls = false;
  const { bytes } = cursor;
  while (cursor.at < end) {
    const from = cursor.at++;
    const opcode = bytes[from] as number;
    skipImmediates(cursor, shapes[opcode] as number);
    if (opcode === LOOP) places.push([cursor.at]);
    else if (opcode >= CALL && opcode <= CALL_REF_RETURN) calls = true;
    else if (opcode === MEMORY_GROW) places.push([from, "l"]);
    else if (opcode === GC_PREFIX || opcode === BULK_PREFIX) {
      const code = new Cursor(bytes, from + 1).leb();
      const long = (opcode === GC_PREFIX ? GC_LONG : BULK_LONG)[code] ?? " ";
      if (long !== " ") places.push([from, long]);
    }
  }
  if (cursor.at !== end) cursor.fail();
  return [groups, groupsAt, locals, codeAt, places, calls];
}

/** A module with checks, and what has become of its offsets. */
export interface Checked {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The offset in the module as it was given. */
  readonly originalOffset: (offset: number) => number;
}

/**
 * Adds the checks; `undefined` where nothing loops, calls or takes long.
 * @throws CompileError for what can't be decoded
 */
export function addLoopChecks(bytes: Uint8Array<ArrayBuffer>): Checked | undefined {
  const { imports } = readInterface(bytes);
  /** A cursor of its own each time. */
  const open = (id: number): Cursor => scanSections(bytes)(id);
  const count = (kind: ExternKind, section: number): number =>
    imports.filter(({ type }) => type.kind === kind).length + open(section).count();
  const types = listTypes(open(TYPE));
  const indexes = open(FUNCTION);
  const params = indexes.list(() => types[indexes.leb()]?.parameters.length ?? indexes.fail());
  const callee = leb(count("function", FUNCTION));
  const table = leb(count("table", TABLE));
  const budget = leb(count("global", GLOBAL));
  const full = [0x41, 0x80 | (BUDGET & 0x7f), BUDGET >> 7];
  const countDown = [0x23, ...budget, 0x41, 1, 0x6b, 0x24, ...budget];

  const memories = open(MEMORY);
  const wide =
    imports.some(({ type }) => type.kind === "memory" && type.address !== undefined) ||
    memories.list(readLimits).some(({ flags }) => (flags & ADDRESS_64) !== 0);
  const lookNow = [0x41, 1, CALL, ...callee];

  const code = rewriteCode(open(CODE), params, {
    // if (length >> SHORT_BITS) look(1)
    long(kind, local) {
      if (kind === "l" || (kind === "m" && wide)) return lookNow;
      const length = leb(local);
      return [0x22, ...length, 0x41, SHORT_BITS, 0x76, 0x04, 0x40, ...lookNow, 0x0b, 0x20, ...length];
    },
    // if (budget = 0) look(0); budget -= 1
    call: [0x23, ...budget, 0x45, 0x04, 0x40, 0x41, 0, CALL, ...callee, 0x0b, ...countDown],
    // if (round % BUDGET = 0) look(round); round += 1
    loop(local) {
      const round = leb(local);
      const look = [0x20, ...round, CALL, ...callee];
      const next = [0x20, ...round, 0x41, 1, 0x6a, 0x21, ...round];
      return [0x20, ...round, 0x41, 0xff, (BUDGET - 1) >> 7, 0x71, 0x45, 0x04, 0x40, ...look, 0x0b, ...next];
    },
  });
  if (code === undefined) return undefined;
  const look = [
    0x41,
    0,
    0x25,
    ...table,
    0xd1,
    0x45,
    0x04,
    0x40,
    0x41,
    0,
    0x11,
    ...leb(types.length),
    ...table,
    0x0b,
  ];
  const first = [0x20, 0, 0x45, 0x23, ...budget, 0x45, 0x45, 0x71, 0x04, 0x40, ...countDown, 0x0f, 0x0b];
  // if (round = 0 and budget > 0) { budget -= 1; return }; if (table[0]) table[0](); budget = BUDGET
  const body = [0, ...first, ...look, ...full, 0x24, ...budget, 0x0b];
  const named = (name: string): number[] => [
    name.length,
    ...Array.from(name, (character) => character.charCodeAt(0)),
  ];
  const exported = [...named(CHECKS), 1, ...table];
  const start = open(START_SECTION);
  const starts = start.bytes === bytes;
  // It runs when the checks are armed, so that it has them as well.
  if (starts) exported.push(...named(START), 0, ...leb(start.leb()));
  /** What is added to each section: how many items, and these. */
  const added = new Map<number, [number, ...number[]]>([
    // Of what lies in the table, and of the function that looks.
    [TYPE, [2, 0x60, 0, 0, 0x60, 1, 0x7f, 0]],
    [FUNCTION, [1, ...leb(types.length + 1)]],
    [TABLE, [1, 0x70, 1, 1, 1]],
    [GLOBAL, [1, 0x7f, 1, ...full, 0x0b]],
    [EXPORT, [starts ? 2 : 1, ...exported]],
    [CODE, [1, ...leb(body.length), ...body]],
  ]);

  const parts: Uint8Array[] = [bytes.subarray(0, HEADER_SIZE)];
  let written = HEADER_SIZE;
  const put = (part: Uint8Array): void => {
    parts.push(part);
    written += part.length;
  };
  /** The section of that id with what is added to it, made where the module has none. */
  const putSection = (id: number, cursor: Cursor, [items, ...more]: [number, ...number[]]): void => {
    const head = leb(cursor.count() + items);
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
    const from = cursor.at;
    const id = cursor.byte();
    const size = cursor.count();
    const end = cursor.at + size;
    if (id === 0) {
      // Those of the code's metadata tell offsets in it.
      if (!cursor.name().startsWith("metadata.code.")) put(bytes.subarray(from, end));
    } else {
      const isExtended = added.has(id);
      flush(ORDER.indexOf(id) + (isExtended ? 1 : 0));
      if (!isExtended && id !== START_SECTION) put(bytes.subarray(from, end));
    }
    cursor.at = end;
  }
  return { bytes: concat(parts), originalOffset: code.originalOffset };
}

interface Checks {
  readonly call: readonly number[];
  /** @param local counts the rounds */
  readonly loop: (local: number) => readonly number[];
  /** @param local keeps a length */
  readonly long: (kind: string, local: number) => readonly number[];
}

/**
 * The bodies of the code section with checks put in, as parts to copy, without their count.
 * @param params how many each function has
 */
function rewriteCode(cursor: Cursor, params: readonly number[], checks: Checks) {
  const { bytes } = cursor;
  const parts: Uint8Array[] = [];
  /** From which offset in the original on how much further code lies, in ascending order. */
  const offsets: number[] = [];
  const growths: number[] = [];
  let growth = 0;
  let shift = 0;
  const shapes = Uint8Array.from(SHAPES.join(""), (shape) => Number.parseInt(shape, 36));
  const count = cursor.count();
  let from = cursor.at;
  /** Puts something in the place of what lies between two offsets. */
  const put = (start: number, end: number, part: ArrayLike<number>): void => {
    parts.push(bytes.subarray(from, start), Uint8Array.from(part));
    from = end;
    growth += part.length - (end - start);
    offsets.push(end);
    growths.push(growth);
  };
  for (let index = 0; index < count; index++) {
    const sizeAt = cursor.at;
    const size = cursor.count();
    const start = cursor.at;
    const [groups, groupsAt, locals, codeAt, places, calls] = readBody(cursor, start + size, shapes);
    const hasLocals = places.length > 0;
    if (!hasLocals && !calls) continue;
    // Two locals are added, for the rounds and a length.
    const round = (params[index] ?? cursor.fail()) + locals;
    const loop = checks.loop(round);
    const added = places.map(([, long]) => (long === undefined ? loop : checks.long(long, round + 1)));
    const head = leb(groups + 1);
    const entry = [...(hasLocals ? [2, 0x7f] : []), ...(calls ? checks.call : [])];
    const headGrowth = hasLocals ? head.length - (groupsAt - start) : 0;
    const more = added.reduce((sum, check) => sum + check.length, headGrowth + entry.length);
    put(sizeAt, start, leb(size + more));
    if (hasLocals) put(start, groupsAt, head);
    put(codeAt, codeAt, entry);
    for (const [which, [place]] of places.entries()) put(place, place, added[which] as readonly number[]);
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
