import type { Guest } from "./guest.js";
import { CLOCK_REALTIME } from "./sources.js";

/** How a version of WASI lays out a `filestat`; `store` puts the guest's `filestat` at a place that was checked. */
export interface FilestatLayout {
  readonly size: number;
  store(guest: Guest, at: number): void;
}

/** 64 bytes: the very layout of `Filestat`. */
export const PREVIEW1_FILESTAT: FilestatLayout = {
  size: 64,
  store(guest, at) {
    // Code of the host may have run and grown the memory.
    guest.has(at, 64);
    guest.bytes.set(guest.filestat.bytes, at);
  },
};

/** 56 bytes: `nlink` is a u32 and moves up. */
export const UNSTABLE_FILESTAT: FilestatLayout = {
  size: 56,
  store(guest, at) {
    guest.has(at, 56);
    const { bytes, words } = guest.filestat;
    guest.bytes.set(bytes.subarray(0, 20), at);
    guest.setU32(at + 20, words[7] !== 0 ? 0xffffffff : (words[6] as number));
    guest.bytes.set(bytes.subarray(32), at + 24);
  },
};

const FSTFLAGS_ATIM = 1;
const FSTFLAGS_ATIM_NOW = 2;
const FSTFLAGS_MTIM = 4;
const FSTFLAGS_MTIM_NOW = 8;

/** The times that `fstflags` choose; `undefined` for flags that contradict each other. */
export function chosenTimes(
  guest: Guest,
  atim: bigint,
  mtim: bigint,
  flags: number,
): { atim: bigint | undefined; mtim: bigint | undefined } | undefined {
  const choose = (time: bigint, given: number, now: number): bigint | undefined => {
    if ((flags & given) !== 0) return BigInt.asUintN(64, time);
    return (flags & now) !== 0 ? guest.sources.nanoseconds(CLOCK_REALTIME) : undefined;
  };
  const atimBoth = FSTFLAGS_ATIM | FSTFLAGS_ATIM_NOW;
  const mtimBoth = FSTFLAGS_MTIM | FSTFLAGS_MTIM_NOW;
  if ((flags & ~(atimBoth | mtimBoth)) !== 0) return undefined;
  if ((flags & atimBoth) === atimBoth || (flags & mtimBoth) === mtimBoth) return undefined;
  return {
    atim: choose(atim, FSTFLAGS_ATIM, FSTFLAGS_ATIM_NOW),
    mtim: choose(mtim, FSTFLAGS_MTIM, FSTFLAGS_MTIM_NOW),
  };
}
