import { isDirectory } from "./arena-inodes.js";
import {
  CLASS,
  COUNT,
  D_COOKIE,
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

/** Places in the table of a block of that class. */
const tableOf = (sizeClass: number): number => 1 << (sizeClass - 5);
const slotsOf = (block: number, sizeClass: number): number => block + D_TABLE + tableOf(sizeClass);
/** Three slots for four places in the table. */
const capacityOf = (sizeClass: number): number => 3 << (sizeClass - 7);
/** Address in bytes of a block's names, which take what the slots leave. */
const namesOf = (block: number, sizeClass: number): number => (block + D_TABLE + 4 * tableOf(sizeClass)) << 2;
const namesLengthOf = (sizeClass: number): number => (1 << (sizeClass - 1)) - 4 * D_TABLE;

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
  const sizeClass = words[directory + CLASS] as number;
  const mask = tableOf(sizeClass) - 1;
  const slots = slotsOf(block, sizeClass);
  const names = namesOf(block, sizeClass);
  const length = end - start;
  for (let at = hash & mask; ; at = (at + 1) & mask) {
    const number = words[block + D_TABLE + at] as number;
    if (number === 0) {
      return 0;
    }
    const slot = slots + (number - 1) * SLOT_WORDS;
    if (words[slot] === hash && words[slot + S_INODE] !== 0) {
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

/**
 * Puts an entry behind the `used` ones of a block that has the room. What is not reachable yet is not noted: in a new block nothing
 * is, in one that is `inUse` all beyond the used slots and names.
 */
function append(
  m: ArenaMemory,
  block: number,
  sizeClass: number,
  inUse: boolean,
  used: number,
  inode: number,
  cookie: number,
  name: Uint8Array,
  start: number,
  end: number,
): void {
  const { words, bytes } = m;
  const hash = hashOf(m, name, start, end);
  const mask = tableOf(sizeClass) - 1;
  let place = hash & mask;
  while (words[block + D_TABLE + place] !== 0) {
    place = (place + 1) & mask;
  }
  place += block + D_TABLE;
  const nameAt = words[block + D_NAMES_USED] as number;
  if (inUse) {
    m.put(place, 0);
    m.put(block + D_NAMES_USED, nameAt);
  }
  const slot = slotsOf(block, sizeClass) + used * SLOT_WORDS;
  words[slot] = hash;
  words[slot + S_INODE] = inode;
  words[slot + S_NAME] = nameAt;
  words[slot + S_COOKIE] = cookie;
  const at = namesOf(block, sizeClass) + nameAt;
  const length = end - start;
  bytes[at] = length;
  for (let index = 0; index < length; index++) {
    bytes[at + 1 + index] = name[start + index] as number;
  }
  words[place] = used + 1;
  words[block + D_NAMES_USED] = nameAt + length + 1;
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
  const room = end - start + 1;
  let block = m.get(directory + DATA);
  const sizeClass = m.get(directory + CLASS);
  if (
    block === 0 ||
    m.get(directory + SLOTS) === capacityOf(sizeClass) ||
    m.get(block + D_NAMES_USED) + room > namesLengthOf(sizeClass)
  ) {
    if (!rebuild(m, directory, room)) {
      return false;
    }
    block = m.get(directory + DATA);
  }
  const used = m.get(directory + SLOTS);
  const cookie = m.get(block + D_COOKIE);
  append(m, block, m.get(directory + CLASS), true, used, inode, cookie, name, start, end);
  m.put(block + D_COOKIE, (cookie + 1) | 0);
  m.put(directory + SLOTS, used + 1);
  m.put(directory + COUNT, m.get(directory + COUNT) + 1);
  return true;
}

/** Its slot stays until the next rebuilding, so that whoever lists the directory finds the others where they were. */
export function removeEntry(m: ArenaMemory, directory: number, slot: number): void {
  m.put(slot + S_INODE, 0);
  m.put(directory + COUNT, m.get(directory + COUNT) - 1);
}

/**
 * An operation of its own, after entries were removed: gives back most of the block when few entries are left of many. As many were
 * removed as it has to move at least: where names are long, a full block has few entries too.
 */
export function shrinkDirectory(m: ArenaMemory, directory: number): void {
  const sizeClass = m.get(directory + CLASS);
  const count = m.get(directory + COUNT);
  if (
    sizeClass > MIN_DIRECTORY_CLASS &&
    count < capacityOf(sizeClass) >> 3 &&
    count <= m.get(directory + SLOTS) >> 1 &&
    rebuild(m, directory, 0)
  ) {
    m.commit();
  }
}

/** Moves the entries to a new block with room for more, uncommitted. */
function rebuild(m: ArenaMemory, directory: number, room: number): boolean {
  const old = m.get(directory + DATA);
  const oldClass = m.get(directory + CLASS);
  const count = m.get(directory + COUNT);
  const slots = slotsOf(old, oldClass);
  const names = namesOf(old, oldClass);
  const entries: number[] = [];
  let nameBytes = room;
  for (let slot = slots; slot < slots + m.get(directory + SLOTS) * SLOT_WORDS; slot += SLOT_WORDS) {
    if (m.get(slot + S_INODE) !== 0) {
      entries.push(slot);
      nameBytes += 1 + (m.bytes[names + m.get(slot + S_NAME)] as number);
    }
  }
  let sizeClass = MIN_DIRECTORY_CLASS;
  // With a third to spare, so that rebuilding costs a constant per entry.
  while (
    count + (count >> 1) >= capacityOf(sizeClass) ||
    (count === 0 ? nameBytes : nameBytes + (nameBytes >> 1)) > namesLengthOf(sizeClass)
  ) {
    sizeClass++;
  }
  const block = allocate(m, sizeClass);
  if (block === 0) {
    return false;
  }
  const { words, bytes } = m;
  words.fill(0, block, slotsOf(block, sizeClass));
  const cookie = old === 0 ? 1 : (words[old + D_COOKIE] as number) >>> 0;
  // After four thousand million insertions cookies are given anew; a listing that is under way then may err.
  const renumber = cookie > 0xff000000;
  words[block + D_COOKIE] = renumber ? count + 1 : cookie;
  for (const [index, slot] of entries.entries()) {
    const own = renumber ? index + 1 : (words[slot + S_COOKIE] as number);
    const name = names + (words[slot + S_NAME] as number) + 1;
    const end = name + (bytes[name - 1] as number);
    append(m, block, sizeClass, false, index, words[slot + S_INODE] as number, own, bytes, name, end);
  }
  m.put(directory + DATA, block);
  m.put(directory + SLOTS, count);
  m.put(directory + CLASS, sizeClass);
  if (old !== 0) {
    free(m, old, oldClass);
  }
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
  const sizeClass = m.get(directory + CLASS);
  const slots = slotsOf(block, sizeClass);
  const names = namesOf(block, sizeClass);
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
