import { lstatSync, rmdirSync } from "node:fs";
import type { Result } from "../../src/vfs/contract.js";
import { ERRNO_ISDIR, ERRNO_NOTDIR } from "../../src/vfs/errno.js";

export const windows = process.platform === "win32";

const quiet = { bigint: true, throwIfNoEntry: false } as const;

/** Windows doesn't rename over a directory: POSIX lets an empty one go. */
export function clearForRename(from: Buffer, to: Buffer): Result {
  const target = lstatSync(to, quiet);
  const source = lstatSync(from, quiet);
  if (
    target === undefined ||
    source === undefined ||
    (target.ino === source.ino && target.dev === source.dev)
  ) {
    return 0;
  }
  if (source.isDirectory() && !target.isDirectory()) {
    return -ERRNO_NOTDIR;
  }
  if (target.isDirectory() && !source.isDirectory()) {
    return -ERRNO_ISDIR;
  }
  if (target.isDirectory()) {
    rmdirSync(to);
  }
  return 0;
}
