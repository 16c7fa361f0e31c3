import { FILETYPE_CHARACTER_DEVICE, FILETYPE_SYMBOLIC_LINK } from "./contract.js";
import { ERRNO_LOOP } from "./errno.js";

/** What a file system of `@bjorn3/browser_wasi_shim` 0.4 is made of, as far as it is called here. */
export interface ShimStat {
  readonly dev?: bigint;
  readonly ino?: bigint;
  readonly filetype: number;
  readonly nlink?: bigint;
  readonly size?: bigint;
  readonly atim?: bigint;
  readonly mtim?: bigint;
  readonly ctim?: bigint;
}

export interface ShimInode {
  readonly ino?: bigint;
  path_open(oflags: number, rights: bigint, fdflags: number): { ret: number; fd_obj: ShimFd | null };
  stat(): ShimStat;
  /** A directory's. */
  readonly contents?: Map<string, ShimInode>;
}

export interface ShimFd {
  /** The directory of an `OpenDirectory`. */
  readonly dir?: ShimInode;
  fd_close?(): number;
  fd_fdstat_get?(): { ret: number; fdstat: { fs_filetype: number } | null };
  fd_filestat_get?(): { ret: number; filestat: ShimStat | null };
  fd_filestat_set_size?(size: bigint): number;
  fd_filestat_set_times?(atim: bigint, mtim: bigint, flags: number): number;
  fd_read?(size: number): { ret: number; data: Uint8Array };
  fd_pread?(size: number, offset: bigint): { ret: number; data: Uint8Array };
  fd_write?(data: Uint8Array): { ret: number; nwritten: number };
  fd_pwrite?(data: Uint8Array, offset: bigint): { ret: number; nwritten: number };
  fd_seek?(offset: bigint, whence: number): { ret: number; offset: bigint };
  fd_sync?(): number;
  fd_readdir_single?(cookie: bigint): { ret: number; dirent: ShimEntry | null };
  path_open?(
    dirflags: number,
    path: string,
    oflags: number,
    rights: bigint,
    inheriting: bigint,
    fdflags: number,
  ): { ret: number; fd_obj: ShimFd | null };
  path_lookup?(path: string, dirflags: number): { ret: number; inode_obj: ShimInode | null };
  path_filestat_get?(flags: number, path: string): { ret: number; filestat: ShimStat | null };
  path_create_directory?(path: string): number;
  path_link?(path: string, inode: ShimInode, allowDirectory: boolean): number;
  path_unlink?(path: string): { ret: number; inode_obj: ShimInode | null };
  path_unlink_file?(path: string): number;
  path_remove_directory?(path: string): number;
}

export interface ShimEntry {
  readonly d_next: bigint;
  readonly d_ino: bigint;
  readonly d_type: number;
  readonly dir_name: Uint8Array;
}

export type ShimObject = ShimInode | ShimFd;

function hasMethod(object: unknown, name: string): boolean {
  return typeof object === "object" && object !== null && typeof Reflect.get(object, name) === "function";
}

export function isInode(object: unknown): object is ShimInode {
  return hasMethod(object, "path_open") && hasMethod(object, "stat");
}

export function isFd(object: unknown): object is ShimFd {
  return (
    hasMethod(object, "fd_read") || hasMethod(object, "fd_write") || hasMethod(object, "fd_readdir_single")
  );
}

/** An `Fd` that was mounted itself, as the file that it is a descriptor of. */
export function inodeOf(fd: ShimFd): ShimInode {
  return {
    path_open: () => ({ ret: 0, fd_obj: fd }),
    stat() {
      const filestat = fd.fd_filestat_get?.().filestat;
      if (filestat != null) return filestat;
      const { ret, fdstat } = fd.fd_fdstat_get?.() ?? {};
      return { filetype: (ret === 0 ? fdstat?.fs_filetype : undefined) ?? FILETYPE_CHARACTER_DEVICE };
    },
  };
}

let lastLink = 1n << 62n;

/** The package has no symbolic links; this one is an `Inode` to it that can't be opened. */
export class ShimLink implements ShimInode {
  readonly ino = lastLink++;
  readonly target: Uint8Array;

  constructor(target: Uint8Array) {
    this.target = target;
  }

  path_open(): { ret: number; fd_obj: null } {
    return { ret: ERRNO_LOOP, fd_obj: null };
  }

  stat(): ShimStat {
    return { ino: this.ino, filetype: FILETYPE_SYMBOLIC_LINK, size: BigInt(this.target.length) };
  }
}
