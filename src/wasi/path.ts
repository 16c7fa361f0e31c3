import { type Backend, FILETYPE_DIRECTORY, FILETYPE_SYMBOLIC_LINK } from "../vfs/contract.js";
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
} from "../vfs/errno.js";
import type { MountTable } from "../vfs/mounts.js";
import {
  ACCESS_CREATE,
  ACCESS_READ,
  ACCESS_WRITE,
  RIGHT_PATH_CREATE_DIRECTORY,
  RIGHT_PATH_FILESTAT_GET,
  RIGHT_PATH_FILESTAT_SET_TIMES,
  RIGHT_PATH_READLINK,
  RIGHT_PATH_REMOVE_DIRECTORY,
  RIGHT_PATH_SYMLINK,
  RIGHT_PATH_UNLINK_FILE,
} from "../vfs/rights.js";
import { FOLLOW_ALWAYS, FOLLOW_NEVER, FOLLOW_SLASH, type Walk } from "../vfs/walk.js";
import { chosenTimes, type FilestatLayout } from "./filestat.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";
import { startWalk } from "./start-walk.js";

const SLASH = 47;

/** The `path_` functions with one path, but for `path_open`, and `path_symlink`. */
export function pathFunctions(guest: Guest, layout: FilestatLayout): Functions {
  const walk = guest.first;

  /** Ends the walk; its answer is the errno of a negative result. */
  const done = (result: number): number => {
    walk.leave();
    return result < 0 ? -result : 0;
  };
  const resolve = (fd: number, follow: number): number => {
    const { mounts, backend, node } = guest.descriptor(fd >>> 0) as Descriptor;
    return walk.resolve(mounts as MountTable, backend as Backend, node, follow);
  };
  /** Resolves what must exist. */
  const find = (fd: number, follow: number): number => {
    const found = resolve(fd, follow);
    return found < 0 ? found : missing(walk);
  };
  const allows = (fd: number, access: number): boolean =>
    ((guest.descriptor(fd >>> 0) as Descriptor).access & access) !== 0;

  return {
    path_create_directory(fd: number, path: number, length: number) {
      const error = startWalk(guest, walk, fd, RIGHT_PATH_CREATE_DIRECTORY, path, length, 0);
      if (error !== 0) return error;
      const found = resolve(fd, FOLLOW_NEVER);
      if (found < 0) return done(found);
      if (walk.node !== 0) return done(-ERRNO_EXIST);
      if (!allows(fd, ACCESS_CREATE)) return done(-ERRNO_ACCES);
      return done(walk.backend.mkdir(walk.directory, walk.bytes, walk.start, walk.end));
    },

    path_filestat_get(fd: number, lookup: number, path: number, length: number, result: number) {
      try {
        const at = result >>> 0;
        if (!guest.has(at, layout.size)) return ERRNO_FAULT;
        const error = startWalk(guest, walk, fd, RIGHT_PATH_FILESTAT_GET, path, length, lookup);
        if (error !== 0) return error;
        let found = find(fd, (lookup & 1) !== 0 ? FOLLOW_ALWAYS : FOLLOW_SLASH);
        if (found >= 0) found = walk.backend.stat(walk.node, guest.filestat);
        walk.leave();
        if (found < 0) return -found;
        layout.store(guest, at);
        return 0;
      } catch (error) {
        return guest.caught(error);
      }
    },

    path_filestat_set_times(
      fd: number,
      lookup: number,
      path: number,
      length: number,
      atim: bigint,
      mtim: bigint,
      flags: number,
    ) {
      const error = startWalk(guest, walk, fd, RIGHT_PATH_FILESTAT_SET_TIMES, path, length, lookup);
      if (error !== 0) return error;
      const times = chosenTimes(guest, atim, mtim, flags);
      if (times === undefined) return ERRNO_INVAL;
      const found = find(fd, (lookup & 1) !== 0 ? FOLLOW_ALWAYS : FOLLOW_SLASH);
      if (found < 0) return done(found);
      if (!allows(fd, ACCESS_WRITE)) return done(-ERRNO_ACCES);
      return done(walk.backend.setTimes(walk.node, times.atim, times.mtim));
    },

    path_readlink(fd: number, path: number, length: number, buffer: number, size: number, result: number) {
      if (!guest.has(buffer >>> 0, size >>> 0) || !guest.has(result >>> 0, 4)) return ERRNO_FAULT;
      const error = startWalk(guest, walk, fd, RIGHT_PATH_READLINK, path, length, 0);
      if (error !== 0) return error;
      const found = find(fd, FOLLOW_SLASH);
      if (found < 0) return done(found);
      if (!allows(fd, ACCESS_READ)) return done(-ERRNO_ACCES);
      if (walk.filetype !== FILETYPE_SYMBOLIC_LINK) return done(-ERRNO_INVAL);
      const target = walk.backend.readlink(walk.node);
      walk.leave();
      if (typeof target === "number") return -target;
      const used = Math.min(target.length, size >>> 0);
      if (!guest.has(buffer >>> 0, used)) return ERRNO_FAULT;
      guest.bytes.set(used < target.length ? target.subarray(0, used) : target, buffer >>> 0);
      guest.setU32(result >>> 0, used);
      return 0;
    },

    path_remove_directory(fd: number, path: number, length: number) {
      const error = startWalk(guest, walk, fd, RIGHT_PATH_REMOVE_DIRECTORY, path, length, 0);
      if (error !== 0) return error;
      const found = find(fd, FOLLOW_NEVER);
      if (found < 0) return done(found);
      if (!walk.named) return done(-ERRNO_INVAL);
      if (!allows(fd, ACCESS_WRITE)) return done(-ERRNO_ACCES);
      if (walk.mounted) return done(-ERRNO_BUSY);
      if (walk.filetype !== FILETYPE_DIRECTORY) return done(-ERRNO_NOTDIR);
      return done(walk.backend.rmdir(walk.directory, walk.bytes, walk.start, walk.end));
    },

    path_symlink(target: number, targetLength: number, fd: number, path: number, length: number) {
      const start = target >>> 0;
      const size = targetLength >>> 0;
      if (!guest.has(start, size)) return ERRNO_FAULT;
      const error = startWalk(guest, walk, fd, RIGHT_PATH_SYMLINK, path, length, 0);
      if (error !== 0) return error;
      // The walk's rules for the bytes of a path hold for what the link will say, too.
      const loaded = guest.second.load(guest.bytes, start, size);
      if (loaded < 0) return -loaded;
      const text = guest.second.loaded();
      if (text.length === 0) return ERRNO_NOENT;
      if (text[0] === SLASH) return ERRNO_PERM;
      const found = resolve(fd, FOLLOW_NEVER);
      if (found < 0) return done(found);
      if (walk.node !== 0) return done(-ERRNO_EXIST);
      if (walk.slash) return done(-ERRNO_NOENT);
      if (!allows(fd, ACCESS_CREATE)) return done(-ERRNO_ACCES);
      return done(walk.backend.symlink(walk.directory, walk.bytes, walk.start, walk.end, text));
    },

    path_unlink_file(fd: number, path: number, length: number) {
      try {
        const error = startWalk(guest, walk, fd, RIGHT_PATH_UNLINK_FILE, path, length, 0);
        if (error !== 0) return error;
        // A link with a slash after it stands for no directory here: it is the link that would go.
        const found = resolve(fd, FOLLOW_NEVER);
        if (found < 0) return done(found);
        if (walk.node === 0) return done(-ERRNO_NOENT);
        if (!walk.named) return done(-ERRNO_ISDIR);
        if (!allows(fd, ACCESS_WRITE)) return done(-ERRNO_ACCES);
        if (walk.mounted) return done(-ERRNO_BUSY);
        if (walk.filetype === FILETYPE_DIRECTORY) return done(-ERRNO_ISDIR);
        if (walk.slash) return done(-ERRNO_NOTDIR);
        return done(walk.backend.unlink(walk.directory, walk.bytes, walk.start, walk.end));
      } catch (error) {
        return guest.caught(error);
      }
    },
  };
}

/** The errno, negated, for a path that had to exist; 0 where it does. */
export function missing(walk: Walk): number {
  if (walk.node === 0) return -ERRNO_NOENT;
  return walk.slash && walk.filetype !== FILETYPE_DIRECTORY ? -ERRNO_NOTDIR : 0;
}
