import type { Backend, Node, Result } from "../vfs/contract.js";
import { ERRNO_INVAL } from "../vfs/errno.js";
import type { Guest } from "./guest.js";
import { ALL_FSTFLAGS, CLOCK_REALTIME, FSTFLAGS_ATIM, FSTFLAGS_MTIM } from "./numbers.js";

/** Sets the times that `fstflags` choose: two bits each, for the time given and for now, which exclude each other. */
export function setTimes(
  guest: Guest,
  backend: Backend,
  node: Node,
  atim: bigint,
  mtim: bigint,
  flags: number,
): Result {
  if ((flags & ~ALL_FSTFLAGS) !== 0 || (flags & (flags >> 1) & (FSTFLAGS_ATIM | FSTFLAGS_MTIM)) !== 0)
    return -ERRNO_INVAL;
  const choose = (time: bigint, given: number): bigint | undefined => {
    if ((flags & given) !== 0) return BigInt.asUintN(64, time);
    return (flags & (given << 1)) !== 0 ? guest.sources.nanoseconds(CLOCK_REALTIME) : undefined;
  };
  return backend.setTimes(node, choose(atim, FSTFLAGS_ATIM), choose(mtim, FSTFLAGS_MTIM));
}
