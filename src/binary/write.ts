import { HAS_MAXIMUM, type Limits } from "./limits.js";

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
