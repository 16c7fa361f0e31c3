import type { Cursor } from "./cursor.js";

const HAS_MAXIMUM = 1;
export const SHARED = 2;
export const ADDRESS_64 = 4;
const PAGE_SIZE = 8;

/** Limits of a memory or table (core specification 5.3.12 and 5.3.13, with the threads and custom-page-sizes proposals). */
export interface Limits {
  flags: number;
  minimum: number;
  maximum: number | undefined;
  /** Bytes of a page as a power of two, where the module names one. */
  pageBits: number | undefined;
}

export function readLimits(cursor: Cursor): Limits {
  const flags = cursor.byte();
  if (flags > 15) cursor.fail();
  const minimum = cursor.leb();
  const maximum = flags & HAS_MAXIMUM ? cursor.leb() : undefined;
  return { flags, minimum, maximum, pageBits: flags & PAGE_SIZE ? cursor.leb() : undefined };
}

/** The bytes of limits. */
export function writeLimits({ flags, minimum, maximum, pageBits }: Limits): number[] {
  const rest = [maximum, pageBits].flatMap((value) => (value === undefined ? [] : leb(value)));
  return [maximum === undefined ? flags : flags | HAS_MAXIMUM, ...leb(minimum), ...rest];
}

/** An unsigned LEB128 of a whole number below 2^53. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  bytes.push(left);
  return bytes;
}
