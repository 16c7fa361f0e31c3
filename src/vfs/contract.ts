/**
 * What a file system must do to be mounted. Every operation is synchronous and answers a number:
 * zero or more is a value, less than zero a negated WASI errno (`-ERRNO_NOENT`). Nothing here throws for what a guest asks.
 *
 * Names are one path component as UTF-8 bytes `name[start, end)`: never empty, `.`, `..`, and without `/` or NUL.
 * Links are never followed; rights are never checked: the walk above the backends does both, once.
 *
 * A node is a positive number that stands for one file, directory or link. A node that `lookup`, `create`, `mkdir`,
 * `symlink` or `openRoot` answers is valid until `end()`; `retain` keeps it beyond that, past its unlinking too, until `release`.
 */
export type Result = number;
/** A file, directory or link of a backend. */
export type Node = number;

/** WASI preview 1 `filetype`. */
export const FILETYPE_UNKNOWN = 0;
export const FILETYPE_BLOCK_DEVICE = 1;
export const FILETYPE_CHARACTER_DEVICE = 2;
export const FILETYPE_DIRECTORY = 3;
export const FILETYPE_REGULAR_FILE = 4;
export const FILETYPE_SOCKET_DGRAM = 5;
export const FILETYPE_SOCKET_STREAM = 6;
export const FILETYPE_SYMBOLIC_LINK = 7;

/**
 * A `filestat` in the very layout of WASI preview 1 (64 bytes, little-endian):
 * dev u64 @0, ino u64 @8, filetype u8 @16, nlink u64 @24, size u64 @32, atim u64 @40, mtim u64 @48, ctim u64 @56 (ns).
 */
export class Filestat {
  /** All of it. */
  readonly bytes = new Uint8Array(64);
  /** The same as 32-bit words. */
  readonly words = new Uint32Array(this.bytes.buffer);
  /** The same as 64-bit words. */
  readonly longs = new BigUint64Array(this.bytes.buffer);
  /** WASI's `filetype`. */
  get filetype(): number {
    return this.bytes[16] as number;
  }
  /** In bytes. */
  get size(): number {
    return (this.words[8] as number) + (this.words[9] as number) * 2 ** 32;
  }
}

/** What `readdir` hands to its visitor for each entry; return `false` to stop before this entry is taken. */
export type DirectoryVisitor = (
  name: Uint8Array,
  start: number,
  end: number,
  ino: bigint | number,
  filetype: number,
  /** The cookie that continues after this entry. */
  next: number,
) => boolean;

/**
 * A file system that can be mounted in a `VirtualFileSystem`. Every operation is synchronous and answers a number: zero or more is
 * a value, less than zero a negated WASI errno. Names are one path component as UTF-8 bytes `name[start, end)`. A node stands for
 * one file, directory or link; it is valid until `end()`, and beyond that from `retain` to `release`. Links are never followed
 * here and rights never checked: the walk above the backends does both.
 */
export interface Backend {
  /** True where equal files always have equal node numbers while one of them is retained. */
  readonly nodesAreFiles?: boolean;

  /** False for as long as no other thread can use it: a single read, write or append then needs no `begin` and `end`. */
  readonly shared?: boolean;

  /** Starts an operation: takes the lock where threads share the backend. Always paired with `end`; may be nested. */
  begin(): void;
  /** Ends what `begin` started: nodes that are not retained lose their meaning. */
  end(): void;

  /** The node of the root. */
  openRoot(): Node;
  /** Keeps a node valid beyond `end()`, past its unlinking too; may be nested. */
  retain(node: Node): void;
  /** Takes one `retain` back. */
  release(node: Node): void;

  /** The node of that name, or `-ERRNO_NOENT`, `-ERRNO_NOTDIR`. */
  lookup(directory: Node, name: Uint8Array, start: number, end: number): Result;
  /** WASI's `filetype`. */
  filetype(node: Node): Result;
  /** Fills in a `filestat`. */
  stat(node: Node, into: Filestat): Result;
  /** Where a link leads, in its own bytes; `-ERRNO_INVAL` for what is no link. */
  readlink(node: Node): Uint8Array | Result;

  /** A new, empty regular file; `-ERRNO_EXIST` when the name is taken. */
  create(directory: Node, name: Uint8Array, start: number, end: number): Result;
  /** A new, empty directory; `-ERRNO_EXIST` when the name is taken. */
  mkdir(directory: Node, name: Uint8Array, start: number, end: number): Result;
  /** A new symbolic link; `-ERRNO_EXIST` when the name is taken. */
  symlink(directory: Node, name: Uint8Array, start: number, end: number, target: Uint8Array): Result;
  /** A hard link to a node that is no directory (`-ERRNO_PERM`). */
  link(node: Node, directory: Node, name: Uint8Array, start: number, end: number): Result;
  /** Removes a name that is no directory (`-ERRNO_ISDIR`). */
  unlink(directory: Node, name: Uint8Array, start: number, end: number): Result;
  /** Removes an empty directory (`-ERRNO_NOTEMPTY`, `-ERRNO_NOTDIR`). */
  rmdir(directory: Node, name: Uint8Array, start: number, end: number): Result;
  /** POSIX rename, within one backend; a directory never into itself (`-ERRNO_INVAL`). */
  rename(
    from: Node,
    fromName: Uint8Array,
    fromStart: number,
    fromEnd: number,
    to: Node,
    toName: Uint8Array,
    toStart: number,
    toEnd: number,
  ): Result;

  /**
   * Makes a retained node ready for I/O of that kind, and takes it back. The memory backend has nothing to do;
   * a host directory opens its descriptor here. Answers 0 or a negated errno.
   */
  openFile(node: Node, read: boolean, write: boolean): Result;
  /** Takes one `openFile` back. */
  closeFile(node: Node): void;

  /** Copies at most `length` bytes from `offset` on into `target`; 0 is the end. `target` may be shared memory. */
  read(node: Node, offset: number, target: Uint8Array, start: number, length: number): Result;
  /** Copies `length` bytes; a write past the end fills with zeros. Answers the bytes written. */
  write(node: Node, offset: number, source: Uint8Array, start: number, length: number): Result;
  /** The write that `FDFLAGS_APPEND` asks for, atomic among the threads; answers the bytes written. */
  append(node: Node, source: Uint8Array, start: number, length: number): Result;
  /** A file's size in bytes. */
  size(node: Node): Result;
  /** Cuts a file, or fills it up with zeros. */
  truncate(node: Node, size: number): Result;
  /** Flushes to what lies below; `dataOnly` as in `fdatasync`. */
  sync(node: Node, dataOnly: boolean): Result;
  /** Nanoseconds since the epoch; `undefined` leaves that time as it is. */
  setTimes(node: Node, atim: bigint | undefined, mtim: bigint | undefined): Result;

  /**
   * Visits the entries after `cookie` (0: from the start; `.` and `..` are the caller's). Cookies are stable: entries added
   * or removed between two calls never make another entry come twice or be left out. Linear in what it visits.
   */
  readdir(directory: Node, cookie: number, visit: DirectoryVisitor): Result;

  /** Gives back what it holds of the system below (a host directory's descriptors); called once, by who opened it. */
  dispose?(): void;

  /** A structured-cloneable description by which another thread opens the same file system, where that can be. */
  share?(): unknown;
}
