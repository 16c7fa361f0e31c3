import { CompileError } from "../errors.js";
import { skipConstant } from "./constant.js";
import { Cursor } from "./cursor.js";
import { ADDRESS_64, type Limits, leb, readLimits, SHARED, writeLimits } from "./limits.js";
import { CODE, HEADER_SIZE, IMPORT, MEMORY, TABLE } from "./sections.js";
import { readReference, readValueType } from "./value-types.js";

/** What an instance needs its module's limits to be. */
export interface Rewriting {
  /** Every 32-bit memory, defined and imported, becomes shared; one without a maximum gets 65,536 pages. */
  readonly shared?: boolean;
  /** Most pages (of 64 KiB) of each memory that the module defines. */
  readonly memoryPages?: number;
  /** Most elements of each table that the module defines. */
  readonly tableElements?: number;
}

const PAGE_BITS = 16;
const MOST_PAGES = 65_536;
/** The most that an engine takes as the maximum of a 64-bit memory (V8: 16 GiB). */
const MOST_PAGES_64 = 262_144;
const MOST_ELEMENTS = 2 ** 32 - 1;

/** Replaces the bytes `[start, end)` of a section. */
interface Patch {
  readonly start: number;
  readonly end: number;
  readonly bytes: readonly number[];
}

function isRewritten(id: number, rewriting: Rewriting): boolean {
  if (id === TABLE) return rewriting.tableElements !== undefined;
  if (id === MEMORY) return rewriting.shared === true || rewriting.memoryPages !== undefined;
  return id === IMPORT && rewriting.shared === true;
}

/** The body of a section with its limits rewritten; `undefined` where nothing changes. */
function rewriteSection(
  id: number,
  body: Uint8Array<ArrayBuffer>,
  rewriting: Rewriting,
): Uint8Array | undefined {
  const patches: Patch[] = [];
  const cursor = new Cursor(body);
  const patch = (change: (limits: Limits) => boolean) => {
    const start = cursor.at;
    const limits = readLimits(cursor);
    if (change(limits)) patches.push({ start, end: cursor.at, bytes: writeLimits(limits) });
  };
  try {
    for (let left = cursor.count(); left > 0; left--) {
      if (id === TABLE) {
        rewriteTable(cursor, () => patch((limits) => clampTable(limits, rewriting)));
      } else if (id === MEMORY) {
        patch((limits) => {
          const isClamped = clampMemory(limits, rewriting);
          return share(limits, rewriting) || isClamped;
        });
      } else {
        rewriteImport(cursor, () => patch((limits) => share(limits, rewriting)));
      }
    }
  } catch (error) {
    if (error instanceof LimitError) throw new CompileError(error.message);
    // What can't be read stays as it is: the engine says what is wrong with it.
    return undefined;
  }
  return patches.length > 0 ? spliced(body, patches) : undefined;
}

/** The module needs more than a limit allows. */
class LimitError extends Error {}

/** @param bound what the format or the engines allow anyway */
function clamp(limits: Limits, most: number | undefined, bound: number, what: string): boolean {
  if (most === undefined || (limits.maximum ?? bound) <= most) return false;
  if (limits.minimum > most) {
    throw new LimitError(
      `the module needs ${limits.minimum} ${what} from the start, more than the ${most} that its limits allow: raise them`,
    );
  }
  limits.maximum = most;
  return true;
}

function clampTable(limits: Limits, { tableElements }: Rewriting): boolean {
  return clamp(limits, tableElements, MOST_ELEMENTS, "table elements");
}

function clampMemory(limits: Limits, { memoryPages }: Rewriting): boolean {
  const scale = 2 ** (PAGE_BITS - (limits.pageBits ?? PAGE_BITS));
  const bound = limits.flags & ADDRESS_64 ? MOST_PAGES_64 : MOST_PAGES;
  return clamp(limits, memoryPages && memoryPages * scale, bound * scale, "memory pages");
}

function share(limits: Limits, rewriting: Rewriting): boolean {
  const isOutside = (limits.flags & (SHARED | ADDRESS_64)) !== 0 || limits.pageBits !== undefined;
  if (rewriting.shared !== true || isOutside) return false;
  limits.flags |= SHARED;
  limits.maximum ??= MOST_PAGES;
  return true;
}

function rewriteTable(cursor: Cursor, patch: () => void): void {
  const hasInitializer = cursor.bytes[cursor.at] === 0x40;
  if (hasInitializer) cursor.skip(2);
  readReference(cursor);
  patch();
  if (hasInitializer) skipConstant(cursor);
}

function rewriteImport(cursor: Cursor, patch: () => void): void {
  cursor.skip(cursor.u32());
  cursor.skip(cursor.u32());
  const kind = cursor.byte();
  if (kind === 1) {
    readReference(cursor);
    readLimits(cursor);
  } else if (kind === 2) {
    patch();
  } else if (kind === 3) {
    readValueType(cursor);
    cursor.skip(1);
  } else {
    if (kind === 4) cursor.skip(1);
    cursor.skipLeb();
  }
}

function spliced(body: Uint8Array<ArrayBuffer>, patches: readonly Patch[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const { start, end, bytes } of patches) {
    parts.push(body.subarray(from, start), Uint8Array.from(bytes));
    from = end;
  }
  parts.push(body.subarray(from));
  return concat(parts);
}

/**
 * Rewrites a module as it arrives: holds back the few sections that it may change, each until it is whole, and passes
 * everything else on as it came. From the code section on nothing is looked at. What is malformed passes unchanged.
 */
export class StreamRewriter {
  readonly #rewriting: Rewriting;
  readonly #write: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Bytes to come before the next section's id, or before its end once its size is known. */
  #left = HEADER_SIZE;
  #inHeader = false;
  #size = 0;
  #sizeBytes = 0;
  /** The parts that have come of a section that may change; `undefined` while passing on. */
  #held: Uint8Array<ArrayBuffer>[] | undefined;
  #done = false;
  /** Whether anything was changed so far. */
  changed = false;

  /** @param write takes what is passed on, in order; parts may be empty and may be views of the chunks pushed */
  constructor(rewriting: Rewriting, write: (bytes: Uint8Array<ArrayBuffer>) => void) {
    this.#rewriting = rewriting;
    this.#write = write;
  }

  /** @throws CompileError when the module needs more than its limits allow from the start */
  push(chunk: Uint8Array<ArrayBuffer>): void {
    let from = 0;
    let at = 0;
    while (at < chunk.length && !this.#done) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, chunk.length - at);
        this.#left -= step;
        at += step;
      } else if (this.#inHeader) {
        this.#sizeByte(chunk[at++] as number);
      } else {
        const id = chunk[at] as number;
        if (id === CODE) break;
        if (isRewritten(id, this.#rewriting)) {
          this.#write(chunk.subarray(from, at));
          from = at;
          this.#held = [];
        }
        this.#inHeader = true;
        this.#size = this.#sizeBytes = 0;
        at++;
        continue;
      }
      if (this.#left === 0 && !this.#inHeader && this.#held !== undefined) {
        this.#section(concat([...this.#held, chunk.subarray(from, at)]));
        this.#held = undefined;
        from = at;
      }
    }
    if (at < chunk.length) {
      this.end();
      this.#done = true;
    }
    if (this.#held === undefined) this.#write(chunk.subarray(from));
    else this.#held.push(chunk.subarray(from));
  }

  /** Passes on what is held back of a module that breaks off. */
  end(): void {
    for (const part of this.#held ?? []) this.#write(part);
    this.#held = undefined;
  }

  #sizeByte(byte: number): void {
    this.#size += (byte & 0x7f) * 2 ** (7 * this.#sizeBytes++);
    if (byte < 0x80) {
      this.#inHeader = false;
      this.#left = this.#size;
    } else if (this.#sizeBytes === 5) {
      this.#done = true;
    }
  }

  #section(whole: Uint8Array<ArrayBuffer>): void {
    const header = 1 + this.#sizeBytes;
    const id = whole[0] as number;
    const body = rewriteSection(id, whole.subarray(header), this.#rewriting);
    this.changed ||= body !== undefined;
    this.#write(body === undefined ? whole : concat([Uint8Array.from([id, ...leb(body.length)]), body]));
  }
}

/** A module with its limits rewritten: `head` takes the place of the first `length` bytes. */
export interface RewrittenHead {
  readonly head: Uint8Array<ArrayBuffer>;
  readonly length: number;
}

/**
 * Rewrites a module that is whole; `undefined` where nothing changes. The bulk of the module is not copied.
 * @throws CompileError when the module needs more than its limits allow from the start
 */
export function rewriteHead(bytes: Uint8Array<ArrayBuffer>, rewriting: Rewriting): RewrittenHead | undefined {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const rewriter = new StreamRewriter(rewriting, (part) => parts.push(part));
  rewriter.push(bytes);
  rewriter.end();
  // The part written last is a view of the bytes that stay as they are.
  const tail = parts.pop();
  if (!rewriter.changed || tail === undefined) return undefined;
  return { head: concat(parts), length: bytes.length - tail.length };
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
