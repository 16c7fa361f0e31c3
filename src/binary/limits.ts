import type { Cursor } from "./cursor.js";

export const HAS_MAXIMUM = 1;
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
