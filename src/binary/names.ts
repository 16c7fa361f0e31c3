import { Cursor } from "./cursor.js";

const MODULE_NAME = 0;
const FUNCTION_NAMES = 1;
const MALFORMED = -1;

/** What a name section tells. */
export interface Names {
  /** The module's own name. */
  readonly moduleName: string | undefined;
  /** The name of the function of that index, imports counted. */
  functionName(index: number): string | undefined;
}

/**
 * Reads a name section (core specification, appendix 7.4.1). Engines ignore one that is malformed, so here it gives no names.
 * Nothing is decoded but the names that are asked for.
 */
export function readNames(section = new ArrayBuffer(0)): Names {
  const cursor = new Cursor(new Uint8Array(section));
  const { length } = cursor.bytes;
  let moduleName: string | undefined;
  let id = MODULE_NAME;
  try {
    while (id < FUNCTION_NAMES && cursor.at < length) {
      cursor.end = length;
      id = cursor.byte();
      cursor.end = cursor.count() + cursor.at;
      if (id === MODULE_NAME) {
        moduleName = cursor.name();
        cursor.at = cursor.end;
      }
    }
  } catch {
    // What was read before the malformed part stands.
    id = MALFORMED;
  }
  const start = id === FUNCTION_NAMES ? cursor.at : cursor.end;
  const known = new Map<number, string | undefined>();

  const find = (index: number): string | undefined => {
    cursor.at = start;
    try {
      for (let left = cursor.count(); left > 0; left--) {
        if (cursor.leb() === index) return cursor.name();
        cursor.skip(cursor.leb());
      }
    } catch {
      // As above.
    }
    return undefined;
  };
  return {
    moduleName,
    functionName(index) {
      if (!known.has(index)) known.set(index, find(index));
      return known.get(index);
    },
  };
}
