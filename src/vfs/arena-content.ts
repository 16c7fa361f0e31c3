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
  const words = m.words;
  const data = words[node + DATA] as number;
  const sizeClass = words[node + CLASS] as number;
  if (((words[node + KIND] as number) & MAPPED) === 0) {
    const there = Math.min(length, Math.max(0, capacityOf(sizeClass) - offset));
    copy(target, start, m.bytes, (data << 2) + offset, there);
    if (there < length) {
      target.fill(0, start + there, start + length);
    }
    return length;
  }
  const blocks = 1 << (sizeClass - 2);
  let done = 0;
  while (done < length) {
    const index = blockIndex(offset + done);
    const within = offset + done - index * BLOCK;
    const part = Math.min(length - done, BLOCK - within);
    const block = index < blocks ? (words[data + index] as number) : 0;
    if (block === 0) {
      target.fill(0, start + done, start + done + part);
    } else {
      copy(target, start + done, m.bytes, (block << 2) + within, part);
    }
    done += part;
  }
  return length;
}

/** Where the next block that isn't a hole begins (or `offset`, within one); the size where none does. */
export function nextData(m: ArenaMemory, node: number, offset: number): number {
  const size = sizeOf(m, node);
  const sizeClass = m.get(node + CLASS);
  if ((m.get(node + KIND) & MAPPED) === 0) {
    return offset < capacityOf(sizeClass) ? offset : size;
  }
  const data = m.get(node + DATA);
  for (let index = blockIndex(offset); index < 1 << (sizeClass - 2); index++) {
    if (m.get(data + index) !== 0) {
      return Math.max(offset, index * BLOCK);
    }
  }
  return size;
}
