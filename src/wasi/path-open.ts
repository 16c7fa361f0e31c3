import {
  type Backend,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  FILETYPE_SYMBOLIC_LINK,
} from "../vfs/contract.js";
import { Descriptor } from "../vfs/descriptors.js";
import {
  ERRNO_ACCES,
  ERRNO_EXIST,
  ERRNO_FAULT,
  ERRNO_INVAL,
  ERRNO_ISDIR,
  ERRNO_LOOP,
  ERRNO_MFILE,
  ERRNO_NOENT,
  ERRNO_NOTCAPABLE,
  ERRNO_NOTDIR,
} from "../vfs/errno.js";
import {
  ACCESS_CREATE,
  ACCESS_READ,
  ACCESS_WRITE,
  ALL_RIGHTS,
  DIRECTORY_RIGHTS,
  FILE_RIGHTS,
  RIGHT_FD_ALLOCATE,
  RIGHT_FD_READ,
  RIGHT_FD_READDIR,
  RIGHT_FD_WRITE,
  RIGHT_PATH_CREATE_FILE,
  RIGHT_PATH_FILESTAT_SET_SIZE,
  RIGHT_PATH_OPEN,
} from "../vfs/rights.js";
import { FOLLOW_ALWAYS, FOLLOW_NEVER, FOLLOW_SLASH, type Walk } from "../vfs/walk.js";
import { ALL_FDFLAGS } from "./file-io.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";
import { startWalk } from "./start-walk.js";

const OFLAGS_CREAT = 1;
const OFLAGS_DIRECTORY = 2;
const OFLAGS_EXCL = 4;
const OFLAGS_TRUNC = 8;
const ALL_OFLAGS = 15;

/** path_open. */
export function openFunctions(guest: Guest): Functions {
  const { table } = guest;

  return {
    path_open(
      fd: number,
      lookup: number,
      path: number,
      length: number,
      oflags: number,
      base: bigint,
      inheriting: bigint,
      fdflags: number,
      result: number,
    ) {
      try {
        const at = result >>> 0;
        if (!guest.has(at, 4)) return ERRNO_FAULT;
        let needed = RIGHT_PATH_OPEN;
        if ((oflags & OFLAGS_CREAT) !== 0) needed |= RIGHT_PATH_CREATE_FILE;
        if ((oflags & OFLAGS_TRUNC) !== 0) needed |= RIGHT_PATH_FILESTAT_SET_SIZE;
        const walk = guest.first;
        const started = startWalk(guest, walk, fd, needed, path, length, lookup);
        if (started !== 0) return started;
        if ((oflags & ~ALL_OFLAGS) !== 0 || (fdflags & ~ALL_FDFLAGS) !== 0) return ERRNO_INVAL;
        if ((oflags & (OFLAGS_CREAT | OFLAGS_DIRECTORY)) === (OFLAGS_CREAT | OFLAGS_DIRECTORY))
          return ERRNO_INVAL;
        if (table.full) return ERRNO_MFILE;

        const directory = guest.descriptor(fd >>> 0) as Descriptor;
        const exclusive = (oflags & (OFLAGS_CREAT | OFLAGS_EXCL)) === (OFLAGS_CREAT | OFLAGS_EXCL);
        const follow = exclusive ? FOLLOW_NEVER : (lookup & 1) !== 0 ? FOLLOW_ALWAYS : FOLLOW_SLASH;
        const opened = open(walk, directory, follow, oflags, low32(base), low32(inheriting));
        walk.leave();
        if (typeof opened === "number") return opened;
        opened.flags = fdflags;
        guest.setU32(at, table.add(opened));
        return 0;
      } catch (error) {
        return guest.caught(error);
      }
    },
  };
}

/** All rights that are defined lie in the lower half. */
function low32(rights: bigint): number {
  return Number(BigInt.asIntN(32, rights));
}

/** What the walk's path stands for as a new descriptor, or an errno. */
function open(
  walk: Walk,
  from: Descriptor,
  follow: number,
  oflags: number,
  base: number,
  inheriting: number,
): Descriptor | number {
  const found = walk.resolve(from.mounts as never, from.backend as Backend, from.node, follow);
  if (found < 0) return -found;
  const { backend } = walk;
  let { node, filetype } = walk;
  let { access } = from;
  let created = false;
  if (node === 0) {
    if ((oflags & OFLAGS_CREAT) === 0) return ERRNO_NOENT;
    if (walk.slash) return ERRNO_ISDIR;
    if ((access & ACCESS_CREATE) === 0) return ERRNO_ACCES;
    filetype = FILETYPE_REGULAR_FILE;
    created = true;
  } else if ((oflags & OFLAGS_EXCL) !== 0 && (oflags & OFLAGS_CREAT) !== 0) {
    return ERRNO_EXIST;
  } else if (filetype !== FILETYPE_DIRECTORY && (walk.slash || (oflags & OFLAGS_DIRECTORY) !== 0)) {
    return ERRNO_NOTDIR;
  } else if (filetype === FILETYPE_SYMBOLIC_LINK) {
    return ERRNO_LOOP;
  }

  const isDirectory = filetype === FILETYPE_DIRECTORY;
  let rights = base & (isDirectory ? DIRECTORY_RIGHTS : FILE_RIGHTS);
  if ((rights & ~from.inheriting) !== 0) return ERRNO_NOTCAPABLE;
  const truncates = (oflags & OFLAGS_TRUNC) !== 0;
  if (created) {
    // The table of rights lets it write what it creates, and read nothing.
    access |= ACCESS_WRITE;
    if ((access & ACCESS_READ) === 0) rights &= ~RIGHT_FD_READ;
  } else {
    if (
      (base & (isDirectory ? RIGHT_FD_READ | RIGHT_FD_READDIR : RIGHT_FD_READ)) !== 0 &&
      (access & ACCESS_READ) === 0
    ) {
      return ERRNO_ACCES;
    }
    if (isDirectory) {
      if ((oflags & OFLAGS_CREAT) !== 0 || truncates || (base & RIGHT_FD_WRITE) !== 0) return ERRNO_ISDIR;
    } else if (((base & RIGHT_FD_WRITE) !== 0 || truncates) && (access & ACCESS_WRITE) === 0) {
      return ERRNO_ACCES;
    }
  }

  if (created) {
    node = backend.create(walk.directory, walk.bytes, walk.start, walk.end);
    if (node < 0) return -node;
  }
  backend.retain(node);
  const descriptor = new Descriptor(filetype, rights, inheriting & from.inheriting & ALL_RIGHTS, access);
  if (isDirectory) {
    // A host directory takes a descriptor here: that there are none left is told now, not by what is done with it.
    const failed = backend.openFile(node, true, false);
    if (failed < 0) {
      backend.release(node);
      return -failed;
    }
    descriptor.opened = true;
  } else {
    const reads = (rights & RIGHT_FD_READ) !== 0;
    const writes =
      truncates || ((rights & (RIGHT_FD_WRITE | RIGHT_FD_ALLOCATE)) !== 0 && (access & ACCESS_WRITE) !== 0);
    if (reads || writes) {
      let failed = backend.openFile(node, reads, writes);
      if (failed >= 0 && truncates && !created) {
        failed = backend.truncate(node, 0);
        if (failed < 0) backend.closeFile(node);
      }
      if (failed < 0) {
        backend.release(node);
        return -failed;
      }
      descriptor.opened = true;
    }
  }
  descriptor.backend = backend;
  descriptor.node = node;
  descriptor.mounts = from.mounts;
  return descriptor;
}
