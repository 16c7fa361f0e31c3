import type { ExternType, ImportEntry } from "../shape.js";
import type { Cursor } from "./cursor.js";
import { importKind, KINDS, readExtern } from "./externs.js";
import {
  EXPORT,
  FUNCTION,
  GLOBAL,
  HEADER_SIZE,
  IMPORT,
  importing,
  MEMORY,
  scanSections,
  TABLE,
  TAG,
  TYPE,
} from "./sections.js";
import { readTypes } from "./value-types.js";

/** What a module imports and exports, in its order. */
export interface ModuleInterface {
  readonly imports: readonly ImportEntry[];
  readonly exports: ReadonlyMap<string, ExternType>;
  /** A module whose only import is that of the index, without its names. */
  probe(index: number): Uint8Array<ArrayBuffer>;
}

/** The sections that define what is of each kind; functions have theirs apart. */
const DEFINED = [FUNCTION, TABLE, MEMORY, GLOBAL, TAG];

/**
 * Reads the types of a module's imports and exports from its bytes. Sections are opened as the exports ask for them; the code
 * section never is.
 * @throws CompileError for bytes that are no module. A module that the engine accepts is read whole.
 */
export function readInterface(bytes: Uint8Array<ArrayBuffer>): ModuleInterface {
  const open = scanSections(bytes);
  const typeSection = open(TYPE);
  const types = readTypes(typeSection);
  const descriptions: Uint8Array[] = [];
  // The index spaces: what is imported comes first, what the module defines is read when an export points there.
  const spaces: ExternType[][] = KINDS.map(() => []);
  const imports = open(IMPORT).list((cursor) => {
    const module = cursor.name();
    const name = cursor.name();
    const from = cursor.at;
    const kind = importKind(cursor);
    const type = readExtern(cursor, kind, types);
    descriptions.push(bytes.subarray(from, cursor.at));
    spaces[kind]?.push(type);
    return Object.freeze({ module, name, type });
  });

  let functions: Uint32Array | undefined;
  const exports = new Map<string, ExternType>();
  open(EXPORT).list((cursor) => {
    const name = cursor.name();
    const kind = cursor.byte();
    const index = cursor.leb();
    const space = spaces[kind] ?? [];
    let type = space[index];
    if (type === undefined && kind === 0) {
      // There may be very many: none is decoded but those that are exported.
      functions ??= readIndexes(open(FUNCTION));
      type = types(functions[index - space.length] ?? -1);
    } else if (type === undefined) {
      open(DEFINED[kind] ?? -1).list((each) => space.push(readExtern(each, kind, types, true)));
      type = space[index];
    }
    exports.set(name, type ?? cursor.fail());
  });
  return {
    imports: Object.freeze(imports),
    exports,
    // The types come first in a module.
    probe: (index) =>
      importing(bytes.subarray(0, Math.max(HEADER_SIZE, typeSection.end)), descriptions[index] ?? []),
  };
}

function readIndexes(cursor: Cursor): Uint32Array {
  const count = cursor.count();
  const indexes = new Uint32Array(count);
  const { bytes } = cursor;
  for (let index = 0; index < count; index++) {
    // By far the longest loop here, run once before the engine has optimized anything: it makes no call for one byte.
    const byte = bytes[cursor.at] as number;
    if (byte < 0x80 && cursor.at < cursor.end) {
      indexes[index] = byte;
      cursor.at++;
    } else {
      indexes[index] = cursor.leb();
    }
  }
  return indexes;
}
