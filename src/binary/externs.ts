import type { ExternType, MemoryType } from "../shape.js";
import { skipConstant } from "./constant.js";
import type { Cursor } from "./cursor.js";
import { ADDRESS_64, type Limits, readLimits, SHARED } from "./limits.js";
import { type FunctionTypes, readReference, readValueType } from "./value-types.js";

/** The kind of memories, as an index into the readers. */
export const MEMORY_KIND = 2;

/** Reads the type of an import, or of what the module defines itself, with its initializer. */
export type ExternReader = (cursor: Cursor, isDefined?: boolean) => ExternType;

/** Readers by the kind's code: functions, tables, memories, globals, tags (core specification 5.3.17). */
export function externReaders(
  types: FunctionTypes,
  limits: (cursor: Cursor, kind: "table" | "memory") => Limits = readLimits,
): ExternReader[] {
  const read = (cursor: Cursor, kind: "table" | "memory") => {
    const { flags, minimum, maximum, pageBits } = limits(cursor, kind);
    return {
      minimum,
      ...(maximum !== undefined && { maximum }),
      ...(kind === "memory" && { shared: (flags & SHARED) !== 0 }),
      ...(flags & ADDRESS_64 && { address: "i64" as const }),
      ...(pageBits !== undefined && { pageSize: 2 ** pageBits }),
    };
  };
  return [
    (cursor) => types(cursor.u32()),
    (cursor) => {
      const hasInitializer = cursor.bytes[cursor.at] === 0x40;
      if (hasInitializer) cursor.skip(2);
      const element = readReference(cursor);
      const type = { kind: "table", ...read(cursor, "table"), element } as const;
      if (hasInitializer) skipConstant(cursor);
      return Object.freeze(type);
    },
    (cursor) => Object.freeze({ kind: "memory", ...read(cursor, "memory") } as MemoryType),
    (cursor, isDefined) => {
      const value = readValueType(cursor);
      const mutable = (cursor.byte() & 1) === 1;
      if (isDefined) skipConstant(cursor);
      return Object.freeze({ kind: "global", value, mutable });
    },
    (cursor) => {
      cursor.skip(1);
      return Object.freeze({ kind: "tag", parameters: types(cursor.u32()).parameters });
    },
  ];
}

/** The kind of an import, as an index into the readers: functions of an exact type have a code of their own. */
export function importKind(cursor: Cursor): number {
  const kind = cursor.byte();
  return kind === 0x20 ? 0 : kind;
}
