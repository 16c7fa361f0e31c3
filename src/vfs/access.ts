import { ERRNO_ACCES, ERRNO_NOTCAPABLE } from "./errno.js";
import { ACCESS_CREATE, ACCESS_READ, ACCESS_WRITE } from "./rights.js";

/** What a preopen allows: `"read"` and list what exists, `"write"` (change, rename, remove) what exists, `"create"` what doesn't. */
export type PreopenFlag = "read" | "write" | "create";

const accessOf = new Map<unknown, number>([
  ["read", ACCESS_READ],
  ["write", ACCESS_WRITE],
  ["create", ACCESS_CREATE],
]);

/** The flags of a preopen as bits; -1 where one is unknown, 0 where there is none. */
export function accessBits(flags: Iterable<unknown>): number {
  let bits = 0;
  for (const flag of flags) {
    const bit = accessOf.get(flag);
    if (bit === undefined) return -1;
    bits |= bit;
  }
  return bits;
}

/** The errno for a descriptor that lacks a right: the host's refusal where its access lacks it too, else the guest's own. */
export function refusal(access: number, needed: number): number {
  return (access & needed) === needed ? ERRNO_NOTCAPABLE : ERRNO_ACCES;
}

/**
 * Whether moving or linking a file from a directory with one access into one with another would give the guest a way to
 * read or change it that it hasn't got.
 */
export function widens(from: number, to: number): boolean {
  return (to & ~from & (ACCESS_READ | ACCESS_WRITE)) !== 0;
}
