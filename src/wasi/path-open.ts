import { FILETYPE_DIRECTORY, FILETYPE_REGULAR_FILE, FILETYPE_SYMBOLIC_LINK } from "../vfs/contract.js";
import { Descriptor } from "../vfs/descriptors.js";
import {
  ERRNO_ACCES,
  ERRNO_EXIST,
  ERRNO_INVAL,
  ERRNO_ISDIR,
  ERRNO_LOOP,
  ERRNO_MFILE,
  ERRNO_NOENT,
  ERRNO_NOTCAPABLE,
  ERRNO_NOTDIR,
} from "../vfs/errno.js";
import { FOLLOW_NEVER, FOLLOW_SLASH } from "../vfs/paths.js";
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
import { type Functions, inDirectory } from "./functions.js";
import type { Guest } from "./guest.js";
import {
  ALL_FDFLAGS,
  ALL_OFLAGS,
  OFLAGS_CREAT,
  OFLAGS_DIRECTORY,
  OFLAGS_EXCL,
  OFLAGS_TRUNC,
} from "./numbers.js";
import { find } from "./path.js";

/** path_open. */
export function openFunctions(guest: Guest): Functions {
  const { table, first: walk } = guest;

  return {
    path_open: inDirectory(
      RIGHT_PATH_OPEN,
      (
        from: Descriptor,
        lookup: number,
        path: number,
        length: number,
        oflags: number,
        base64: bigint,
        inheriting: bigint,
        fdflags: number,
      ) => {
        const creates = (oflags & OFLAGS_CREAT) !== 0;
        const truncates = (oflags & OFLAGS_TRUNC) !== 0;
        const exclusive = creates && (oflags & OFLAGS_EXCL) !== 0;
        const wantsDirectory = (oflags & OFLAGS_DIRECTORY) !== 0;
        const needed =
          (creates ? RIGHT_PATH_CREATE_FILE : 0) | (truncates ? RIGHT_PATH_FILESTAT_SET_SIZE : 0);
        if ((needed & ~from.rights) !== 0) return -ERRNO_NOTCAPABLE;
        if ((oflags & ~ALL_OFLAGS) !== 0 || (fdflags & ~ALL_FDFLAGS) !== 0 || (creates && wantsDirectory))
          return -ERRNO_INVAL;
        if (table.full) return -ERRNO_MFILE;

        // An exclusive open takes no link for what it leads to.
        const found = exclusive
          ? find(guest, walk, from, path, length, FOLLOW_NEVER, lookup, FOLLOW_NEVER)
          : find(guest, walk, from, path, length, FOLLOW_SLASH, lookup);
        if (found < 0) return found;
        const { backend } = walk;
        let { node, filetype } = walk;
        let { access } = from;
        const created = node === 0;
        if (created) {
          if (!creates) return -ERRNO_NOENT;
          if (walk.slash) return -ERRNO_ISDIR;
          if ((access & ACCESS_CREATE) === 0) return -ERRNO_ACCES;
          filetype = FILETYPE_REGULAR_FILE;
        } else if (exclusive) {
          return -ERRNO_EXIST;
        } else if (filetype !== FILETYPE_DIRECTORY && (walk.slash || wantsDirectory)) {
          return -ERRNO_NOTDIR;
        } else if (filetype === FILETYPE_SYMBOLIC_LINK) {
          return -ERRNO_LOOP;
        }

        // All rights that are defined lie in the lower half.
        const base = Number(BigInt.asIntN(32, base64));
        const isDirectory = filetype === FILETYPE_DIRECTORY;
        let rights = base & (isDirectory ? DIRECTORY_RIGHTS : FILE_RIGHTS);
        if ((rights & ~from.inheriting) !== 0) return -ERRNO_NOTCAPABLE;
        const wantsWrite = truncates || (base & RIGHT_FD_WRITE) !== 0;
        if (created) {
          // The table of rights lets it write what it creates, and read nothing.
          access |= ACCESS_WRITE;
          if ((access & ACCESS_READ) === 0) rights &= ~RIGHT_FD_READ;
        } else {
          const reading = isDirectory ? RIGHT_FD_READ | RIGHT_FD_READDIR : RIGHT_FD_READ;
          if ((base & reading) !== 0 && (access & ACCESS_READ) === 0) return -ERRNO_ACCES;
          if (isDirectory) {
            if (creates || wantsWrite) return -ERRNO_ISDIR;
          } else if (wantsWrite && (access & ACCESS_WRITE) === 0) {
            return -ERRNO_ACCES;
          }
        }

        if (created) {
          node = backend.create(walk.directory, walk.bytes, walk.start, walk.end);
          if (node < 0) return node;
        }
        backend.retain(node);
        // A host directory takes a descriptor here: that there are none left is told now, not by what is done with it.
        const reads = isDirectory || (rights & RIGHT_FD_READ) !== 0;
        const writes =
          !isDirectory &&
          (truncates ||
            ((rights & (RIGHT_FD_WRITE | RIGHT_FD_ALLOCATE)) !== 0 && (access & ACCESS_WRITE) !== 0));
        const opened = reads || writes;
        if (opened) {
          let failed = backend.openFile(node, reads, writes);
          if (failed >= 0 && truncates && !created) {
            failed = backend.truncate(node, 0);
            if (failed < 0) backend.closeFile(node);
          }
          if (failed < 0) {
            backend.release(node);
            return failed;
          }
        }
        const low = Number(BigInt.asIntN(32, inheriting));
        const descriptor = new Descriptor(filetype, rights, low & from.inheriting & ALL_RIGHTS, access);
        descriptor.opened = opened;
        descriptor.backend = backend;
        descriptor.node = node;
        descriptor.mounts = from.mounts;
        descriptor.flags = fdflags;
        return table.add(descriptor);
      },
      4,
    ),
  };
}
