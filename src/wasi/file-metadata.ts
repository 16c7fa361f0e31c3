import { type Backend, FILETYPE_DIRECTORY } from "../vfs/contract.js";
import type { Descriptor } from "../vfs/descriptors.js";
import {
  ERRNO_BADF,
  ERRNO_FAULT,
  ERRNO_FBIG,
  ERRNO_INVAL,
  ERRNO_ISDIR,
  ERRNO_NAMETOOLONG,
  ERRNO_NOTCAPABLE,
  ERRNO_SPIPE,
} from "../vfs/errno.js";
import {
  ACCESS_WRITE,
  RIGHT_FD_ADVISE,
  RIGHT_FD_ALLOCATE,
  RIGHT_FD_DATASYNC,
  RIGHT_FD_FDSTAT_SET_FLAGS,
  RIGHT_FD_FILESTAT_GET,
  RIGHT_FD_FILESTAT_SET_SIZE,
  RIGHT_FD_FILESTAT_SET_TIMES,
  RIGHT_FD_SYNC,
  refusal,
} from "../vfs/rights.js";
import { ALL_FDFLAGS } from "./file-io.js";
import type { FilestatLayout } from "./filestat.js";
import { chosenTimes } from "./filestat.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";

const LAST_ADVICE = 5;
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);
/** The low half of `rights`: all that are defined. */
const RIGHTS_MASK = 0xffffffffn;

/** What is told of, or done to, an open descriptor. */
export function metadataFunctions(guest: Guest, layout: FilestatLayout): Functions {
  const find = (fd: number): Descriptor | undefined => guest.descriptor(fd >>> 0);

  /** Runs an operation on a file's backend; answers an errno. */
  const run = (descriptor: Descriptor, operation: (backend: Backend) => number): number => {
    const { backend } = descriptor;
    if (backend === undefined) return ERRNO_SPIPE;
    backend.begin();
    guest.held = backend;
    const result = operation(backend);
    guest.held = undefined;
    backend.end();
    return result < 0 ? -result : 0;
  };

  const synchronize = (fd: number, right: number): number => {
    const descriptor = find(fd);
    if (descriptor === undefined) return ERRNO_BADF;
    if (descriptor.backend === undefined) return ERRNO_INVAL;
    if ((descriptor.rights & right) === 0) return ERRNO_NOTCAPABLE;
    return run(descriptor, (backend) => backend.sync(descriptor.node, right === RIGHT_FD_DATASYNC));
  };

  /** Why the file can't be made another size; 0 where it can. */
  const unsizable = (descriptor: Descriptor, right: number): number => {
    if (descriptor.filetype === FILETYPE_DIRECTORY) return ERRNO_ISDIR;
    if (descriptor.backend === undefined) return ERRNO_INVAL;
    if ((descriptor.access & ACCESS_WRITE) === 0 || (descriptor.rights & right) === 0) {
      return refusal(descriptor.access, ACCESS_WRITE);
    }
    return 0;
  };

  return {
    fd_advise(fd: number, _offset: bigint, _length: bigint, advice: number) {
      const descriptor = find(fd);
      if (descriptor === undefined) return ERRNO_BADF;
      if (descriptor.backend === undefined) return ERRNO_SPIPE;
      if ((descriptor.rights & RIGHT_FD_ADVISE) === 0) return ERRNO_NOTCAPABLE;
      // Advice binds nobody.
      return (advice & 0xff) > LAST_ADVICE ? ERRNO_INVAL : 0;
    },

    fd_allocate(fd: number, offset: bigint, length: bigint) {
      const descriptor = find(fd);
      if (descriptor === undefined) return ERRNO_BADF;
      const error = unsizable(descriptor, RIGHT_FD_ALLOCATE);
      if (error !== 0) return error;
      if (offset < 0n || length <= 0n) return ERRNO_INVAL;
      const end = offset + length;
      if (end > LARGEST) return ERRNO_FBIG;
      return run(descriptor, (backend) => {
        const size = backend.size(descriptor.node);
        return size < 0 || size >= end ? size : backend.truncate(descriptor.node, Number(end));
      });
    },

    fd_close: (fd: number) => {
      try {
        return guest.table.close(fd >>> 0);
      } catch (error) {
        return guest.caught(error);
      }
    },

    fd_datasync: (fd: number) => synchronize(fd, RIGHT_FD_DATASYNC),

    fd_sync: (fd: number) => synchronize(fd, RIGHT_FD_SYNC),

    fd_fdstat_get(fd: number, result: number) {
      const at = result >>> 0;
      if (!guest.has(at, 24)) return ERRNO_FAULT;
      const descriptor = find(fd);
      if (descriptor === undefined) return ERRNO_BADF;
      const { view } = guest;
      view.setUint16(at, descriptor.filetype, true);
      view.setUint32(at + 2, descriptor.flags, true);
      view.setUint16(at + 6, 0, true);
      guest.setU64(at + 8, descriptor.rights);
      guest.setU64(at + 16, descriptor.inheriting);
      return 0;
    },

    fd_fdstat_set_flags(fd: number, flags: number) {
      const descriptor = find(fd);
      if (descriptor === undefined) return ERRNO_BADF;
      if ((descriptor.rights & RIGHT_FD_FDSTAT_SET_FLAGS) === 0) return ERRNO_NOTCAPABLE;
      if ((flags & ~ALL_FDFLAGS) !== 0) return ERRNO_INVAL;
      descriptor.flags = flags;
      return 0;
    },

    fd_fdstat_set_rights(fd: number, base: bigint, inheriting: bigint) {
      const descriptor = find(fd);
      if (descriptor === undefined) return ERRNO_BADF;
      if (base < 0n || inheriting < 0n || base > RIGHTS_MASK || inheriting > RIGHTS_MASK)
        return ERRNO_NOTCAPABLE;
      const rights = Number(base) | 0;
      const inherited = Number(inheriting) | 0;
      if ((rights & ~descriptor.rights) !== 0 || (inherited & ~descriptor.inheriting) !== 0)
        return ERRNO_NOTCAPABLE;
      descriptor.rights = rights;
      descriptor.inheriting = inherited;
      return 0;
    },

    fd_filestat_get(fd: number, result: number) {
      try {
        const at = result >>> 0;
        if (!guest.has(at, layout.size)) return ERRNO_FAULT;
        const descriptor = guest.descriptor(fd >>> 0);
        if (descriptor === undefined) return ERRNO_BADF;
        if ((descriptor.rights & RIGHT_FD_FILESTAT_GET) === 0) return ERRNO_NOTCAPABLE;
        const { backend } = descriptor;
        const { filestat } = guest;
        if (backend === undefined) {
          filestat.bytes.fill(0);
          filestat.bytes[16] = descriptor.filetype;
          filestat.bytes[24] = 1;
        } else {
          backend.begin();
          guest.held = backend;
          const error = backend.stat(descriptor.node, filestat);
          guest.held = undefined;
          backend.end();
          if (error < 0) return -error;
        }
        layout.store(guest, at);
        return 0;
      } catch (error) {
        return guest.caught(error);
      }
    },

    fd_filestat_set_size(fd: number, size: bigint) {
      const descriptor = find(fd);
      if (descriptor === undefined) return ERRNO_BADF;
      const error = unsizable(descriptor, RIGHT_FD_FILESTAT_SET_SIZE);
      if (error !== 0) return error;
      if (size < 0n || size > LARGEST) return ERRNO_FBIG;
      return run(descriptor, (backend) => backend.truncate(descriptor.node, Number(size)));
    },

    fd_filestat_set_times(fd: number, atim: bigint, mtim: bigint, flags: number) {
      const descriptor = find(fd);
      if (descriptor === undefined) return ERRNO_BADF;
      if (descriptor.backend === undefined) return ERRNO_INVAL;
      if (
        (descriptor.access & ACCESS_WRITE) === 0 ||
        (descriptor.rights & RIGHT_FD_FILESTAT_SET_TIMES) === 0
      ) {
        return refusal(descriptor.access, ACCESS_WRITE);
      }
      const times = chosenTimes(guest, atim, mtim, flags);
      if (times === undefined) return ERRNO_INVAL;
      return run(descriptor, (backend) => backend.setTimes(descriptor.node, times.atim, times.mtim));
    },

    fd_prestat_get(fd: number, result: number) {
      const at = result >>> 0;
      if (!guest.has(at, 8)) return ERRNO_FAULT;
      const name = find(fd)?.preopen;
      if (name === undefined) return ERRNO_BADF;
      // The tag of a directory, a byte with its padding, is 0.
      guest.setU32(at, 0);
      guest.setU32(at + 4, name.length);
      return 0;
    },

    fd_prestat_dir_name(fd: number, buffer: number, length: number) {
      const name = find(fd)?.preopen;
      if (name === undefined) return ERRNO_BADF;
      if (length >>> 0 < name.length) return ERRNO_NAMETOOLONG;
      if (!guest.has(buffer >>> 0, name.length)) return ERRNO_FAULT;
      guest.bytes.set(name, buffer >>> 0);
      return 0;
    },

    fd_renumber: (from: number, to: number) => guest.table.renumber(from >>> 0, to >>> 0),
  };
}
