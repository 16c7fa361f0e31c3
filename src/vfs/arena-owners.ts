import { dropIfUnused } from "./arena-inodes.js";
import { MIN_CLASS, OPENS, OWNER_LIST, OWNER_STATE } from "./arena-layout.js";
import type { ArenaMemory } from "./arena-memory.js";
import { allocate, free } from "./arena-pages.js";

/*
 * What each thread retains, so that it can be released when the thread is terminated: a list of nodes, one entry for each hold, kept
 * in the arena. The thread that made the arena (owner 0) needs none: nothing is left when it ends.
 */

/** Notes one more retain of the node by this thread, uncommitted; `false` when there is no room. */
export function noteRetain(m: ArenaMemory, node: number): boolean {
  const record = m.ownerRecord(m.owner);
  let list = m.get(record + OWNER_LIST);
  let state = m.get(record + OWNER_STATE);
  const count = state >> 5;
  const oldClass = state & 31;
  if (list === 0 || count === 1 << (oldClass - 2)) {
    const sizeClass = list === 0 ? MIN_CLASS : oldClass + 1;
    const larger = allocate(m, sizeClass);
    if (larger === 0) {
      return false;
    }
    if (list !== 0) {
      m.words.copyWithin(larger, list, list + count);
      free(m, list, oldClass);
    }
    list = larger;
    state += sizeClass - oldClass;
    m.put(record + OWNER_LIST, list);
  }
  // Beyond the count nothing is reachable: no need to note what was there.
  m.words[list + count] = node;
  m.put(record + OWNER_STATE, state + 32);
  return true;
}

/** Forgets one retain by this thread, uncommitted. */
export function noteRelease(m: ArenaMemory, node: number): void {
  const record = m.ownerRecord(m.owner);
  const { words } = m;
  const list = m.get(record + OWNER_LIST);
  const state = m.get(record + OWNER_STATE);
  const last = list + (state >> 5) - 1;
  let at = last;
  while (at >= list && words[at] !== node) {
    at--;
  }
  if (at >= list) {
    m.put(at, words[last] as number);
    m.put(record + OWNER_STATE, state - 32);
  }
}

/** Releases all that an owner retains and frees its record, in commits that may be interrupted and continued. */
export function releaseOwner(m: ArenaMemory, owner: number, reap: () => void): void {
  const record = m.ownerRecord(owner);
  const list = m.get(record + OWNER_LIST);
  let state = m.get(record + OWNER_STATE);
  for (; state >= 32; state -= 32) {
    const node = m.get(list + (state >> 5) - 1);
    m.put(record + OWNER_STATE, state - 32);
    m.put(node + OPENS, m.get(node + OPENS) - 1);
    dropIfUnused(m, node);
    m.commit();
    reap();
  }
  if (list !== 0) {
    m.put(record + OWNER_LIST, 0);
    free(m, list, state);
  }
  m.put(record, 0);
  m.commit();
}
