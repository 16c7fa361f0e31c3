import { isDirectory } from "./arena-inodes.js";
import {
  CLASS,
  COUNT,
  D_CAPACITY,
  D_COOKIE,
  D_MASK,
  D_NAMES_LENGTH,
  D_NAMES_USED,
  D_TABLE,
  DATA,
  INO,
  KIND,
  LINKS,
  MIN_DIRECTORY_CLASS,
  PARENT,
  S_COOKIE,
  S_INODE,
  S_NAME,
  SALT,
  SLOT_WORDS,
  SLOTS,
} from "./arena-layout.js";

import type { ArenaMemory } from "./arena-memory.js";
import { allocate, free } from "./arena-pages.js";
import type { DirectoryVisitor } from "./contract.js";

const slotsOf = (m: ArenaMemory, block: number): number => block + D_TABLE + m.get(block + D_MASK) + 1;
/** Address in bytes of a block's names. */
const namesOf = (m: ArenaMemory, block: number): number =>
  (slotsOf(m, block) + m.get(block + D_CAPACITY) * SLOT_WORDS) << 2;

function hashOf(m: ArenaMemory, name: Uint8Array, start: number, end: number): number {
  let hash = m.get(SALT);
  for (let index = start; index < end; index++) {
    hash = Math.imul(hash ^ (name[index] as number), 0x01000193);
  }
  return hash ^ (hash >>> 15);
}

/** The slot of that name, or 0. */
export function findEntry(
  m: ArenaMemory,
  directory: number,
  name: Uint8Array,
  start: number,
  end: number,
): number {
  const words = m.words;
  const block = words[directory + DATA] as number;
  if (block === 0) {
    return 0;
  }
  const bytes = m.bytes;
  const hash = hashOf(m, name, start, end);
  const mask = words[block + D_MASK] as number;
  const slots = block + D_TABLE + mask + 1;
  const names = (slots + (words[block + D_CAPACITY] as number) * SLOT_WORDS) << 2;
  const length = end - start;
  for (let at = hash & mask; ; at = (at + 1) & mask) {
    const number = words[block + D_TABLE + at] as number;
    if (number === 0) {
      return 0;
    }
    const slot = slots + (number - 1) * SLOT_WORDS;
    if (words[slot] === hash) {
      const from = names + (words[slot + S_NAME] as number);
      if (bytes[from] === length) {
        let index = 0;
        while (index < length && bytes[from + 1 + index] === name[start + index]) {
          index++;
        }
        if (index === length) {
          return slot;
        }
      }
    }
  }
}

export const inodeOf = (m: ArenaMemory, slot: number): number => m.get(slot + S_INODE);

/** Points an entry to another inode. */
export function replaceEntry(m: ArenaMemory, slot: number, inode: number): void {
  m.put(slot + S_INODE, inode);
}

/** Where in the table a new entry of that hash goes. */
function freePlace(m: ArenaMemory, block: number, hash: number): number {
  const words = m.words;
  const mask = words[block + D_MASK] as number;
  let at = hash & mask;
  while (words[block + D_TABLE + at] !== 0) {
    at = (at + 1) & mask;
  }
  return block + D_TABLE + at;
}

/** Adds a name that isn't there, uncommitted; `false` when there is no room. */
export function addEntry(
  m: ArenaMemory,
  directory: number,
  name: Uint8Array,
  start: number,
  end: number,
  inode: number,
): boolean {
  const length = end - start;
  let block = m.get(directory + DATA);
  if (
    block === 0 ||
    m.get(directory + SLOTS) === m.get(block + D_CAPACITY) ||
    m.get(block + D_NAMES_USED) + length + 1 > m.get(block + D_NAMES_LENGTH)
  ) {
    if (!rebuild(m, directory, length + 1)) {
      return false;
    }
    block = m.get(directory + DATA);
  }
  const used = m.get(directory + SLOTS);
  const slot = slotsOf(m, block) + used * SLOT_WORDS;
  const nameAt = m.get(block + D_NAMES_USED);
  const hash = hashOf(m, name, start, end);
  const cookie = m.get(block + D_COOKIE);
  const words = m.words;
  // Beyond the used slots and names nothing is reachable: no need to note what was there.
  words[slot] = hash;
  words[slot + S_INODE] = inode;
  words[slot + S_NAME] = nameAt;
  words[slot + S_COOKIE] = cookie;
  const bytes = m.bytes;
  const at = namesOf(m, block) + nameAt;
  bytes[at] = length;
  for (let index = 0; index < length; index++) {
    bytes[at + 1 + index] = name[start + index] as number;
  }
  m.put(freePlace(m, block, hash), used + 1);
  m.put(block + D_NAMES_USED, nameAt + length + 1);
  m.put(block + D_COOKIE, (cookie + 1) | 0);
  m.put(directory + SLOTS, used + 1);
  m.put(directory + COUNT, m.get(directory + COUNT) + 1);
  return true;
}

export function removeEntry(m: ArenaMemory, directory: number, slot: number): void {
  const words = m.words;
  const block = words[directory + DATA] as number;
  const mask = words[block + D_MASK] as number;
  const table = block + D_TABLE;
  const slots = table + mask + 1;
  const number = (slot - slots) / SLOT_WORDS + 1;
  let hole = (words[slot] as number) & mask;
  while (words[table + hole] !== number) {
    hole = (hole + 1) & mask;
  }
  // Closes the gap: marks in its place would add up when a name comes and goes.
  for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
    const other = words[table + at] as number;
    if (other === 0) {
      break;
    }
    const own = words[slots + (other - 1) * SLOT_WORDS] as number;
    if (((at - own) & mask) >= ((at - hole) & mask)) {
      m.put(table + hole, other);
      hole = at;
    }
  }
  m.put(table + hole, 0);
  m.put(slot + S_INODE, 0);
  m.put(directory + COUNT, m.get(directory + COUNT) - 1);
}

/**
 * An operation of its own, after entries were removed: frees the last slots for new entries, and gives back most of the block
 * when few entries are left of many.
 */
export function shrinkDirectory(m: ArenaMemory, directory: number): void {
  const block = m.get(directory + DATA);
  const slots = slotsOf(m, block);
  const used = m.get(directory + SLOTS);
  let kept = used;
  while (kept > 0 && m.get(slots + (kept - 1) * SLOT_WORDS + S_INODE) === 0) {
    kept--;
  }
  if (kept < used) {
    m.put(directory + SLOTS, kept);
    m.put(block + D_NAMES_USED, m.get(slots + kept * SLOT_WORDS + S_NAME));
    m.commit();
  }
  if (
    m.get(directory + CLASS) > MIN_DIRECTORY_CLASS &&
    m.get(directory + COUNT) < m.get(block + D_CAPACITY) >> 3 &&
    rebuild(m, directory, 0)
  ) {
    m.commit();
  }
}

/** Moves the entries to a new block with room for more, uncommitted. */
function rebuild(m: ArenaMemory, directory: number, room: number): boolean {
  const old = m.get(directory + DATA);
  const used = m.get(directory + SLOTS);
  const count = m.get(directory + COUNT);
  let nameBytes = room;
  let oldSlots = 0;
  let oldNames = 0;
  if (old !== 0) {
    oldSlots = slotsOf(m, old);
    oldNames = namesOf(m, old);
    for (let slot = oldSlots; slot < oldSlots + used * SLOT_WORDS; slot += SLOT_WORDS) {
      if (m.get(slot + S_INODE) !== 0) {
        nameBytes += 1 + (m.bytes[oldNames + m.get(slot + S_NAME)] as number);
      }
    }
  }
  let sizeClass = MIN_DIRECTORY_CLASS;
  let table = 8;
  let capacity = 6;
  let names = 0;
  for (; ; sizeClass++) {
    const words = 1 << (sizeClass - 2);
    table = words >> 3;
    capacity = (table * 3) >> 2;
    names = (words - D_TABLE - table - capacity * SLOT_WORDS) * 4;
    // With a third to spare, so that rebuilding costs a constant per entry.
    if (
      count + (count >> 1) < capacity &&
      (count === 0 ? nameBytes : nameBytes + (nameBytes >> 1)) <= names
    ) {
      break;
    }
  }
  const block = allocate(m, sizeClass);
  if (block === 0) {
    return false;
  }
  const words = m.words;
  const bytes = m.bytes;
  words[block + D_MASK] = table - 1;
  words[block + D_CAPACITY] = capacity;
  words[block + D_NAMES_LENGTH] = names;
  const cookie = old === 0 ? 1 : (words[old + D_COOKIE] as number) >>> 0;
  // After four thousand million insertions cookies are given anew; a listing that is under way then may err.
  const renumber = cookie > 0xff000000;
  words[block + D_COOKIE] = renumber ? count + 1 : cookie;
  words.fill(0, block + D_TABLE, block + D_TABLE + table);
  const slots = slotsOf(m, block);
  const toNames = namesOf(m, block);
  let to = slots;
  let nameAt = 0;
  for (let slot = oldSlots, number = 1; slot < oldSlots + used * SLOT_WORDS; slot += SLOT_WORDS) {
    const inode = words[slot + S_INODE] as number;
    if (inode === 0) {
      continue;
    }
    const hash = words[slot] as number;
    words[to] = hash;
    words[to + S_INODE] = inode;
    words[to + S_NAME] = nameAt;
    words[to + S_COOKIE] = renumber ? number : (words[slot + S_COOKIE] as number);
    const from = oldNames + (words[slot + S_NAME] as number);
    const length = bytes[from] as number;
    for (let index = 0; index <= length; index++) {
      bytes[toNames + nameAt + index] = bytes[from + index] as number;
    }
    words[freePlace(m, block, hash)] = number;
    nameAt += length + 1;
    to += SLOT_WORDS;
    number++;
  }
  words[block + D_NAMES_USED] = nameAt;
  m.put(directory + DATA, block);
  m.put(directory + SLOTS, (to - slots) / SLOT_WORDS);
  if (old !== 0) {
    free(m, old, m.get(directory + CLASS));
  }
  m.put(directory + CLASS, sizeClass);
  return true;
}

/** Visits the entries whose cookie is greater. */
export function visitEntries(
  m: ArenaMemory,
  directory: number,
  cookie: number,
  visit: DirectoryVisitor,
): void {
  const block = m.get(directory + DATA);
  if (block === 0) {
    return;
  }
  const { words, bytes } = m;
  const slots = slotsOf(m, block);
  const names = namesOf(m, block);
  const used = m.get(directory + SLOTS);
  let low = 0;
  let high = used;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((words[slots + middle * SLOT_WORDS + S_COOKIE] as number) >>> 0 <= cookie) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  for (let slot = slots + low * SLOT_WORDS; slot < slots + used * SLOT_WORDS; slot += SLOT_WORDS) {
    const inode = words[slot + S_INODE] as number;
    if (inode === 0) {
      continue;
    }
    const at = names + (words[slot + S_NAME] as number);
    const ino = ((words[inode + INO] as number) >>> 0) + (words[inode + INO + 1] as number) * 0x100000000;
    const next = (words[slot + S_COOKIE] as number) >>> 0;
    const filetype = (words[inode + KIND] as number) & 0xff;
    if (!visit(bytes, at + 1, at + 1 + (bytes[at] as number), ino, filetype, next)) {
      return;
    }
  }
}

/** Whether `directory` is `ancestor` or lies in it. */
export function liesIn(m: ArenaMemory, directory: number, ancestor: number): boolean {
  for (let at = directory; at !== 0; at = m.get(at + PARENT)) {
    if (at === ancestor) {
      return true;
    }
  }
  return false;
}

/** A directory that has not been removed. */
export const isLive = (m: ArenaMemory, node: number): boolean =>
  isDirectory(m, node) && m.get(node + LINKS) > 0;
