import { dropIfUnused } from "./arena-inodes.js";
import { MIN_CLASS, OPENS, OWNER_STATE, OWNER_TABLE } from "./arena-layout.js";
import type { ArenaMemory } from "./arena-memory.js";
import { allocate, free } from "./arena-pages.js";

/*
 * What each thread retains, so that it can be released when the thread is terminated: an open-addressed table of (node, count),
 * kept in the arena. The thread that made the arena (owner 0) needs none: nothing is left when it ends.
 */

const place = (node: number, mask: number): number => (Math.imul(node >> 4, 0x9e3779b1) >>> 7) & mask;

/** Index of the node's pair, or of the empty one where it belongs. */
function find(m: ArenaMemory, table: number, mask: number, node: number): number {
  const words = m.words;
  let at = place(node, mask);
  for (;;) {
    const there = words[table + 2 * at] as number;
    if (there === node || there === 0) {
      return at;
    }
    at = (at + 1) & mask;
  }
}

/** Notes one more retain of the node by this thread, uncommitted; `false` when there is no room. */
export function noteRetain(m: ArenaMemory, node: number): boolean {
  const record = m.ownerRecord(m.owner);
  let table = m.get(record + OWNER_TABLE);
  let state = m.get(record + OWNER_STATE);
  let mask = (1 << ((state & 31) - 3)) - 1;
  if (table === 0 || (state >> 5) * 4 > mask * 3) {
    const sizeClass = table === 0 ? MIN_CLASS : (state & 31) + 1;
    const larger = allocate(m, sizeClass);
    if (larger === 0) {
      return false;
    }
    m.words.fill(0, larger, larger + (1 << (sizeClass - 2)));
    const largerMask = (1 << (sizeClass - 3)) - 1;
    if (table !== 0) {
      for (let at = 0; at <= mask; at++) {
        const entry = m.get(table + 2 * at);
        if (entry !== 0) {
          const to = larger + 2 * find(m, larger, largerMask, entry);
          m.words[to] = entry;
          m.words[to + 1] = m.get(table + 2 * at + 1);
        }
      }
      free(m, table, state & 31);
    }
    table = larger;
    mask = largerMask;
    state = sizeClass | (state & ~31);
    m.put(record + OWNER_TABLE, table);
    m.put(record + OWNER_STATE, state);
  }
  const pair = table + 2 * find(m, table, mask, node);
  if (m.get(pair) === 0) {
    m.put(pair, node);
    m.put(pair + 1, 1);
    m.put(record + OWNER_STATE, state + 32);
  } else {
    m.put(pair + 1, m.get(pair + 1) + 1);
  }
  return true;
}

/** Forgets one retain by this thread, uncommitted; `false` when it has none of that node. */
export function noteRelease(m: ArenaMemory, node: number): boolean {
  const record = m.ownerRecord(m.owner);
  const table = m.get(record + OWNER_TABLE);
  if (table === 0) {
    return false;
  }
  const state = m.get(record + OWNER_STATE);
  const mask = (1 << ((state & 31) - 3)) - 1;
  let hole = find(m, table, mask, node);
  const pair = table + 2 * hole;
  if (m.get(pair) === 0) {
    return false;
  }
  const count = m.get(pair + 1);
  if (count > 1) {
    m.put(pair + 1, count - 1);
    return true;
  }
  m.put(record + OWNER_STATE, state - 32);
  // Closes the gap, so that no probe ends early: an entry moves up when its own place isn't after the hole.
  for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
    const entry = m.get(table + 2 * at);
    if (entry === 0) {
      break;
    }
    if (((at - place(entry, mask)) & mask) >= ((at - hole) & mask)) {
      m.put(table + 2 * hole, entry);
      m.put(table + 2 * hole + 1, m.get(table + 2 * at + 1));
      hole = at;
    }
  }
  m.put(table + 2 * hole, 0);
  return true;
}

/** Releases all that an owner retains and frees its record, in commits that may be interrupted and continued. */
export function releaseOwner(m: ArenaMemory, owner: number, reap: () => void): void {
  const record = m.ownerRecord(owner);
  const table = m.get(record + OWNER_TABLE);
  if (table !== 0) {
    const sizeClass = m.get(record + OWNER_STATE) & 31;
    for (let pair = table; pair < table + (1 << (sizeClass - 2)); pair += 2) {
      const node = m.get(pair);
      const count = m.get(pair + 1);
      if (node !== 0 && count !== 0) {
        m.put(pair + 1, 0);
        m.put(node + OPENS, m.get(node + OPENS) - count);
        dropIfUnused(m, node);
        m.commit();
        reap();
      }
    }
    m.put(record + OWNER_TABLE, 0);
    free(m, table, sizeClass);
  }
  m.put(record, 0);
  m.commit();
}
