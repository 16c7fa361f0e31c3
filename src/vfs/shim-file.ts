import {
  FILETYPE_CHARACTER_DEVICE,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  FILETYPE_SYMBOLIC_LINK,
} from "./contract.js";
import type { Cookies } from "./cookies.js";
import { ERRNO_INVAL, ERRNO_IO, ERRNO_ISDIR, ERRNO_LOOP, ERRNO_NOTSUP } from "./errno.js";
import type { ShimFd, ShimInode, ShimStat } from "./shim-objects.js";

const WHENCE_SET = 0;
const FSTFLAGS_ATIM = 1;
const FSTFLAGS_MTIM = 4;
const RIGHTS_READ = 0x0e0_00a6n; // fd_read, fd_seek, fd_tell, fd_advise, fd_filestat_get, _set_size and _set_times
const RIGHTS_WRITE = RIGHTS_READ | 0x141n; // and fd_datasync, fd_write, fd_allocate

type Read = { ret: number; data: Uint8Array } | undefined;
type Written = { ret: number; nwritten: number } | undefined;

/** An `Fd` that was mounted itself, as the file that it is a descriptor of. */
export class FdInode implements ShimInode {
  readonly #fd: ShimFd;

  constructor(fd: ShimFd) {
    this.#fd = fd;
  }

  path_open(): { ret: number; fd_obj: ShimFd } {
    return { ret: 0, fd_obj: this.#fd };
  }

  stat(): ShimStat {
    const filestat = this.#fd.fd_filestat_get?.().filestat;
    if (filestat != null) {
      return filestat;
    }
    const answered = this.#fd.fd_fdstat_get?.();
    const filetype = answered?.ret === 0 ? answered.fdstat?.fs_filetype : undefined;
    return { filetype: filetype ?? FILETYPE_CHARACTER_DEVICE };
  }
}

/** A negated errno for what a method answered. */
export function answer(ret: number | undefined): number {
  return ret === 0 ? 0 : -(ret ?? ERRNO_NOTSUP);
}

/** An inode that has a node number, and what it is opened as. */
export class Item {
  readonly inode: ShimInode;
  readonly filetype: number;
  fd: ShimFd | undefined;
  writable = false;
  opens = 0;
  retains = 0;
  cookies: Cookies<undefined> | undefined;

  constructor(inode: ShimInode) {
    this.inode = inode;
    this.filetype = inode.stat().filetype;
  }

  open(write: boolean): ShimFd | number {
    if (this.filetype === FILETYPE_DIRECTORY || this.filetype === FILETYPE_SYMBOLIC_LINK) {
      return this.filetype === FILETYPE_DIRECTORY ? -ERRNO_ISDIR : -ERRNO_LOOP;
    }
    if (this.fd === undefined || (write && !this.writable)) {
      const opened = openShim(this.inode, write);
      if (typeof opened === "number") {
        return opened;
      }
      const { opens } = this;
      this.close();
      this.opens = opens;
      this.fd = opened;
      this.writable = write;
    }
    return this.fd;
  }

  close(): void {
    const { fd } = this;
    this.fd = undefined;
    this.writable = false;
    this.opens = 0;
    // A descriptor that was mounted itself stays its owner's to close.
    if (!(this.inode instanceof FdInode)) {
      try {
        fd?.fd_close?.();
      } catch {}
    }
  }
}

function openShim(inode: ShimInode, write: boolean): ShimFd | number {
  const { ret, fd_obj } = inode.path_open(0, write ? RIGHTS_WRITE : RIGHTS_READ, 0);
  return ret !== 0 || fd_obj == null ? -(ret || ERRNO_IO) : fd_obj;
}

/** Whether it answered anything but "not supported". */
function did(got: { ret: number } | undefined): boolean {
  return got !== undefined && got.ret !== ERRNO_NOTSUP;
}

export function readShim(
  fd: ShimFd,
  filetype: number,
  offset: number,
  target: Uint8Array,
  start: number,
  length: number,
): number {
  let got: Read;
  if (filetype === FILETYPE_REGULAR_FILE) {
    got = fd.fd_pread?.(length, BigInt(offset));
    if (!did(got)) {
      fd.fd_seek?.(BigInt(offset), WHENCE_SET);
      got = fd.fd_read?.(length);
    }
  } else {
    got = fd.fd_read?.(length);
  }
  if (got === undefined || got.ret !== 0) {
    return answer(got?.ret);
  }
  // More than was asked for must not reach the guest.
  const data = got.data.length > length ? got.data.subarray(0, length) : got.data;
  target.set(data, start);
  return data.length;
}

/** `data` is a copy of its own, which the object may keep. */
export function writeShim(fd: ShimFd, filetype: number, offset: number, data: Uint8Array): number {
  let got: Written;
  if (filetype === FILETYPE_REGULAR_FILE) {
    got = fd.fd_pwrite?.(data, BigInt(offset));
    if (!did(got)) {
      fd.fd_seek?.(BigInt(offset), WHENCE_SET);
      got = fd.fd_write?.(data);
    }
  } else {
    got = fd.fd_write?.(data);
  }
  if (got === undefined || got.ret !== 0) {
    return answer(got?.ret);
  }
  return Math.max(0, Math.min(got.nwritten, data.length));
}

export function sizeOfShim(inode: ShimInode, fd: ShimFd | undefined): number {
  const got = fd?.fd_filestat_get?.();
  return Number((got?.ret === 0 ? got.filestat?.size : undefined) ?? inode.stat().size ?? 0n);
}

/** `fd` is one that may write, where there is one. */
export function truncateShim(
  inode: ShimInode,
  fd: ShimFd | undefined,
  filetype: number,
  size: number,
): number {
  if (filetype !== FILETYPE_REGULAR_FILE) {
    // As a terminal takes `O_TRUNC`: to no effect.
    return size === 0 ? 0 : -ERRNO_INVAL;
  }
  const opened = fd ?? openShim(inode, true);
  if (typeof opened === "number") {
    return opened;
  }
  const ret = opened.fd_filestat_set_size?.(BigInt(size));
  if (fd === undefined) {
    opened.fd_close?.();
  }
  return answer(ret);
}

/** False where the object keeps no times. */
export function setShimTimes(
  fd: ShimFd | undefined,
  atim: bigint | undefined,
  mtim: bigint | undefined,
): boolean {
  const flags = (atim === undefined ? 0 : FSTFLAGS_ATIM) | (mtim === undefined ? 0 : FSTFLAGS_MTIM);
  return fd?.fd_filestat_set_times?.(atim ?? 0n, mtim ?? 0n, flags) === 0;
}
