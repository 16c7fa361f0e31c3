/** Which thread holds a lock in shared memory, which of them are being terminated, and whether this one is. */
import { StoppedError } from "./errors.js";

/** For how long a thread that is being terminated may still go on, in milliseconds. */
export const TERMINATION_GRACE = 100;

let current = 1;
const dying = new Set<number>();

/** Names this thread in the locks it takes; 1 is the host, every background thread gets a number of its own. */
export function setLockOwner(id: number): void {
  current = id;
}

/** Tells that a thread is being terminated: a lock that it holds may be taken over once it can't be running any more. */
export function markDying(id: number): void {
  dying.add(id);
}

/** Forgets a thread that is gone and whose locks have been recovered. */
export function forgetThread(id: number): void {
  dying.delete(id);
}

/** The number of this thread. */
export function lockOwner(): number {
  return current;
}

/** Whether a thread is being terminated. */
export function isDying(id: number): boolean {
  return dying.has(id);
}

/** Not 0 once the host has stopped this thread; the host's own has none. */
let stopWord: Int32Array | undefined;

/** Tells this thread by which word, one that is shared, it is told that it has been stopped. */
export function setStopWord(word: Int32Array): void {
  stopWord = word;
}

/**
 * Whether this thread has been stopped. An engine may let it run on for seconds (Chromium: two), as far as it isn't asked here: what it
 * does then is nobody's any more.
 */
export function isStopped(): boolean {
  return stopWord !== undefined && Atomics.load(stopWord, 0) !== 0;
}

/** @throws StoppedError where this thread has been stopped: its guest is unwound */
export function leaveIfStopped(): void {
  if (isStopped()) throw new StoppedError("the process was stopped");
}

/** Sleeps for so many milliseconds, where this thread may. */
export function sleepFor(milliseconds: number): void {
  stopWord ??= new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(stopWord, 0, 0, milliseconds);
  leaveIfStopped();
}
