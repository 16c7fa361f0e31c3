import { copy } from "./arena-content.js";
import {
  addEntry,
  findEntry,
  inodeOf,
  isLive,
  liesIn,
  removeEntry,
  replaceEntry,
  shrinkDirectory,
} from "./arena-directories.js";
import { truncateFile } from "./arena-files.js";
import {
  dropIfUnused,
  filetypeOf,
  freeInode,
  isDirectory,
  newInode,
  putSize,
  putTime,
  touch,
} from "./arena-inodes.js";
import { CLASS, COUNT, CTIME, DATA, LINKS, PARENT, PENDING } from "./arena-layout.js";

import type { ArenaMemory } from "./arena-memory.js";
import { allocate, classFor } from "./arena-pages.js";
import { FILETYPE_DIRECTORY, FILETYPE_REGULAR_FILE, type Node, type Result } from "./contract.js";
import {
  ERRNO_EXIST,
  ERRNO_INVAL,
  ERRNO_ISDIR,
  ERRNO_NAMETOOLONG,
  ERRNO_NOENT,
  ERRNO_NOSPC,
  ERRNO_NOTDIR,
  ERRNO_NOTEMPTY,
  ERRNO_PERM,
} from "./errno.js";

const MAX_NAME = 255;

/** Ends an operation; takes the node apart when nothing refers to it any more. */
export function commitAndDrop(m: ArenaMemory, node: Node): void {
  dropIfUnused(m, node);
  m.commit();
  reap(m);
}

/** Takes the pending node apart, in commits that may be interrupted and continued. */
export function reap(m: ArenaMemory): void {
  const node = m.get(PENDING);
  if (node !== 0) {
    if (filetypeOf(m, node) === FILETYPE_REGULAR_FILE) {
      truncateFile(m, node, 0);
    }
    freeInode(m, node);
  }
}

/** 0, or why that name can't be added. */
function mayAdd(m: ArenaMemory, directory: Node, name: Uint8Array, start: number, end: number): Result {
  if (!isDirectory(m, directory)) {
    return -ERRNO_NOTDIR;
  }
  if (end - start > MAX_NAME) {
    return -ERRNO_NAMETOOLONG;
  }
  if (findEntry(m, directory, name, start, end) !== 0) {
    return -ERRNO_EXIST;
  }
  return isLive(m, directory) ? 0 : -ERRNO_NOENT;
}

/** Adds a new inode to a directory, with `target` as its content where there is one. */
export function make(
  m: ArenaMemory,
  filetype: number,
  directory: Node,
  name: Uint8Array,
  start: number,
  end: number,
  target?: Uint8Array,
): Result {
  const refused = mayAdd(m, directory, name, start, end);
  if (refused < 0) {
    return refused;
  }
  const isFolder = filetype === FILETYPE_DIRECTORY;
  const node = newInode(m, filetype, isFolder ? 2 : 1);
  let room = node !== 0;
  if (room && target !== undefined) {
    const sizeClass = classFor(target.length);
    const data = allocate(m, sizeClass);
    room = data !== 0;
    if (room) {
      copy(m.bytes, data << 2, target, 0, target.length);
      m.put(node + DATA, data);
      m.put(node + CLASS, sizeClass);
      putSize(m, node, target.length);
    }
  }
  if (!room || !addEntry(m, directory, name, start, end, node)) {
    m.rollback();
    return -ERRNO_NOSPC;
  }
  if (isFolder) {
    m.put(node + PARENT, directory);
    m.put(directory + LINKS, m.get(directory + LINKS) + 1);
  }
  touch(m, directory);
  m.commit();
  return node;
}

export function link(
  m: ArenaMemory,
  node: Node,
  directory: Node,
  name: Uint8Array,
  start: number,
  end: number,
): Result {
  if (isDirectory(m, node)) {
    return -ERRNO_PERM;
  }
  const refused = mayAdd(m, directory, name, start, end);
  if (refused < 0) {
    return refused;
  }
  if (m.get(node + LINKS) === 0) {
    return -ERRNO_NOENT;
  }
  if (!addEntry(m, directory, name, start, end, node)) {
    m.rollback();
    return -ERRNO_NOSPC;
  }
  m.put(node + LINKS, m.get(node + LINKS) + 1);
  putTime(m, node + CTIME);
  touch(m, directory);
  m.commit();
  return 0;
}

/** `unlink`, or with `folder` `rmdir`. */
export function remove(
  m: ArenaMemory,
  directory: Node,
  name: Uint8Array,
  start: number,
  end: number,
  folder: boolean,
): Result {
  if (!isDirectory(m, directory)) {
    return -ERRNO_NOTDIR;
  }
  const slot = findEntry(m, directory, name, start, end);
  if (slot === 0) {
    return -ERRNO_NOENT;
  }
  const node = inodeOf(m, slot);
  if (isDirectory(m, node) !== folder) {
    return folder ? -ERRNO_NOTDIR : -ERRNO_ISDIR;
  }
  if (folder && m.get(node + COUNT) !== 0) {
    return -ERRNO_NOTEMPTY;
  }
  removeEntry(m, directory, slot);
  unname(m, directory, node, folder);
  touch(m, directory);
  commitAndDrop(m, node);
  shrinkDirectory(m, directory);
  return 0;
}

/** What losing a name of `directory` means for the links. */
function unname(m: ArenaMemory, directory: Node, node: Node, folder: boolean): void {
  m.put(node + LINKS, folder ? 0 : m.get(node + LINKS) - 1);
  putTime(m, node + CTIME);
  if (folder) {
    m.put(node + PARENT, 0);
    m.put(directory + LINKS, m.get(directory + LINKS) - 1);
  }
}

export function rename(
  m: ArenaMemory,
  from: Node,
  fromName: Uint8Array,
  fromStart: number,
  fromEnd: number,
  to: Node,
  toName: Uint8Array,
  toStart: number,
  toEnd: number,
): Result {
  if (!isDirectory(m, from) || !isDirectory(m, to)) {
    return -ERRNO_NOTDIR;
  }
  if (toEnd - toStart > MAX_NAME) {
    return -ERRNO_NAMETOOLONG;
  }
  const slot = findEntry(m, from, fromName, fromStart, fromEnd);
  if (slot === 0 || !isLive(m, to)) {
    return -ERRNO_NOENT;
  }
  const node = inodeOf(m, slot);
  const folder = isDirectory(m, node);
  const toSlot = findEntry(m, to, toName, toStart, toEnd);
  const target = toSlot === 0 ? 0 : inodeOf(m, toSlot);
  if (target === node) {
    return 0;
  }
  if (folder && liesIn(m, to, node)) {
    return -ERRNO_INVAL;
  }
  if (target === 0) {
    // The old entry goes first: adding may move the entries of the directory, and `slot` with them.
    removeEntry(m, from, slot);
    if (!addEntry(m, to, toName, toStart, toEnd, node)) {
      m.rollback();
      return -ERRNO_NOSPC;
    }
  } else {
    if (isDirectory(m, target) !== folder) {
      // Linux sees first that a directory which the file is in can't be replaced.
      return folder ? -ERRNO_NOTDIR : liesIn(m, from, target) ? -ERRNO_NOTEMPTY : -ERRNO_ISDIR;
    }
    if (folder && m.get(target + COUNT) !== 0) {
      return -ERRNO_NOTEMPTY;
    }
    removeEntry(m, from, slot);
    replaceEntry(m, toSlot, node);
    unname(m, to, target, folder);
  }
  if (folder && from !== to) {
    m.put(node + PARENT, to);
    m.put(from + LINKS, m.get(from + LINKS) - 1);
    m.put(to + LINKS, m.get(to + LINKS) + 1);
  }
  putTime(m, node + CTIME);
  touch(m, from);
  touch(m, to);
  if (target !== 0) {
    commitAndDrop(m, target);
  } else {
    m.commit();
  }
  shrinkDirectory(m, from);
  return 0;
}
