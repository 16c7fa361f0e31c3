import { Cursor } from "./cursor.js";
import { scanSections } from "./sections.js";

const MODULE_NAME = 0;
const FUNCTION_NAMES = 1;

/**
 * The name section (core specification, appendix 7.4.1). Engines ignore one that is malformed, so here it gives no names.
 * Nothing is decoded but the names that are asked for.
 */
export class NameSection {
  readonly #functions: Cursor | undefined;
  readonly #known = new Map<number, string | undefined>();
  /** The module's own name. */
  readonly moduleName: string | undefined;

  /** @param cursor over the section, its name passed over */
  constructor(cursor: Cursor) {
    try {
      while (cursor.at < cursor.end) {
        const id = cursor.byte();
        const size = cursor.count();
        const part = new Cursor(cursor.bytes, cursor.at, cursor.at + size);
        if (id === MODULE_NAME) this.moduleName = part.name();
        if (id === FUNCTION_NAMES) this.#functions = part;
        if (id >= FUNCTION_NAMES) return;
        cursor.at += size;
      }
    } catch {
      // What was read before the malformed part stands.
    }
  }

  /** The name section of a whole module. */
  static ofModule(bytes: Uint8Array<ArrayBuffer>): NameSection {
    return new NameSection(scanSections(bytes).names);
  }

  /** The name of the function of that index, imports counted. */
  functionName(index: number): string | undefined {
    if (!this.#known.has(index)) this.#known.set(index, this.#find(index));
    return this.#known.get(index);
  }

  #find(index: number): string | undefined {
    if (this.#functions === undefined) return undefined;
    const { bytes, at, end } = this.#functions;
    const cursor = new Cursor(bytes, at, end);
    try {
      for (let left = cursor.count(); left > 0; left--) {
        const named = cursor.u32();
        if (named === index) return cursor.name();
        cursor.skip(cursor.u32());
      }
    } catch {
      // As above.
    }
    return undefined;
  }
}
