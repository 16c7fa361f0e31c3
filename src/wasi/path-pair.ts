import { type Backend, FILETYPE_DIRECTORY } from "../vfs/contract.js";
import type { Descriptor } from "../vfs/descriptors.js";
import {
  ERRNO_ACCES,
  ERRNO_BUSY,
  ERRNO_EXIST,
  ERRNO_NOENT,
  ERRNO_NOTDIR,
  ERRNO_PERM,
  ERRNO_XDEV,
} from "../vfs/errno.js";
import type { MountTable } from "../vfs/mounts.js";
import {
  ACCESS_CREATE,
  ACCESS_READ,
  ACCESS_WRITE,
  RIGHT_PATH_LINK_SOURCE,
  RIGHT_PATH_LINK_TARGET,
  RIGHT_PATH_RENAME_SOURCE,
  RIGHT_PATH_RENAME_TARGET,
  widens,
} from "../vfs/rights.js";
import { FOLLOW_ALWAYS, FOLLOW_NEVER, FOLLOW_SLASH, type Walk } from "../vfs/walk.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";
import { missing } from "./path.js";
import { startWalk } from "./start-walk.js";

const ACCESS_CHANGE = ACCESS_READ | ACCESS_WRITE;

/** path_link and path_rename. */
export function pairFunctions(guest: Guest): Functions {
  const from = guest.first;
  const to = guest.second;

  const at = (fd: number): Descriptor => guest.descriptor(fd >>> 0) as Descriptor;
  const resolve = (walk: Walk, { mounts, backend, node }: Descriptor, follow: number): number =>
    walk.resolve(mounts as MountTable, backend as Backend, node, follow);
  const leave = (result: number): number => {
    to.leave();
    from.leave();
    return result < 0 ? -result : 0;
  };

  /** What of both paths is the same for a link and a rename; 0 or a negated errno. */
  const both = (source: Descriptor, target: Descriptor, follow: number): number => {
    let found = resolve(from, source, follow);
    if (found < 0) return found;
    found = missing(from);
    if (found < 0) return found;
    from.keep();
    return resolve(to, target, FOLLOW_NEVER);
  };

  return {
    path_link(
      fd: number,
      lookup: number,
      path: number,
      length: number,
      newFd: number,
      newPath: number,
      newLength: number,
    ) {
      const error =
        startWalk(guest, from, fd, RIGHT_PATH_LINK_SOURCE, path, length, lookup) ||
        startWalk(guest, to, newFd, RIGHT_PATH_LINK_TARGET, newPath, newLength, 0);
      if (error !== 0) return error;
      const source = at(fd);
      const target = at(newFd);
      const found = both(source, target, (lookup & 1) !== 0 ? FOLLOW_ALWAYS : FOLLOW_SLASH);
      if (found < 0) return leave(found);
      if (to.node !== 0) return leave(-ERRNO_EXIST);
      if (to.slash) return leave(-ERRNO_NOENT);
      if ((target.access & ACCESS_CREATE) === 0) return leave(-ERRNO_ACCES);
      // A second name must not give what the first one doesn't, not even by way of a third preopen that has the directory too.
      if (source.access !== target.access && (source.access & ACCESS_CHANGE) !== ACCESS_CHANGE)
        return leave(-ERRNO_ACCES);
      if (from.filetype === FILETYPE_DIRECTORY) return leave(-ERRNO_PERM);
      if (from.mounted) return leave(-ERRNO_BUSY);
      if (from.backend !== to.backend) return leave(-ERRNO_XDEV);
      return leave(to.backend.link(from.node, to.directory, to.bytes, to.start, to.end));
    },

    path_rename(fd: number, path: number, length: number, newFd: number, newPath: number, newLength: number) {
      const error =
        startWalk(guest, from, fd, RIGHT_PATH_RENAME_SOURCE, path, length, 0) ||
        startWalk(guest, to, newFd, RIGHT_PATH_RENAME_TARGET, newPath, newLength, 0);
      if (error !== 0) return error;
      const source = at(fd);
      const target = at(newFd);
      const found = both(source, target, FOLLOW_NEVER);
      if (found < 0) return leave(found);
      if (!from.named || from.mounted || !to.named || to.mounted) return leave(-ERRNO_BUSY);
      if (
        to.slash &&
        (from.filetype !== FILETYPE_DIRECTORY || (to.node !== 0 && to.filetype !== FILETYPE_DIRECTORY))
      ) {
        return leave(-ERRNO_NOTDIR);
      }
      if ((source.access & ACCESS_WRITE) === 0) return leave(-ERRNO_ACCES);
      if (source.access !== target.access) {
        // From one preopen into another the file is added there, or takes the place of what must be removable.
        const needed = to.node === 0 ? ACCESS_CREATE : ACCESS_CREATE | ACCESS_WRITE;
        if ((target.access & needed) !== needed || widens(source.access, target.access))
          return leave(-ERRNO_ACCES);
      }
      if (from.backend !== to.backend) return leave(-ERRNO_XDEV);
      const { directory, bytes, start, end } = from;
      return leave(to.backend.rename(directory, bytes, start, end, to.directory, to.bytes, to.start, to.end));
    },
  };
}
