/** Locks in shared memory: a word with the number of who holds it, and one that counts the threads that wait for it. */
import { platform } from "./platform.js";

/** Looks at a lock before a thread sleeps, and between two sleeps. */
const SPINS = 500;

/**
 * Takes the lock in that word; answers false where it could not be had for so many milliseconds.
 * @param isGone whether the holder can't be at work any more, after so many milliseconds of waiting: then it is taken from that
 */
export function takeLock(
  words: Int32Array,
  at: number,
  mine: number,
  milliseconds: number,
  isGone: (holder: number, waited: number) => boolean,
): boolean {
  if (Atomics.compareExchange(words, at, 0, mine) === 0) return true;
  const { monotonicNow, mayBlock } = platform();
  const began = monotonicNow();
  for (let round = 1; ; round++) {
    const holder = Atomics.compareExchange(words, at, 0, mine);
    if (holder === 0) return true;
    if (round % SPINS !== 0) continue;
    const waited = monotonicNow() - began;
    if (isGone(holder, waited) && Atomics.compareExchange(words, at, holder, mine) === holder) return true;
    if (waited > milliseconds) return false;
    if (mayBlock()) {
      Atomics.add(words, at + 1, 1);
      // With a limit, since who was woken may have been terminated before it could take the lock.
      Atomics.wait(words, at, holder, 10);
      Atomics.sub(words, at + 1, 1);
    }
  }
}

/** Gives the lock back, unless it was taken from this thread as one that is gone. */
export function freeLock(words: Int32Array, at: number, mine: number): void {
  if (Atomics.compareExchange(words, at, mine, 0) === mine && Atomics.load(words, at + 1) > 0) {
    Atomics.notify(words, at, 1);
  }
}
