import type { Result } from "../vfs/contract.js";
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
} from "../vfs/rights.js";
import type { Body, Call, Functions } from "./functions.js";
import type { Guest } from "./guest.js";
import { ALL_FDFLAGS, TWO_32 } from "./numbers.js";
import { setTimes } from "./times.js";

const LAST_ADVICE = 5;
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);
/** The low half of `rights`: all that are defined. */
const RIGHTS_MASK = 0xffffffffn;

/** What is told of, or done to, an open descriptor. */
export function metadataFunctions(guest: Guest, filestat: number): Functions {
  const { table } = guest;

  const synchronize = (right: number): Call => [
    (file: Descriptor) => guest.hold(file).sync(file.node, right === RIGHT_FD_DATASYNC),
    0,
    right,
    0,
    0,
    ERRNO_INVAL,
  ];
  const resize = (right: number, body: Body): Call => [
    body,
    0,
    right,
    ACCESS_WRITE,
    ERRNO_ISDIR,
    ERRNO_INVAL,
  ];

  return {
    // Advice binds nobody.
    fd_advise: [
      (_file: Descriptor, _offset: bigint, _length: bigint, advice: number) =>
        (advice & 0xff) > LAST_ADVICE ? -ERRNO_INVAL : 0,
      0,
      RIGHT_FD_ADVISE,
      0,
      0,
      ERRNO_SPIPE,
    ],

    fd_allocate: resize(RIGHT_FD_ALLOCATE, (file: Descriptor, offset: bigint, length: bigint) => {
      if (offset < 0n || length <= 0n) return -ERRNO_INVAL;
      const end = offset + length;
      if (end > LARGEST) return -ERRNO_FBIG;
      const backend = guest.hold(file);
      const size = backend.size(file.node);
      return size < 0 || size >= end ? size : backend.truncate(file.node, Number(end));
    }),

    fd_filestat_set_size: resize(RIGHT_FD_FILESTAT_SET_SIZE, (file: Descriptor, size: bigint) =>
      size < 0n || size > LARGEST ? -ERRNO_FBIG : guest.hold(file).truncate(file.node, Number(size)),
    ),

    fd_filestat_set_times: [
      (file: Descriptor, atim: bigint, mtim: bigint, flags: number) =>
        setTimes(guest, guest.hold(file), file.node, atim, mtim, flags),
      0,
      RIGHT_FD_FILESTAT_SET_TIMES,
      ACCESS_WRITE,
      0,
      ERRNO_INVAL,
    ],

    fd_filestat_get: [
      (file: Descriptor): Result => {
        const { bytes } = guest.filestat;
        if (file.backend !== undefined) return guest.hold(file).stat(file.node, guest.filestat);
        bytes.fill(0);
        bytes[16] = file.filetype;
        bytes[24] = 1;
        return 0;
      },
      filestat,
      RIGHT_FD_FILESTAT_GET,
    ],

    fd_datasync: synchronize(RIGHT_FD_DATASYNC),
    fd_sync: synchronize(RIGHT_FD_SYNC),

    fd_close: [(fd: number) => -table.close(fd >>> 0)],
    fd_renumber: [(from: number, to: number) => -table.renumber(from >>> 0, to >>> 0)],

    fd_fdstat_get: [
      ({ filetype, flags, rights, inheriting }: Descriptor, result: number) => {
        const at = result >>> 0;
        if (!guest.has(at, 24)) return -ERRNO_FAULT;
        guest.setU64(at, filetype);
        guest.view.setUint16(at + 2, flags, true);
        guest.setU64(at + 8, rights);
        guest.setU64(at + 16, inheriting);
        return 0;
      },
      0,
      0,
    ],

    fd_fdstat_set_flags: [
      (file: Descriptor, flags: number) => {
        if ((flags & ~ALL_FDFLAGS) !== 0) return -ERRNO_INVAL;
        file.flags = flags;
        return 0;
      },
      0,
      RIGHT_FD_FDSTAT_SET_FLAGS,
    ],

    fd_fdstat_set_rights: [
      (file: Descriptor, base: bigint, inheriting: bigint) => {
        const rights = Number(base & RIGHTS_MASK) | 0;
        const inherited = Number(inheriting & RIGHTS_MASK) | 0;
        const unknown = ((base | inheriting) & ~RIGHTS_MASK) !== 0n;
        if (unknown || (rights & ~file.rights) !== 0 || (inherited & ~file.inheriting) !== 0)
          return -ERRNO_NOTCAPABLE;
        file.rights = rights;
        file.inheriting = inherited;
        return 0;
      },
      0,
      0,
    ],

    // The tag of a directory, a byte with its padding, is 0; the length of its name follows.
    fd_prestat_get: [({ preopen }: Descriptor) => (preopen ? preopen.length * TWO_32 : -ERRNO_BADF), 8, 0],

    fd_prestat_dir_name: [
      ({ preopen }: Descriptor, buffer: number, length: number) => {
        if (preopen === undefined) return -ERRNO_BADF;
        if (length >>> 0 < preopen.length) return -ERRNO_NAMETOOLONG;
        if (!guest.has(buffer >>> 0, preopen.length)) return -ERRNO_FAULT;
        guest.bytes.set(preopen, buffer >>> 0);
        return 0;
      },
      0,
      0,
    ],
  };
}
