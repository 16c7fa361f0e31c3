import { blockIndex, blockOf, capacityOf, copy, roomOf } from "./arena-content.js";
import { putSize, sizeOf } from "./arena-inodes.js";
import {
  BLOCK,
  CLASS,
  DATA,
  KIND,
  MAPPED,
  MARK_MTIME,
  MAX_FILE_SIZE,
  MIN_CLASS,
  PAGE_CLASS,
  SIZE,
} from "./arena-layout.js";
import type { ArenaMemory } from "./arena-memory.js";
import { allocate, classFor, free } from "./arena-pages.js";
import { FILETYPE_REGULAR_FILE } from "./contract.js";
import { ERRNO_FBIG, ERRNO_NOSPC } from "./errno.js";

/**
 * The frequent writes, into the only block or within one that is there, as their own function that engines inline. Answers false
 * where it did nothing.
 */
export function rewriteBlock(
  m: ArenaMemory,
  node: number,
  offset: number,
  source: Uint8Array,
  start: number,
  length: number,
): boolean {
  const words = m.words;
  const kind = words[node + KIND] as number;
  const size = words[node + SIZE] as number;
  const data = words[node + DATA] as number;
  const sizeClass = words[node + CLASS] as number;
  const end = offset + length;
  // A size from 2^31 on is less than 0 here: what is left is one store.
  if (offset > size || end > 0x7fffffff || (kind & 0xff) !== FILETYPE_REGULAR_FILE) {
    return false;
  }
  let at = 0;
  if ((kind & MAPPED) === 0) {
    if (end <= capacityOf(sizeClass)) {
      at = (data << 2) + offset;
    }
  } else {
    const index = offset >>> PAGE_CLASS;
    const within = offset & (BLOCK - 1);
    if (within + length <= BLOCK && index < 1 << (sizeClass - 2)) {
      at = ((words[data + index] as number) << 2) + within;
    }
  }
  // No block lies in the first page.
  if (at < BLOCK || words[node + SIZE + 1] !== 0) {
    return false;
  }
  copy(m.bytes, at, source, start, length);
  if (end > size) {
    words[node + SIZE] = end;
  }
  if ((kind & MARK_MTIME) === 0 && length > 0) {
    words[node + KIND] = kind | MARK_MTIME;
  }
  return true;
}

export function writeFile(
  m: ArenaMemory,
  node: number,
  offset: number,
  source: Uint8Array,
  start: number,
  length: number,
): number {
  if (length <= 0) {
    return 0;
  }
  const end = offset + length;
  if (end > MAX_FILE_SIZE) {
    return -ERRNO_FBIG;
  }
  zeroTail(m, node, offset);
  const inOneBlock = (m.get(node + KIND) & MAPPED) === 0 && end <= BLOCK;
  if (inOneBlock ? !enlarge(m, node, end, offset) : !mapBlocks(m, node, blockIndex(end - 1) + 1, offset)) {
    return -ERRNO_NOSPC;
  }
  let done = 0;
  while (done < length) {
    const index = blockIndex(offset + done);
    const within = offset + done - index * BLOCK;
    const part = Math.min(length - done, BLOCK - within);
    const size = sizeOf(m, node);
    let block = blockOf(m, node, index);
    if (block === 0) {
      block = allocate(m, PAGE_CLASS);
      if (block === 0) {
        m.rollback();
        break;
      }
      const from = block << 2;
      m.bytes.fill(0, from, from + within);
      const inFile = Math.min(BLOCK, size - index * BLOCK);
      if (inFile > within + part) {
        m.bytes.fill(0, from + within + part, from + inFile);
      }
      m.put(m.get(node + DATA) + index, block);
    }
    copy(m.bytes, (block << 2) + within, source, start + done, part);
    done += part;
    if (offset + done > size) {
      putSize(m, node, offset + done);
    }
    m.put(node + KIND, m.get(node + KIND) | MARK_MTIME);
    m.commit();
  }
  return done === 0 ? -ERRNO_NOSPC : done;
}

/** Before a file grows to `end`: what its last block holds beyond its size becomes zeros. */
function zeroTail(m: ArenaMemory, node: number, end: number): void {
  const size = sizeOf(m, node);
  const index = blockIndex(size);
  const block = blockOf(m, node, index);
  const from = size - index * BLOCK;
  const to = Math.min(end - index * BLOCK, roomOf(m, node));
  if (block !== 0 && to > from) {
    m.bytes.fill(0, (block << 2) + from, (block << 2) + to);
  }
}

/**
 * Makes the block of a file that is not mapped hold that many bytes, uncommitted; where it has to move, zeros follow the data up to
 * the file's size or `offset`.
 */
function enlarge(m: ArenaMemory, node: number, bytes: number, offset: number): boolean {
  const oldClass = m.get(node + CLASS);
  if (bytes <= capacityOf(oldClass)) {
    return true;
  }
  const sizeClass = classFor(bytes);
  const block = allocate(m, sizeClass);
  if (block === 0) {
    m.rollback();
    return false;
  }
  const data = m.get(node + DATA);
  const size = sizeOf(m, node);
  const kept = Math.min(size, capacityOf(oldClass));
  const to = block << 2;
  m.bytes.copyWithin(to, data << 2, (data << 2) + kept);
  m.bytes.fill(0, to + kept, to + Math.max(kept, Math.min(1 << sizeClass, Math.max(size, offset))));
  m.put(node + DATA, block);
  m.put(node + CLASS, sizeClass);
  if (data !== 0) {
    free(m, data, oldClass);
  }
  return true;
}

/** Makes the file mapped, with a table of at least that many blocks. */
function mapBlocks(m: ArenaMemory, node: number, blocks: number, offset: number): boolean {
  const mapped = (m.get(node + KIND) & MAPPED) !== 0;
  const oldClass = m.get(node + CLASS);
  const old = mapped ? 1 << (oldClass - 2) : 0;
  if (blocks <= old) {
    return true;
  }
  if (!mapped && oldClass !== 0) {
    if (!enlarge(m, node, BLOCK, offset)) {
      return false;
    }
    m.commit();
  }
  const sizeClass = Math.max(MIN_CLASS, classFor(blocks * 4));
  const table = allocate(m, sizeClass);
  if (table === 0) {
    m.rollback();
    return false;
  }
  const data = m.get(node + DATA);
  m.words.fill(0, table, table + (1 << (sizeClass - 2)));
  if (mapped) {
    m.words.copyWithin(table, data, data + old);
  } else {
    m.words[table] = data;
  }
  m.put(node + DATA, table);
  m.put(node + CLASS, sizeClass);
  m.put(node + KIND, m.get(node + KIND) | MAPPED);
  if (mapped) {
    free(m, data, oldClass);
  }
  m.commit();
  return true;
}

/** Sets the size; in several commits where many blocks go, each of which leaves a whole (if longer) file. */
export function truncateFile(m: ArenaMemory, node: number, size: number): number {
  if (size > MAX_FILE_SIZE) {
    return -ERRNO_FBIG;
  }
  const former = sizeOf(m, node);
  zeroTail(m, node, size);
  if (size < former) {
    if ((m.get(node + KIND) & MAPPED) !== 0) {
      freeBlocks(m, node, blockIndex(size + BLOCK - 1));
    }
    if (size === 0 && m.get(node + DATA) !== 0) {
      const data = m.get(node + DATA);
      const sizeClass = m.get(node + CLASS);
      m.put(node + DATA, 0);
      m.put(node + CLASS, 0);
      m.put(node + KIND, m.get(node + KIND) & ~MAPPED);
      free(m, data, sizeClass);
    }
  }
  if (size !== former) {
    putSize(m, node, size);
  }
  m.put(node + KIND, m.get(node + KIND) | MARK_MTIME);
  m.commit();
  return 0;
}

/** Frees a mapped file's blocks from `first` on, the last one first; the last of them uncommitted. */
function freeBlocks(m: ArenaMemory, node: number, first: number): void {
  const table = m.get(node + DATA);
  let uncommitted = 0;
  for (let index = (1 << (m.get(node + CLASS) - 2)) - 1; index >= first; index--) {
    const block = m.get(table + index);
    if (block !== 0) {
      m.put(table + index, 0);
      free(m, block, PAGE_CLASS);
      if (++uncommitted === 32) {
        uncommitted = 0;
        putSize(m, node, Math.min(sizeOf(m, node), index * BLOCK));
        m.commit();
      }
    }
  }
}
