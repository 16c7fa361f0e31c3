import { FILETYPE_DIRECTORY } from "../vfs/contract.js";
import { ERRNO_BADF, ERRNO_FAULT, ERRNO_INVAL, ERRNO_NOTCAPABLE, ERRNO_NOTDIR } from "../vfs/errno.js";
import type { Walk } from "../vfs/walk.js";
import type { Guest } from "./guest.js";

/** The only lookup flag: to follow a link in the last place. */
const LOOKUP_SYMLINK_FOLLOW = 1;

/** Checks descriptor, rights and path of a `path_` function and loads the path into the walk; answers an errno. */
export function startWalk(
  guest: Guest,
  walk: Walk,
  fd: number,
  rights: number,
  path: number,
  length: number,
  lookup: number,
): number {
  const start = path >>> 0;
  const size = length >>> 0;
  if (!guest.has(start, size)) return ERRNO_FAULT;
  const descriptor = guest.descriptor(fd >>> 0);
  if (descriptor === undefined) return ERRNO_BADF;
  if (descriptor.filetype !== FILETYPE_DIRECTORY) return ERRNO_NOTDIR;
  if ((descriptor.rights & rights) !== rights) return ERRNO_NOTCAPABLE;
  if ((lookup & ~LOOKUP_SYMLINK_FOLLOW) !== 0) return ERRNO_INVAL;
  return -walk.load(guest.bytes, start, size);
}
