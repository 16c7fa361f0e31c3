import { platform } from "../platform.js";
import { FILETYPE_DIRECTORY } from "./contract.js";
import { ERRNO_INVAL, ERRNO_ISDIR, ERRNO_NOENT, ERRNO_NOTDIR, ERRNO_NOTEMPTY } from "./errno.js";
import { folderOf } from "./shim-folder.js";
import type { ShimInode } from "./shim-objects.js";

/** What the package's inodes don't have, for as long as they live. */
export interface Extra {
  /** For an inode without a number. */
  readonly ino: bigint;
  /** Nanoseconds; `undefined` where the inode's own are to be believed. */
  atim: bigint | undefined;
  mtim: bigint | undefined;
  ctim: bigint | undefined;
  links: number;
  /** A directory whose last name is gone takes no new ones. */
  removed: boolean;
}

const extras = new WeakMap<ShimInode, Extra>();
let lastIno = 1n << 61n;

export function extraOf(inode: ShimInode): Extra {
  let extra = extras.get(inode);
  if (extra === undefined) {
    const unset = { atim: undefined, mtim: undefined, ctim: undefined };
    extra = { ino: lastIno++, ...unset, links: 1, removed: false };
    extras.set(inode, extra);
  }
  return extra;
}

/** Notes that an inode was changed now, and its content too. */
export function changed(inode: ShimInode, content: boolean): Extra {
  const extra = extraOf(inode);
  const now = BigInt(Math.floor(platform().now() * 1e3)) * 1_000n;
  extra.ctim = now;
  if (content) {
    extra.mtim = now;
  }
  return extra;
}

/** Notes that one name of an inode is gone. */
export function gone(inode: ShimInode): void {
  const extra = changed(inode, false);
  extra.links--;
  extra.removed = extra.links === 0;
}

export function isDirectory(inode: ShimInode): boolean {
  return inode.stat().filetype === FILETYPE_DIRECTORY;
}

export function isEmpty(directory: ShimInode): boolean {
  const folder = folderOf(directory);
  return typeof folder !== "number" && folder.isEmpty();
}

/** What Linux says to a rename of `inode` from one directory into another, over what is there. */
export function mayReplace(
  inode: ShimInode | number,
  from: ShimInode,
  there: ShimInode | number,
  to: ShimInode,
): number {
  if (typeof inode === "number") {
    return inode;
  }
  const directory = isDirectory(inode);
  if (directory && holds(inode, to)) {
    return -ERRNO_INVAL;
  }
  if (typeof there === "number") {
    return there === -ERRNO_NOENT ? 0 : there;
  }
  if (inode === there) {
    return 0;
  }
  if (isDirectory(there) !== directory) {
    return directory ? -ERRNO_NOTDIR : holds(there, from) ? -ERRNO_NOTEMPTY : -ERRNO_ISDIR;
  }
  return directory && !isEmpty(there) ? -ERRNO_NOTEMPTY : 0;
}

/** Whether a directory is `inner`, or has it somewhere below. */
function holds(outer: ShimInode, inner: ShimInode): boolean {
  const waiting = [outer];
  for (let inode = waiting.pop(); inode !== undefined; inode = waiting.pop()) {
    if (inode === inner || (inode.ino !== undefined && inode.ino === inner.ino)) {
      return true;
    }
    const folder = folderOf(inode);
    if (typeof folder === "number") {
      continue;
    }
    for (const name of folder.names()) {
      const child = folder.find(name);
      if (typeof child !== "number" && isDirectory(child)) {
        waiting.push(child);
      }
    }
  }
  return false;
}
