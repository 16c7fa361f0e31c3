/** Which thread holds a lock in shared memory, and which of them are being terminated. */

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
