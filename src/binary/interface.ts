import type { ExternType, GlobalType, ImportEntry, MemoryType, TableType, TagType } from "../shape.js";
import { skipConstant } from "./constant.js";
import type { Cursor } from "./cursor.js";
import { readMemory, readTable } from "./limits.js";
import { EXPORT, FUNCTION, GLOBAL, IMPORT, MEMORY, scanSections, TABLE, TAG, TYPE } from "./sections.js";
import { FunctionTypes, readValueType } from "./value-types.js";

/** What a module imports and exports, in its order. */
export interface ModuleInterface {
  readonly imports: readonly ImportEntry[];
  readonly exports: ReadonlyMap<string, ExternType>;
}

/**
 * Reads the types of a module's imports and exports from its bytes. Sections are opened as the exports ask for them; the code
 * section never is.
 * @throws CompileError for bytes that are no module. A module that the engine accepts is read whole.
 */
export function readInterface(bytes: Uint8Array<ArrayBuffer>): ModuleInterface {
  const sections = scanSections(bytes);
  const types = new FunctionTypes(sections.open(TYPE));
  // The index spaces: what is imported comes first, what the module defines is read when an export points there.
  const functions: number[] = [];
  const tables: TableType[] = [];
  const memories: MemoryType[] = [];
  const globals: GlobalType[] = [];
  const tags: TagType[] = [];

  const imports: ImportEntry[] = [];
  const importCursor = sections.open(IMPORT);
  for (let left = sectionCount(importCursor); left > 0; left--) {
    const module = importCursor.name();
    const name = importCursor.name();
    imports.push(Object.freeze({ module, name, type: readImportType(importCursor) }));
  }

  function readImportType(cursor: Cursor): ExternType {
    const kind = cursor.byte();
    switch (kind) {
      case 0:
      case 0x20: {
        const index = cursor.u32();
        functions.push(index);
        return types.at(index);
      }
      case 1:
        return pushed(tables, readTable(cursor));
      case 2:
        return pushed(memories, readMemory(cursor));
      case 3:
        return pushed(globals, readGlobal(cursor));
      case 4:
        return pushed(tags, readTag(cursor));
      default:
        return cursor.fail("an unknown kind of import");
    }
  }

  function readTag(cursor: Cursor): TagType {
    cursor.skip(1);
    return Object.freeze({ kind: "tag", parameters: types.at(cursor.u32()).parameters });
  }

  const importedFunctions = functions.length;
  let functionIndexes: Uint32Array | undefined;
  function functionType(index: number): ExternType {
    if (index < importedFunctions) return types.at(functions[index] as number);
    functionIndexes ??= readIndexes(sections.open(FUNCTION));
    return types.at(functionIndexes[index - importedFunctions] ?? -1);
  }

  const opened = new Set<number>();
  /** An entry of an index space; the section that defines the rest of it is read when first needed. */
  function entry<T>(space: T[], index: number, section: number, read: (cursor: Cursor) => T): T {
    if (index >= space.length && !opened.has(section)) {
      opened.add(section);
      const cursor = sections.open(section);
      for (let left = sectionCount(cursor); left > 0; left--) space.push(read(cursor));
    }
    return space[index] ?? exportCursor.fail("an export of what the module does not have");
  }

  const exports = new Map<string, ExternType>();
  const exportCursor = sections.open(EXPORT);
  for (let left = sectionCount(exportCursor); left > 0; left--) {
    const name = exportCursor.name();
    const kind = exportCursor.byte();
    const index = exportCursor.u32();
    exports.set(name, exportType(kind, index));
  }

  function exportType(kind: number, index: number): ExternType {
    switch (kind) {
      case 0:
        return functionType(index);
      case 1:
        return entry(tables, index, TABLE, readDefinedTable);
      case 2:
        return entry(memories, index, MEMORY, readMemory);
      case 3:
        return entry(globals, index, GLOBAL, readDefinedGlobal);
      case 4:
        return entry(tags, index, TAG, readTag);
      default:
        return exportCursor.fail("an unknown kind of export");
    }
  }

  return { imports: Object.freeze(imports), exports };
}

function pushed<T>(space: T[], type: T): T {
  space.push(type);
  return type;
}

function sectionCount(cursor: Cursor): number {
  return cursor.end === 0 ? 0 : cursor.count();
}

function readGlobal(cursor: Cursor): GlobalType {
  const value = readValueType(cursor);
  return Object.freeze({ kind: "global", value, mutable: (cursor.byte() & 1) === 1 });
}

function readDefinedGlobal(cursor: Cursor): GlobalType {
  const type = readGlobal(cursor);
  skipConstant(cursor);
  return type;
}

function readDefinedTable(cursor: Cursor): TableType {
  const hasInitializer = cursor.bytes[cursor.at] === 0x40;
  if (hasInitializer) cursor.skip(2);
  const type = readTable(cursor);
  if (hasInitializer) skipConstant(cursor);
  return type;
}

function readIndexes(cursor: Cursor): Uint32Array {
  const count = sectionCount(cursor);
  const indexes = new Uint32Array(count);
  const { bytes } = cursor;
  for (let index = 0; index < count; index++) {
    // By far the longest loop here, run once before the engine has optimized anything: it makes no call for one byte.
    const byte = bytes[cursor.at] as number;
    if (byte < 0x80 && cursor.at < cursor.end) {
      indexes[index] = byte;
      cursor.at++;
    } else {
      indexes[index] = cursor.u32();
    }
  }
  return indexes;
}
