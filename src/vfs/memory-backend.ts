import { platform } from "../platform.js";
import { copy, nextData, readFile } from "./arena-content.js";
import { findEntry, inodeOf, visitEntries } from "./arena-directories.js";
import { rewriteBlock, truncateFile, writeFile } from "./arena-files.js";
import { filetypeOf, isDirectory, newInode, putTime, settleTimes, sizeOf } from "./arena-inodes.js";
import {
  ATIME,
  CLASS,
  COUNT,
  CTIME,
  DATA,
  DEVICE,
  INO,
  KIND,
  LIMIT,
  LINKS,
  MTIME,
  NEXT_INO,
  OPENS,
  ROOT,
  SALT,
  UNLIMITED,
} from "./arena-layout.js";

import { type ArenaDescription, ArenaMemory } from "./arena-memory.js";
import { commitAndDrop, link, make, reap, remove, rename } from "./arena-names.js";
import { noteRelease, noteRetain, releaseOwner } from "./arena-owners.js";

import {
  type Backend,
  type DirectoryVisitor,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  FILETYPE_SYMBOLIC_LINK,
  type Filestat,
  type Node,
  type Result,
} from "./contract.js";
import { ERRNO_INVAL, ERRNO_ISDIR, ERRNO_NAMETOOLONG, ERRNO_NOENT, ERRNO_NOTDIR } from "./errno.js";

const MAX_TARGET = 4095;

let devices = 0;

export interface MemoryBackendOptions {
  /** Milliseconds since the epoch, with a fraction; default: the platform's clock. */
  readonly clock?: () => number;
  /** How many bytes files, directories and inodes may take, rounded up to powers of two each; default: none below 2 GiB, or 1 GiB (256 MiB where addresses are few) from when threads share it. */
  readonly limit?: number | undefined;
}

/** Writes 64 bits, uncommitted. */
function putLong(m: ArenaMemory, at: number, value: bigint | undefined): void {
  if (value !== undefined) {
    m.put(at, Number(BigInt.asIntN(32, value)));
    m.put(at + 1, Number(BigInt.asIntN(32, value >> 32n)));
  }
}

/** Files, directories and links in one buffer (see arena-memory.ts), which threads can share. */
export class MemoryBackend implements Backend {
  readonly nodesAreFiles = true;
  readonly #memory: ArenaMemory;

  constructor(options: MemoryBackendOptions & { shared?: ArenaDescription } = {}) {
    const m = new ArenaMemory(options.shared ?? 4, options.clock ?? (() => platform().now()));
    this.#memory = m;
    m.onRecovered = () => reap(m);
    if (options.shared === undefined) {
      m.words[LIMIT] = UNLIMITED;
      m.words[DEVICE] = ++devices;
      m.words[SALT] = Math.floor(Math.random() * 0x100000000);
      this.#makeRoot();
      this.setLimit(options.limit ?? UNLIMITED);
    }
  }

  #makeRoot(): void {
    const m = this.#memory;
    // Inode numbers start at 1: some programs take 0 for "deleted".
    m.words[NEXT_INO] = 1;
    const root = newInode(m, FILETYPE_DIRECTORY, 2);
    m.put(ROOT, root);
    m.commit();
  }

  /** The arena itself, for the checks of the tests. */
  get memory(): ArenaMemory {
    return this.#memory;
  }

  /** Changes the limit (in bytes) for every thread; what is there already stays. */
  setLimit(bytes: number): void {
    this.#memory.words[LIMIT] = Math.min(Math.max(0, bytes), UNLIMITED);
  }

  /** Whether threads share it by now. */
  get shared(): boolean {
    return this.#memory.shared;
  }

  /** Describes the arena for one more thread: `new MemoryBackend({ shared })` there. Not within `begin` and `end`. */
  share(): ArenaDescription {
    // Of threads that nobody has told to be gone yet: in a hidden page that takes its time.
    this.#releaseRetired();
    return this.#memory.share();
  }

  /**
   * Keeps a thread out from now on. One that is in the middle of an operation may end it within `grace` milliseconds. Without any it is
   * known to be dead: what it left unfinished is taken back and what it retained is released, at once or when the lock can be had.
   */
  retire(thread: ArenaDescription, grace: number): void {
    this.#memory.retire(thread, grace);
    if (grace === 0) this.#releaseRetired();
  }

  #releaseRetired(): void {
    const m = this.#memory;
    if (!m.tryBegin(50)) return;
    try {
      m.forRetired((owner) => releaseOwner(m, owner, () => reap(m)));
    } finally {
      m.end();
    }
  }

  begin(): void {
    this.#memory.begin();
  }

  end(): void {
    this.#memory.end();
  }

  openRoot(): Node {
    return this.#memory.get(ROOT);
  }

  retain(node: Node): void {
    const m = this.#memory;
    if (m.owner !== 0 && !noteRetain(m, node)) {
      // Without a note the node would stay for good if this thread were terminated; that is the lesser harm.
      m.rollback();
    }
    m.put(node + OPENS, m.get(node + OPENS) + 1);
    m.commit();
  }

  release(node: Node): void {
    const m = this.#memory;
    if (m.owner !== 0) {
      noteRelease(m, node);
    }
    m.put(node + OPENS, m.get(node + OPENS) - 1);
    commitAndDrop(m, node);
  }

  lookup(directory: Node, name: Uint8Array, start: number, end: number): Result {
    const m = this.#memory;
    if (!isDirectory(m, directory)) {
      return -ERRNO_NOTDIR;
    }
    const slot = findEntry(m, directory, name, start, end);
    return slot === 0 ? -ERRNO_NOENT : inodeOf(m, slot);
  }

  filetype(node: Node): Result {
    return filetypeOf(this.#memory, node);
  }

  stat(node: Node, into: Filestat): Result {
    const m = this.#memory;
    settleTimes(m, node);
    const from = m.words;
    const to = into.words;
    const filetype = (from[node + KIND] as number) & 0xff;
    to[0] = from[DEVICE] as number;
    to[1] = 0;
    to[2] = from[node + INO] as number;
    to[3] = from[node + INO + 1] as number;
    to[4] = filetype;
    to[5] = 0;
    to[6] = from[node + LINKS] as number;
    to[7] = 0;
    if (filetype === FILETYPE_DIRECTORY) {
      const sizeClass = from[node + CLASS] as number;
      to[8] = sizeClass === 0 ? 0 : 1 << sizeClass;
      to[9] = 0;
    } else {
      to[8] = from[node + COUNT] as number;
      to[9] = from[node + COUNT + 1] as number;
    }
    for (let word = 0; word < 6; word++) {
      to[10 + word] = from[node + ATIME + word] as number;
    }
    return 0;
  }

  readlink(node: Node): Uint8Array | Result {
    const m = this.#memory;
    if (filetypeOf(m, node) !== FILETYPE_SYMBOLIC_LINK) {
      return -ERRNO_INVAL;
    }
    const target = new Uint8Array(sizeOf(m, node));
    copy(target, 0, m.bytes, m.get(node + DATA) << 2, target.length);
    return target;
  }

  create(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return make(this.#memory, FILETYPE_REGULAR_FILE, directory, name, start, end);
  }

  mkdir(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return make(this.#memory, FILETYPE_DIRECTORY, directory, name, start, end);
  }

  symlink(directory: Node, name: Uint8Array, start: number, end: number, target: Uint8Array): Result {
    if (target.length === 0) {
      return -ERRNO_NOENT;
    }
    if (target.length > MAX_TARGET) {
      return -ERRNO_NAMETOOLONG;
    }
    return make(this.#memory, FILETYPE_SYMBOLIC_LINK, directory, name, start, end, target);
  }

  link(node: Node, directory: Node, name: Uint8Array, start: number, end: number): Result {
    return link(this.#memory, node, directory, name, start, end);
  }

  unlink(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return remove(this.#memory, directory, name, start, end, false);
  }

  rmdir(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return remove(this.#memory, directory, name, start, end, true);
  }

  rename(
    from: Node,
    fromName: Uint8Array,
    fromStart: number,
    fromEnd: number,
    to: Node,
    toName: Uint8Array,
    toStart: number,
    toEnd: number,
  ): Result {
    return rename(this.#memory, from, fromName, fromStart, fromEnd, to, toName, toStart, toEnd);
  }

  openFile(): Result {
    return 0;
  }

  closeFile(node: Node): void {
    settleTimes(this.#memory, node);
  }

  read(node: Node, offset: number, target: Uint8Array, start: number, length: number): Result {
    const m = this.#memory;
    return isDirectory(m, node) ? -ERRNO_ISDIR : readFile(m, node, offset, target, start, length);
  }

  write(node: Node, offset: number, source: Uint8Array, start: number, length: number): Result {
    const m = this.#memory;
    if (rewriteBlock(m, node, offset, source, start, length)) {
      return length;
    }
    return isDirectory(m, node) ? -ERRNO_ISDIR : writeFile(m, node, offset, source, start, length);
  }

  append(node: Node, source: Uint8Array, start: number, length: number): Result {
    return this.write(node, sizeOf(this.#memory, node), source, start, length);
  }

  /** The offset from `offset` on at which the file isn't a hole for sure; its size where there is none. */
  nextData(node: Node, offset: number): number {
    return nextData(this.#memory, node, offset);
  }

  size(node: Node): Result {
    return isDirectory(this.#memory, node) ? -ERRNO_ISDIR : sizeOf(this.#memory, node);
  }

  truncate(node: Node, size: number): Result {
    const m = this.#memory;
    return isDirectory(m, node) ? -ERRNO_ISDIR : truncateFile(m, node, size);
  }

  sync(): Result {
    return 0;
  }

  setTimes(node: Node, atim: bigint | undefined, mtim: bigint | undefined): Result {
    const m = this.#memory;
    settleTimes(m, node);
    putLong(m, node + ATIME, atim);
    putLong(m, node + MTIME, mtim);
    putTime(m, node + CTIME);
    m.commit();
    return 0;
  }

  readdir(directory: Node, cookie: number, visit: DirectoryVisitor): Result {
    const m = this.#memory;
    if (!isDirectory(m, directory)) {
      return -ERRNO_NOTDIR;
    }
    visitEntries(m, directory, cookie, visit);
    return 0;
  }
}
