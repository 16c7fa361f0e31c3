import type { DirectoryVisitor } from "./contract.js";
import type { Cookies } from "./cookies.js";
import { ERRNO_IO, ERRNO_NOENT, ERRNO_NOTSUP } from "./errno.js";
import { extraOf } from "./shim-extra.js";
import { answer } from "./shim-file.js";
import type { ShimFd, ShimInode } from "./shim-objects.js";

const OFLAGS_CREAT = 1;
const OFLAGS_DIRECTORY = 2;
const OFLAGS_EXCL = 4;
const ALL_RIGHTS = (1n << 29n) - 1n;
const FSTFLAGS_NOFOLLOW = 0;

/** One directory of the package's kind: names in it, one at a time. Errors are negated errnos. */
export interface Folder {
  find(name: string): ShimInode | number;
  make(name: string, directory: boolean): ShimInode | number;
  /** Puts it there, in the place of what is there. */
  put(name: string, inode: ShimInode): number;
  /** Takes a file's name away, or that of an empty directory. */
  remove(name: string, directory: boolean): number;
  /** Takes a name away whatever it stands for, to put it elsewhere. */
  take(name: string): number;
  isEmpty(): boolean;
  names(): Iterable<string>;
}

/** `undefined` for what is no directory. */
export function folderOf(inode: ShimInode): Folder | number {
  const { contents } = inode;
  if (contents instanceof Map) {
    return new MapFolder(inode, contents);
  }
  const { ret, fd_obj } = inode.path_open(OFLAGS_DIRECTORY, ALL_RIGHTS, 0);
  return ret !== 0 || fd_obj == null ? -(ret || ERRNO_IO) : new FdFolder(fd_obj);
}

/** A `Directory`: its map is read and changed in place, so whoever holds it sees the same. */
class MapFolder implements Folder {
  readonly #inode: ShimInode;
  readonly #contents: Map<string, ShimInode>;

  constructor(inode: ShimInode, contents: Map<string, ShimInode>) {
    this.#inode = inode;
    this.#contents = contents;
  }

  find(name: string): ShimInode | number {
    return this.#contents.get(name) ?? -ERRNO_NOENT;
  }

  make(name: string, directory: boolean): ShimInode | number {
    // Only the directory's own copy of the package can make a file of the right class.
    if (this.#inode.create_entry_for_path !== undefined) {
      const { ret, entry } = this.#inode.create_entry_for_path(name, directory);
      return ret === 0 && entry != null ? entry : -(ret || ERRNO_IO);
    }
    const { ret, fd_obj } = this.#inode.path_open(OFLAGS_DIRECTORY, ALL_RIGHTS, 0);
    return ret !== 0 || fd_obj == null ? -(ret || ERRNO_IO) : new FdFolder(fd_obj).make(name, directory);
  }

  put(name: string, inode: ShimInode): number {
    this.#contents.set(name, inode);
    return 0;
  }

  remove(name: string): number {
    this.#contents.delete(name);
    return 0;
  }

  take(name: string): number {
    return this.remove(name);
  }

  isEmpty(): boolean {
    return this.#contents.size === 0;
  }

  names(): Iterable<string> {
    return this.#contents.keys();
  }
}

/** A directory that is known by its `path_*` methods alone. */
class FdFolder implements Folder {
  readonly #fd: ShimFd;

  constructor(fd: ShimFd) {
    this.#fd = fd;
  }

  find(name: string): ShimInode | number {
    const fd = this.#fd;
    const looked = fd.path_lookup?.(name, 0);
    if (looked !== undefined && looked.ret !== ERRNO_NOTSUP) {
      return looked.ret === 0 && looked.inode_obj != null ? looked.inode_obj : -(looked.ret || ERRNO_IO);
    }
    const there = fd.path_filestat_get?.(FSTFLAGS_NOFOLLOW, name);
    if (there === undefined || there.ret !== 0 || there.filestat == null) {
      return -(there?.ret || ERRNO_NOTSUP);
    }
    // A directory without inodes: one is made up of what it answers by name.
    const { filestat } = there;
    return {
      path_open: (oflags, rights, fdflags) =>
        fd.path_open?.(0, name, oflags, rights, rights, fdflags) ?? { ret: ERRNO_NOTSUP, fd_obj: null },
      stat: () => fd.path_filestat_get?.(FSTFLAGS_NOFOLLOW, name).filestat ?? filestat,
    };
  }

  make(name: string, directory: boolean): ShimInode | number {
    const fd = this.#fd;
    const ret = directory
      ? fd.path_create_directory?.(name)
      : fd.path_open?.(0, name, OFLAGS_CREAT | OFLAGS_EXCL, ALL_RIGHTS, ALL_RIGHTS, 0).ret;
    return ret === 0 ? this.find(name) : -(ret ?? ERRNO_NOTSUP);
  }

  put(name: string, inode: ShimInode): number {
    return answer(this.#fd.path_link?.(name, inode, true));
  }

  remove(name: string, directory: boolean): number {
    const ret = directory ? this.#fd.path_remove_directory?.(name) : this.#fd.path_unlink_file?.(name);
    return answer(ret);
  }

  take(name: string): number {
    return answer(this.#fd.path_unlink?.(name).ret);
  }

  isEmpty(): boolean {
    for (const _name of this.names()) {
      return false;
    }
    return true;
  }

  *names(): Iterable<string> {
    const decoder = new TextDecoder();
    let cookie = 0n;
    for (;;) {
      const dirent = this.#fd.fd_readdir_single?.(cookie).dirent;
      if (dirent == null) {
        return;
      }
      cookie = dirent.d_next;
      const name = decoder.decode(dirent.dir_name.slice());
      if (name !== "." && name !== "..") {
        yield name;
      }
    }
  }
}

const encoder = new TextEncoder();

/** Visits what a directory lists after a cookie; what is gone by now is not shown. */
export function listShim(
  folder: Folder,
  cookies: Cookies<undefined>,
  fresh: boolean,
  cookie: number,
  visit: DirectoryVisitor,
): void {
  if (fresh) {
    cookies.refresh(Array.from(folder.names(), (key) => [key, undefined]));
  }
  for (let index = cookies.after(cookie); ; index++) {
    const entry = cookies.at(index);
    if (entry === undefined) {
      return;
    }
    const inode = folder.find(entry.key);
    if (typeof inode !== "number") {
      const name = encoder.encode(entry.key);
      const { ino, filetype } = inode.stat();
      if (!visit(name, 0, name.length, ino ?? extraOf(inode).ino, filetype, entry.cookie)) {
        return;
      }
    }
  }
}
