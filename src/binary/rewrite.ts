import { CompileError } from "../errors.js";
import type { FunctionType } from "../shape.js";
import { Cursor, concat } from "./cursor.js";
import { importKind, readExtern } from "./externs.js";
import { ADDRESS_64, type Limits, readLimits, SHARED } from "./limits.js";
import { CODE, HEADER_SIZE, IMPORT, MEMORY, TABLE } from "./sections.js";
import { leb, writeLimits } from "./write.js";

/** What an instance needs its module's limits to be. */
export interface Rewriting {
  /** Every 32-bit memory, defined and imported, becomes shared. */
  readonly shared?: boolean;
  /** What such a memory gets as its maximum that has none, in pages; default 65,536. The same for all modules of a page. */
  readonly reserve?: number;
  /** Most pages (of 64 KiB) of each memory that the module defines. */
  readonly memoryPages?: number;
  /** Most elements of each table that the module defines. */
  readonly tableElements?: number;
  /** Every loop, and every function that calls, comes by the host's code (see loop-checks.ts). */
  readonly loops?: boolean;
}

const PAGE_BITS = 16;
const MOST_PAGES = 65_536;
/** The most that an engine takes as the maximum of a 64-bit memory (V8: 16 GiB). */
const MOST_PAGES_64 = 262_144;
const MOST_ELEMENTS = 2 ** 32 - 1;
const NO_TYPE: FunctionType = { kind: "function", parameters: [], results: [] };

function isRewritten(id: number, { shared, memoryPages, tableElements }: Rewriting): boolean {
  if (id === TABLE) return tableElements !== undefined;
  return shared === true ? id === IMPORT || id === MEMORY : id === MEMORY && memoryPages !== undefined;
}

/** The body of a section with its limits rewritten; `undefined` where nothing changes. */
function rewriteSection(
  id: number,
  body: Uint8Array<ArrayBuffer>,
  rewriting: Rewriting,
): Uint8Array | undefined {
  const cursor = new Cursor(body);
  const parts: Uint8Array[] = [];
  let from = 0;
  let refusal = "";
  const limits = (_: Cursor, isTable: boolean): Limits => {
    const start = cursor.at;
    const read = readLimits(cursor);
    const [most, what] = isTable
      ? [rewriting.tableElements, "table elements"]
      : [rewriting.memoryPages, "memory pages"];
    const bound = isTable ? MOST_ELEMENTS : read.flags & ADDRESS_64 ? MOST_PAGES_64 : MOST_PAGES;
    const scale = 2 ** (PAGE_BITS - (read.pageBits ?? PAGE_BITS));
    let isChanged = !isTable && share(read, rewriting);
    if (id !== IMPORT && most !== undefined && (read.maximum ?? bound * scale) > most * scale) {
      read.maximum = most * scale;
      isChanged = true;
      if (read.minimum > read.maximum)
        refusal ||= `${read.minimum / scale} ${what} from the start, more than the ${most}`;
    }
    if (isChanged) {
      parts.push(body.subarray(from, start), Uint8Array.from(writeLimits(read)));
      from = cursor.at;
    }
    return read;
  };
  try {
    cursor.list(() => {
      let kind = id === TABLE ? 1 : 2;
      if (id === IMPORT) {
        cursor.skip(cursor.leb());
        cursor.skip(cursor.leb());
        kind = importKind(cursor);
      }
      return readExtern(cursor, kind, () => NO_TYPE, false, limits);
    });
  } catch {
    // What can't be read stays as it is: the engine says what is wrong with it.
    return undefined;
  }
  if (refusal) throw new CompileError(`the module needs ${refusal} that its limits allow: raise them`);
  return from > 0 ? concat([...parts, body.subarray(from)]) : undefined;
}

function share(limits: Limits, { shared, reserve = MOST_PAGES }: Rewriting): boolean {
  const isOutside = (limits.flags & (SHARED | ADDRESS_64)) !== 0 || limits.pageBits !== undefined;
  if (shared !== true || isOutside) return false;
  limits.flags |= SHARED;
  limits.maximum ??= Math.max(limits.minimum, reserve);
  return true;
}

/**
 * Looks for the code section: everything that rewriting may change lies before it, and it is most of a module.
 * @param at where a section begins, as the last call answered; `HEADER_SIZE` at first
 * @returns where the code section begins, or the last section of which `bytes` do not have the whole header
 */
export function findCode(bytes: Uint8Array<ArrayBuffer>, at: number): number {
  const cursor = new Cursor(bytes);
  let section = at;
  try {
    while (section < bytes.length && bytes[section] !== CODE) {
      cursor.at = section + 1;
      section = cursor.leb() + cursor.at;
    }
  } catch {
    // The size is still to come, or is none.
  }
  return section;
}

/** A module with its limits rewritten: `head` takes the place of the first `length` bytes. */
export interface RewrittenHead {
  readonly head: Uint8Array<ArrayBuffer>;
  readonly length: number;
}

/**
 * Rewrites a module, or its part before the code; `undefined` where nothing changes. The bulk of the module is not copied, what
 * is malformed stays as it is.
 * @throws CompileError when the module needs more than its limits allow from the start
 */
export function rewriteHead(bytes: Uint8Array<ArrayBuffer>, rewriting: Rewriting): RewrittenHead | undefined {
  const parts: Uint8Array[] = [];
  const cursor = new Cursor(bytes, HEADER_SIZE);
  let length = 0;
  while (cursor.at < bytes.length && bytes[cursor.at] !== CODE) {
    const start = cursor.at;
    const id = cursor.byte();
    let size: number;
    try {
      size = cursor.count();
    } catch {
      break;
    }
    const from = cursor.at;
    cursor.at += size;
    if (!isRewritten(id, rewriting)) continue;
    const body = rewriteSection(id, bytes.subarray(from, cursor.at), rewriting);
    if (body === undefined) continue;
    parts.push(bytes.subarray(length, start), Uint8Array.from([id, ...leb(body.length)]), body);
    length = cursor.at;
  }
  return length > 0 ? { head: concat(parts), length } : undefined;
}
