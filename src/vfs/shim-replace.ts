import { ERRNO_INVAL, ERRNO_ISDIR, ERRNO_NOENT, ERRNO_NOTDIR, ERRNO_NOTEMPTY } from "./errno.js";
import { isDirectory } from "./shim-extra.js";
import { folderOf } from "./shim-folder.js";
import type { ShimInode } from "./shim-objects.js";

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
