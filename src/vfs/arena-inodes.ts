import {
  ATIME,
  CLASS,
  CTIME,
  DATA,
  INO,
  KIND,
  LINKS,
  MARK_ATIME,
  MARK_MTIME,
  MIN_CLASS,
  MTIME,
  NEXT_INO,
  OPENS,
  PENDING,
  SIZE,
  SLOTS,
} from "./arena-layout.js";

import type { ArenaMemory } from "./arena-memory.js";
import { allocate, free } from "./arena-pages.js";
import { FILETYPE_DIRECTORY } from "./contract.js";

export const filetypeOf = (m: ArenaMemory, node: number): number => m.get(node + KIND) & 0xff;
export const isDirectory = (m: ArenaMemory, node: number): boolean =>
  filetypeOf(m, node) === FILETYPE_DIRECTORY;

export function sizeOf(m: ArenaMemory, node: number): number {
  return (m.get(node + SIZE) >>> 0) + m.get(node + SIZE + 1) * 0x100000000;
}

export function putSize(m: ArenaMemory, node: number, size: number): void {
  m.put(node + SIZE, size | 0);
  const high = Math.floor(size / 0x100000000);
  if (m.get(node + SIZE + 1) !== high) {
    m.put(node + SIZE + 1, high);
  }
}

/** Sets the time at that offset (and the one after it, for MTIME and CTIME in one) to the operation's time. */
export function putTime(m: ArenaMemory, at: number): void {
  m.stamp();
  m.put(at, m.timeLow);
  m.put(at + 1, m.timeHigh);
}

export function touch(m: ArenaMemory, node: number): void {
  putTime(m, node + MTIME);
  putTime(m, node + CTIME);
}

/** Sets the times that reads and writes have marked. */
export function settleTimes(m: ArenaMemory, node: number): void {
  const kind = m.get(node + KIND);
  if ((kind & (MARK_ATIME | MARK_MTIME)) === 0) {
    return;
  }
  if ((kind & MARK_ATIME) !== 0) {
    putTime(m, node + ATIME);
  }
  if ((kind & MARK_MTIME) !== 0) {
    touch(m, node);
  }
  m.put(node + KIND, kind & ~(MARK_ATIME | MARK_MTIME));
  m.commit();
}

/** Marks the access time where a reader could tell: it isn't newer than the last change (`relatime`). */
export function markRead(m: ArenaMemory, node: number): void {
  const words = m.words;
  const kind = words[node + KIND] as number;
  if ((kind & MARK_ATIME) !== 0) {
    return;
  }
  const high = words[node + ATIME + 1] as number;
  const changed = words[node + CTIME + 1] as number;
  if (
    high < changed ||
    (high === changed && (words[node + ATIME] as number) >>> 0 <= (words[node + CTIME] as number) >>> 0) ||
    (kind & MARK_MTIME) !== 0
  ) {
    words[node + KIND] = kind | MARK_ATIME;
  }
}

/** A new inode without a name, uncommitted; 0 when there is no room. */
export function newInode(m: ArenaMemory, filetype: number, links: number): number {
  const node = allocate(m, MIN_CLASS);
  if (node === 0) {
    return 0;
  }
  m.stamp();
  const words = m.words;
  words[node + KIND] = filetype;
  words[node + LINKS] = links;
  words[node + INO] = words[NEXT_INO] as number;
  words[node + INO + 1] = words[NEXT_INO + 1] as number;
  words[node + OPENS] = words[node + SIZE] = words[node + SIZE + 1] = 0;
  words[node + DATA] = words[node + CLASS] = words[node + SLOTS] = 0;
  words[node + ATIME] = words[node + MTIME] = words[node + CTIME] = m.timeLow;
  words[node + ATIME + 1] = words[node + MTIME + 1] = words[node + CTIME + 1] = m.timeHigh;
  const next = ((words[NEXT_INO] as number) + 1) | 0;
  m.put(NEXT_INO, next);
  if (next === 0) {
    m.put(NEXT_INO + 1, m.get(NEXT_INO + 1) + 1);
  }
  return node;
}

/** Part of an operation: notes that the node is to be taken apart after the commit, if nothing refers to it any more. */
export function dropIfUnused(m: ArenaMemory, node: number): void {
  if (m.get(node + LINKS) === 0 && m.get(node + OPENS) === 0) {
    m.put(PENDING, node);
  }
}

/** The last step of taking a node apart. */
export function freeInode(m: ArenaMemory, node: number): void {
  const data = m.get(node + DATA);
  if (data !== 0) {
    free(m, data, m.get(node + CLASS));
  }
  m.put(PENDING, 0);
  free(m, node, MIN_CLASS);
  m.commit();
}
