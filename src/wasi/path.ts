import { widens } from "../vfs/access.js";
import { type Backend, FILETYPE_DIRECTORY, FILETYPE_SYMBOLIC_LINK, type Result } from "../vfs/contract.js";
import type { Descriptor } from "../vfs/descriptors.js";
import {
  ERRNO_ACCES,
  ERRNO_BUSY,
  ERRNO_EXIST,
  ERRNO_FAULT,
  ERRNO_INVAL,
  ERRNO_ISDIR,
  ERRNO_NOENT,
  ERRNO_NOTDIR,
  ERRNO_PERM,
  ERRNO_XDEV,
} from "../vfs/errno.js";
import type { MountTable } from "../vfs/mounts.js";
import { FOLLOW_ALWAYS, FOLLOW_NEVER, FOLLOW_SLASH, SLASH } from "../vfs/paths.js";
import {
  ACCESS_CREATE,
  ACCESS_READ,
  ACCESS_WRITE,
  RIGHT_PATH_CREATE_DIRECTORY,
  RIGHT_PATH_FILESTAT_GET,
  RIGHT_PATH_FILESTAT_SET_TIMES,
  RIGHT_PATH_LINK_SOURCE,
  RIGHT_PATH_LINK_TARGET,
  RIGHT_PATH_READLINK,
  RIGHT_PATH_REMOVE_DIRECTORY,
  RIGHT_PATH_RENAME_SOURCE,
  RIGHT_PATH_RENAME_TARGET,
  RIGHT_PATH_SYMLINK,
  RIGHT_PATH_UNLINK_FILE,
} from "../vfs/rights.js";
import type { Walk } from "../vfs/walk.js";
import { type Functions, inDirectory } from "./functions.js";
import type { Guest } from "./guest.js";
import { LOOKUP_SYMLINK_FOLLOW } from "./numbers.js";
import { setTimes } from "./times.js";

const ACCESS_CHANGE = ACCESS_READ | ACCESS_WRITE;

/** Takes a path from the guest; answers 0 or a negated errno, as all checks here do. */
function load(guest: Guest, walk: Walk, path: number, length: number, lookup = 0): Result {
  if (!guest.has(path >>> 0, length >>> 0)) return -ERRNO_FAULT;
  if ((lookup & ~LOOKUP_SYMLINK_FOLLOW) !== 0) return -ERRNO_INVAL;
  return walk.load(guest.bytes, path >>> 0, length >>> 0);
}

function resolve(walk: Walk, { mounts, backend, node }: Descriptor, follow: number): Result {
  return walk.resolve(mounts as MountTable, backend as Backend, node, follow);
}

/** Resolves a path of the guest's from that directory on; where the lookup flags ask for it, links are followed as `asked`. */
export function find(
  guest: Guest,
  walk: Walk,
  directory: Descriptor,
  path: number,
  length: number,
  follow: number,
  lookup = 0,
  asked = FOLLOW_ALWAYS,
): Result {
  return load(guest, walk, path, length, lookup) || resolve(walk, directory, lookup === 0 ? follow : asked);
}

/** Of a path that has to exist. */
function missing({ node, slash, filetype }: Walk): Result {
  if (node === 0) return -ERRNO_NOENT;
  return slash && filetype !== FILETYPE_DIRECTORY ? -ERRNO_NOTDIR : 0;
}

/** Of a preopen that has to allow it. */
function denied({ access }: Descriptor, needed: number): Result {
  return (access & needed) === needed ? 0 : -ERRNO_ACCES;
}

/** The last name, as the operations of a backend take it. */
function nameOf({ directory, bytes, start, end }: Walk): [number, Uint8Array, number, number] {
  return [directory, bytes, start, end];
}

/** The `path_` functions, but for `path_open`. */
export function pathFunctions(guest: Guest, filestat: number): Functions {
  const { first: walk, second: to } = guest;

  /** What of both paths is the same for a link and a rename: the first exists, the second is resolved up to its name. */
  const findBoth = (
    source: Descriptor,
    path: number,
    length: number,
    follow: number,
    lookup: number,
    fd: number,
    right: number,
    newPath: number,
    newLength: number,
  ): Result => {
    const error =
      load(guest, walk, path, length, lookup) ||
      guest.check(fd >>> 0, right, 0, 0, ERRNO_NOTDIR, ERRNO_NOTDIR) ||
      load(guest, to, newPath, newLength) ||
      resolve(walk, source, lookup === 0 ? follow : FOLLOW_ALWAYS) ||
      missing(walk);
    if (error !== 0) return error;
    walk.keep();
    return resolve(to, at(fd), FOLLOW_NEVER);
  };
  const at = (fd: number): Descriptor => guest.table.entries[fd >>> 0] as Descriptor;

  return {
    path_create_directory: inDirectory(
      RIGHT_PATH_CREATE_DIRECTORY,
      (directory: Descriptor, path: number, length: number) =>
        find(guest, walk, directory, path, length, FOLLOW_NEVER) ||
        (walk.node !== 0 ? -ERRNO_EXIST : denied(directory, ACCESS_CREATE)) ||
        walk.backend.mkdir(...nameOf(walk)),
    ),

    path_filestat_get: inDirectory(
      RIGHT_PATH_FILESTAT_GET,
      (directory: Descriptor, lookup: number, path: number, length: number) =>
        find(guest, walk, directory, path, length, FOLLOW_SLASH, lookup) ||
        missing(walk) ||
        walk.backend.stat(walk.node, guest.filestat),
      filestat,
    ),

    path_filestat_set_times: inDirectory(
      RIGHT_PATH_FILESTAT_SET_TIMES,
      (
        directory: Descriptor,
        lookup: number,
        path: number,
        length: number,
        atim: bigint,
        mtim: bigint,
        flags: number,
      ) =>
        find(guest, walk, directory, path, length, FOLLOW_SLASH, lookup) ||
        missing(walk) ||
        denied(directory, ACCESS_WRITE) ||
        setTimes(guest, walk.backend, walk.node, atim, mtim, flags),
    ),

    path_readlink: inDirectory(
      RIGHT_PATH_READLINK,
      (directory: Descriptor, path: number, length: number, bufferAt: number, bufferSize: number) => {
        const buffer = bufferAt >>> 0;
        const size = bufferSize >>> 0;
        if (!guest.has(buffer, size)) return -ERRNO_FAULT;
        const error =
          find(guest, walk, directory, path, length, FOLLOW_SLASH) ||
          missing(walk) ||
          denied(directory, ACCESS_READ) ||
          (walk.filetype === FILETYPE_SYMBOLIC_LINK ? 0 : -ERRNO_INVAL);
        if (error !== 0) return error;
        const target = walk.backend.readlink(walk.node);
        if (typeof target === "number") return target;
        const used = Math.min(target.length, size);
        if (!guest.has(buffer, used)) return -ERRNO_FAULT;
        guest.bytes.set(target.subarray(0, used), buffer);
        return used;
      },
      4,
    ),

    path_remove_directory: inDirectory(
      RIGHT_PATH_REMOVE_DIRECTORY,
      (directory: Descriptor, path: number, length: number) =>
        find(guest, walk, directory, path, length, FOLLOW_NEVER) ||
        missing(walk) ||
        (walk.named ? denied(directory, ACCESS_WRITE) : -ERRNO_INVAL) ||
        (walk.mounted ? -ERRNO_BUSY : walk.filetype === FILETYPE_DIRECTORY ? 0 : -ERRNO_NOTDIR) ||
        walk.backend.rmdir(...nameOf(walk)),
    ),

    path_unlink_file: inDirectory(
      RIGHT_PATH_UNLINK_FILE,
      // A link with a slash after it stands for no directory here: it is the link that would go.
      (directory: Descriptor, path: number, length: number) =>
        find(guest, walk, directory, path, length, FOLLOW_NEVER) ||
        (walk.node === 0 ? -ERRNO_NOENT : walk.named ? denied(directory, ACCESS_WRITE) : -ERRNO_ISDIR) ||
        (walk.mounted
          ? -ERRNO_BUSY
          : walk.filetype === FILETYPE_DIRECTORY
            ? -ERRNO_ISDIR
            : walk.slash
              ? -ERRNO_NOTDIR
              : walk.backend.unlink(...nameOf(walk))),
    ),

    path_symlink: [
      (target: number, targetLength: number, fd: number, path: number, length: number) => {
        const size = targetLength >>> 0;
        if (!guest.has(target >>> 0, size)) return -ERRNO_FAULT;
        const error =
          guest.check(fd >>> 0, RIGHT_PATH_SYMLINK, 0, 0, ERRNO_NOTDIR, ERRNO_NOTDIR) ||
          load(guest, walk, path, length, 0) ||
          // The walk's rules for the bytes of a path hold for what the link will say, too.
          to.load(guest.bytes, target >>> 0, size);
        if (error !== 0) return error;
        const text = to.loaded();
        if (size === 0) return -ERRNO_NOENT;
        if (text[0] === SLASH) return -ERRNO_PERM;
        return (
          resolve(walk, at(fd), FOLLOW_NEVER) ||
          (walk.node !== 0 ? -ERRNO_EXIST : walk.slash ? -ERRNO_NOENT : denied(at(fd), ACCESS_CREATE)) ||
          walk.backend.symlink(...nameOf(walk), text)
        );
      },
    ],

    path_link: inDirectory(
      RIGHT_PATH_LINK_SOURCE,
      (
        source: Descriptor,
        lookup: number,
        path: number,
        length: number,
        fd: number,
        newPath: number,
        newLength: number,
      ) => {
        const error =
          findBoth(
            source,
            path,
            length,
            FOLLOW_SLASH,
            lookup,
            fd,
            RIGHT_PATH_LINK_TARGET,
            newPath,
            newLength,
          ) ||
          (to.node !== 0 ? -ERRNO_EXIST : to.slash ? -ERRNO_NOENT : denied(at(fd), ACCESS_CREATE)) ||
          // A second name must not give what the first one doesn't, not even by way of a third preopen that has the directory too.
          (source.access === at(fd).access ? 0 : denied(source, ACCESS_CHANGE));
        if (error !== 0) return error;
        if (walk.filetype === FILETYPE_DIRECTORY) return -ERRNO_PERM;
        if (walk.mounted) return -ERRNO_BUSY;
        return walk.backend === to.backend ? to.backend.link(walk.node, ...nameOf(to)) : -ERRNO_XDEV;
      },
    ),

    path_rename: inDirectory(
      RIGHT_PATH_RENAME_SOURCE,
      (source: Descriptor, path: number, length: number, fd: number, newPath: number, newLength: number) => {
        const found = findBoth(
          source,
          path,
          length,
          FOLLOW_NEVER,
          0,
          fd,
          RIGHT_PATH_RENAME_TARGET,
          newPath,
          newLength,
        );
        if (found !== 0) return found;
        if (!walk.named || walk.mounted || !to.named || to.mounted) return -ERRNO_BUSY;
        if (
          to.slash &&
          (walk.filetype !== FILETYPE_DIRECTORY || (to.node !== 0 && to.filetype !== FILETYPE_DIRECTORY))
        ) {
          return -ERRNO_NOTDIR;
        }
        const target = at(fd);
        let error = denied(source, ACCESS_WRITE);
        if (error === 0 && source.access !== target.access) {
          // From one preopen into another the file is added there, or takes the place of what must be removable.
          error = denied(target, to.node === 0 ? ACCESS_CREATE : ACCESS_CREATE | ACCESS_WRITE);
          if (widens(source.access, target.access)) error = -ERRNO_ACCES;
        }
        if (error !== 0) return error;
        return walk.backend === to.backend ? to.backend.rename(...nameOf(walk), ...nameOf(to)) : -ERRNO_XDEV;
      },
    ),
  };
}
