import type { BigIntStats } from "node:fs";
import type { Filestat } from "../../src/vfs/contract.js";
import { filetypeOf } from "./directory-entry.js";

/** At most so many files whose times were set to more digits than the runtime passes on. */
const KEPT = 4096;

interface Precise {
  readonly dev: bigint;
  /** What was asked for, and what the host said after it was set. */
  readonly atim: bigint;
  readonly mtim: bigint;
  readonly hostAtim: bigint;
  readonly hostMtim: bigint;
}

/**
 * Nanoseconds that `node:fs` loses. Its `utimes` takes seconds as a double and passes on microseconds (Node 20; Deno
 * milliseconds), so what a guest sets is kept here beside what the host made of it, and answered for as long as the host's times
 * are those. On the disk, and for another thread or process, the digits below are lost; and setting one of the two times
 * cuts the other to the same digits.
 */
export class PreciseTimes {
  readonly #kept = new Map<bigint, Precise>();

  /** Remembers what was asked for, given what the host says now. */
  remember(stats: BigIntStats, atim: bigint, mtim: bigint): void {
    this.#kept.delete(stats.ino);
    const exact = stats.atimeNs === atim && stats.mtimeNs === mtim;
    // A host that clamped or refused the time is to be believed.
    if (exact || !near(stats.atimeNs, atim) || !near(stats.mtimeNs, mtim)) {
      return;
    }
    if (this.#kept.size >= KEPT) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    const { dev, atimeNs: hostAtim, mtimeNs: hostMtim } = stats;
    this.#kept.set(stats.ino, { dev, atim, mtim, hostAtim, hostMtim });
  }

  atim(stats: BigIntStats): bigint {
    const kept = this.#find(stats);
    return kept !== undefined && kept.hostAtim === stats.atimeNs ? kept.atim : stats.atimeNs;
  }

  mtim(stats: BigIntStats): bigint {
    const kept = this.#find(stats);
    return kept !== undefined && kept.hostMtim === stats.mtimeNs ? kept.mtim : stats.mtimeNs;
  }

  fill(stats: BigIntStats, into: Filestat): void {
    const { longs } = into;
    longs[0] = stats.dev;
    longs[1] = stats.ino;
    longs[2] = BigInt(filetypeOf(stats));
    longs[3] = stats.nlink;
    longs[4] = stats.size;
    longs[5] = unsigned(this.atim(stats));
    longs[6] = unsigned(this.mtim(stats));
    longs[7] = unsigned(stats.ctimeNs);
  }

  #find(stats: BigIntStats): Precise | undefined {
    if (this.#kept.size === 0) {
      return undefined;
    }
    const kept = this.#kept.get(stats.ino);
    return kept?.dev === stats.dev ? kept : undefined;
  }
}

/** Seconds as `utimes` takes them: the double at or above, because the runtime cuts off what it doesn't pass on. */
export function toSeconds(nanoseconds: bigint): number {
  const whole = Number(nanoseconds / 1_000_000_000n);
  const rest = Number(nanoseconds % 1_000_000_000n);
  const nearest = whole + rest / 1e9;
  const step = 2 ** (Math.floor(Math.log2(Math.max(whole, 1))) - 52);
  return (nearest - whole) * 1e9 < rest ? nearest + step : nearest;
}

function near(host: bigint, asked: bigint): boolean {
  const apart = host - asked;
  return apart <= 1_000_000n && apart >= -1_000_000n;
}

/** Files from before 1970 can't be told in preview 1. */
function unsigned(time: bigint): bigint {
  return time < 0n ? 0n : time;
}
