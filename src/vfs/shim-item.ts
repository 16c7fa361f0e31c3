import { decodeText } from "../text.js";
import { FILETYPE_DIRECTORY, FILETYPE_REGULAR_FILE, FILETYPE_SYMBOLIC_LINK } from "./contract.js";
import type { Cookies } from "./cookies.js";
import { ERRNO_IO, ERRNO_ISDIR, ERRNO_LOOP, ERRNO_NOENT, ERRNO_NOTSUP } from "./errno.js";
import type { Held } from "./node-table.js";
import type { ShimFd, ShimInode } from "./shim-objects.js";

const OFLAGS_CREAT = 1;
const OFLAGS_DIRECTORY = 2;
const OFLAGS_EXCL = 4;
const WHENCE_SET = 0;
const ALL_RIGHTS = (1n << 29n) - 1n;
const RIGHTS_READ = 0x0e0_00a6n; // fd_read, fd_seek, fd_tell, fd_advise, fd_filestat_get, _set_size and _set_times
const RIGHTS_WRITE = RIGHTS_READ | 0x141n; // and fd_datasync, fd_write, fd_allocate

/** Thrown for what an object answers with an errno: `ShimBackend` makes it the answer, as it does with what objects throw. */
export class Refusal {
  readonly errno: number;

  constructor(errno: number) {
    this.errno = errno;
  }
}

/** The value that comes with an errno of 0; `undefined` is the errno of a method that isn't there. */
function given<T>(ret: number | undefined, value: T | null | undefined): T {
  if (ret !== 0 || value == null) throw new Refusal(ret === undefined ? ERRNO_NOTSUP : ret || ERRNO_IO);
  return value;
}

/** Throws for any errno but 0. */
export function check(ret: number | undefined): void {
  given(ret, true);
}

/** An inode that has a node number, and what it is opened as. */
export interface Item extends Held {
  readonly inode: ShimInode;
  readonly filetype: number;
  /** Its descriptors stay their owner's to close. */
  readonly lent: boolean;
  fd?: ShimFd | undefined;
  writable: boolean;
  opens: number;
  cookies?: Cookies<undefined>;
}

export function itemOf(inode: ShimInode, lent = false): Item {
  return { inode, filetype: inode.stat().filetype, lent, writable: false, opens: 0, retains: 0 };
}

/** The descriptor for reading or writing a file. */
export function open(item: Item, write: boolean): ShimFd {
  const { inode, filetype, opens } = item;
  if (filetype === FILETYPE_DIRECTORY) throw new Refusal(ERRNO_ISDIR);
  if (filetype === FILETYPE_SYMBOLIC_LINK) throw new Refusal(ERRNO_LOOP);
  if (item.fd === undefined || (write && !item.writable)) {
    const { ret, fd_obj } = inode.path_open(0, write ? RIGHTS_WRITE : RIGHTS_READ, 0);
    const fd = given(ret, fd_obj);
    close(item);
    Object.assign(item, { fd, opens, writable: write });
    return fd;
  }
  return item.fd;
}

export function close(item: Item): void {
  const { fd, lent } = item;
  Object.assign(item, { fd: undefined, opens: 0, writable: false });
  try {
    if (!lent) fd?.fd_close?.();
  } catch {}
}

/** Reads or writes at an offset: by the method that takes one, else by seeking. A device has no offsets. */
export function transfer<R extends { readonly ret: number }>(
  { filetype }: Item,
  fd: ShimFd,
  offset: number,
  positioned: (offset: bigint) => R | undefined,
  sequential: () => R | undefined,
): R {
  const at = BigInt(offset);
  const isFile = filetype === FILETYPE_REGULAR_FILE;
  let got = isFile ? positioned(at) : undefined;
  if (got === undefined || got.ret === ERRNO_NOTSUP) {
    if (isFile) fd.fd_seek?.(at, WHENCE_SET);
    got = sequential();
  }
  return given(got?.ret, got);
}

/** A directory's descriptor. */
function folder(item: Item): ShimFd {
  if (item.fd === undefined) {
    const { ret, fd_obj } = item.inode.path_open(OFLAGS_DIRECTORY, ALL_RIGHTS, 0);
    item.fd = given(ret, fd_obj);
  }
  return item.fd;
}

/** The map of a `Directory`: it is read and changed in place, so whoever holds it sees the same. */
function mapOf({ inode }: Item): Map<string, ShimInode> | undefined {
  return inode.contents instanceof Map ? inode.contents : undefined;
}

/** What a directory has under that name; `undefined` for nothing. */
export function find(directory: Item, name: string): ShimInode | undefined {
  const map = mapOf(directory);
  if (map !== undefined) return map.get(name);
  const fd = folder(directory);
  const looked = fd.path_lookup?.(name, 0);
  if (looked !== undefined && looked.ret !== ERRNO_NOTSUP) {
    return looked.ret === ERRNO_NOENT ? undefined : given(looked.ret, looked.inode_obj);
  }
  const stat = () => fd.path_filestat_get?.(0, name);
  const there = stat();
  if (there?.ret === ERRNO_NOENT) return undefined;
  const filestat = given(there?.ret, there?.filestat);
  // A directory without inodes: one is made up of what it answers by name.
  return {
    path_open: (oflags, rights, fdflags) =>
      fd.path_open?.(0, name, oflags, rights, rights, fdflags) ?? { ret: ERRNO_NOTSUP, fd_obj: null },
    stat: () => stat()?.filestat ?? filestat,
  };
}

/** Makes a file or directory: only the directory's own copy of the package can make one of the right class. */
export function make(directory: Item, name: string, isDirectory: boolean): ShimInode {
  const fd = folder(directory);
  if (isDirectory) check(fd.path_create_directory?.(name));
  else {
    const made = fd.path_open?.(0, name, OFLAGS_CREAT | OFLAGS_EXCL, ALL_RIGHTS, ALL_RIGHTS, 0);
    given(made?.ret, made?.fd_obj).fd_close?.();
  }
  return given(0, find(directory, name));
}

/** Puts an inode there, in the place of what is there. */
export function put(directory: Item, name: string, inode: ShimInode): void {
  const map = mapOf(directory);
  if (map !== undefined) map.set(name, inode);
  else check(folder(directory).path_link?.(name, inode, true));
}

/** Takes a name away by that method; the caller has seen that it may go. */
export function take(
  directory: Item,
  name: string,
  method: "path_unlink" | "path_unlink_file" | "path_remove_directory",
): void {
  if (mapOf(directory)?.delete(name)) return;
  const answer = folder(directory)[method]?.(name);
  check(typeof answer === "object" ? answer.ret : answer);
}

export function* namesIn(directory: Item): Generator<string, void> {
  const map = mapOf(directory);
  if (map !== undefined) return yield* map.keys();
  const fd = folder(directory);
  for (let cookie = 0n; ; ) {
    const dirent = fd.fd_readdir_single?.(cookie).dirent;
    if (dirent == null) return;
    cookie = dirent.d_next;
    const name = decodeText(dirent.dir_name);
    if (name !== "." && name !== "..") yield name;
  }
}

export const isDirectory = (inode: ShimInode): boolean => inode.stat().filetype === FILETYPE_DIRECTORY;

/** What is in a directory that has no number of its own. */
function childrenOf(inode: ShimInode): (ShimInode | undefined)[] {
  const item = itemOf(inode);
  try {
    return Array.from(namesIn(item), (name) => find(item, name));
  } finally {
    close(item);
  }
}

export const isEmpty = (directory: ShimInode): boolean => childrenOf(directory).length === 0;

/** Whether a directory is `inner`, or has it somewhere below. */
export function holds(outer: ShimInode, inner: ShimInode): boolean {
  const directories = [outer];
  for (const directory of directories) {
    if (directory === inner || (inner.ino !== undefined && directory.ino === inner.ino)) return true;
    for (const child of childrenOf(directory)) {
      if (child !== undefined && isDirectory(child)) directories.push(child);
    }
  }
  return false;
}
