import type { ExternType } from "../shape.js";
import { skipConstant } from "./constant.js";
import type { Cursor } from "./cursor.js";
import { ADDRESS_64, type Limits, readLimits, SHARED } from "./limits.js";
import { type FunctionTypes, readReference, readValueType } from "./value-types.js";

/** The kinds by their codes (core specification 5.3.17). */
export const KINDS = ["function", "table", "memory", "global", "tag"] as const;

/** The kind of memories, as a code. */
export const MEMORY_KIND = 2;

type LimitsReader = (cursor: Cursor, isTable: boolean) => Limits;

/** Reads the code of an import's kind: functions of an exact type have one of their own. */
export function importKind(cursor: Cursor): number {
  const code = cursor.byte();
  return code === 0x20 ? 0 : code;
}

/**
 * Reads the type of an import, or of what the module defines itself, with its initializer.
 * @param code of its kind
 */
export function readExtern(
  cursor: Cursor,
  code: number,
  types: FunctionTypes,
  isDefined = false,
  limits: LimitsReader = readLimits,
): ExternType {
  const kind = KINDS[code] ?? cursor.fail();
  if (kind === "function") return types(cursor.leb());
  let type: ExternType;
  let hasInitializer = false;
  if (kind === "tag") {
    cursor.skip(1);
    type = { kind, parameters: types(cursor.leb()).parameters };
  } else if (kind === "global") {
    const value = readValueType(cursor);
    type = { kind, value, mutable: (cursor.byte() & 1) === 1 };
    hasInitializer = isDefined;
  } else {
    const isTable = kind === "table";
    hasInitializer = isTable && cursor.next() === 0x40;
    if (hasInitializer) cursor.skip(2);
    const element = isTable && readReference(cursor);
    const { flags, minimum, maximum, pageBits } = limits(cursor, isTable);
    type = {
      kind,
      minimum,
      ...(maximum !== undefined && { maximum }),
      ...(element ? { element } : { shared: (flags & SHARED) !== 0 }),
      ...(flags & ADDRESS_64 && { address: "i64" }),
      ...(pageBits !== undefined && { pageSize: 2 ** pageBits }),
    } as ExternType;
  }
  if (hasInitializer) skipConstant(cursor);
  return Object.freeze(type);
}
