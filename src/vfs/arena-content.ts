import { markRead, sizeOf } from "./arena-inodes.js";
import { BLOCK, CLASS, DATA, KIND, MAPPED, PAGE_CLASS, SMALL_COPY } from "./arena-layout.js";
import type { ArenaMemory } from "./arena-memory.js";

export const blockIndex = (offset: number): number =>
  offset < 0x80000000 ? offset >>> PAGE_CLASS : Math.floor(offset / BLOCK);
export const capacityOf = (sizeClass: number): number => (1 << sizeClass) & -64;

export function copy(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  length: number,
): void {
  if (length === 1) {
    target[at] = source[start] as number;
  } else if (length < SMALL_COPY) {
    for (let index = 0; index < length; index++) {
      target[at + index] = source[start + index] as number;
    }
  } else {
    target.set(source.subarray(start, start + length), at);
  }
}

/** Where the block of that index lies; 0 for a hole. A file that isn't mapped has one block, that may hold less than BLOCK. */
export function blockOf(m: ArenaMemory, node: number, index: number): number {
  const words = m.words;
  const data = words[node + DATA] as number;
  if (((words[node + KIND] as number) & MAPPED) === 0) {
    return index === 0 ? data : 0;
  }
  return index < 1 << ((words[node + CLASS] as number) - 2) ? (words[data + index] as number) : 0;
}

/** How many bytes a block of the file holds. */
export function roomOf(m: ArenaMemory, node: number): number {
  return (m.get(node + KIND) & MAPPED) === 0 ? capacityOf(m.get(node + CLASS)) : BLOCK;
}

export function readFile(
  m: ArenaMemory,
  node: number,
  offset: number,
  target: Uint8Array,
  start: number,
  wanted: number,
): number {
  const size = sizeOf(m, node);
  const length = offset + wanted > size ? size - offset : wanted;
  if (length <= 0) {
    return 0;
  }
  markRead(m, node);
  const room = roomOf(m, node);
  let done = 0;
  while (done < length) {
    const index = blockIndex(offset + done);
    const within = offset + done - index * BLOCK;
    const part = Math.min(length - done, BLOCK - within);
    const block = blockOf(m, node, index);
    const there = block === 0 ? 0 : Math.min(part, Math.max(0, room - within));
    copy(target, start + done, m.bytes, (block << 2) + within, there);
    if (there < part) {
      target.fill(0, start + done + there, start + done + part);
    }
    done += part;
  }
  return length;
}

/** Where the next block that isn't a hole begins (or `offset`, within one); the size where none does. */
export function nextData(m: ArenaMemory, node: number, offset: number): number {
  const size = sizeOf(m, node);
  for (let index = blockIndex(offset); index * BLOCK < size; index++) {
    if (blockOf(m, node, index) !== 0) {
      return Math.max(offset, index * BLOCK);
    }
  }
  return size;
}
