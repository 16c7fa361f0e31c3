import { decodeText, encodeText, strict } from "../text.js";
import {
  type Backend,
  type DirectoryVisitor,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  type Filestat,
  type Node,
  type Result,
} from "./contract.js";
import { Cookies } from "./cookies.js";
import {
  ERRNO_BADF,
  ERRNO_EXIST,
  ERRNO_FBIG,
  ERRNO_ILSEQ,
  ERRNO_INVAL,
  ERRNO_IO,
  ERRNO_ISDIR,
  ERRNO_NAMETOOLONG,
  ERRNO_NOENT,
  ERRNO_NOTDIR,
  ERRNO_NOTEMPTY,
  ERRNO_PERM,
} from "./errno.js";
import { NodeTable } from "./node-table.js";
import { changed, extraOf } from "./shim-extra.js";
import {
  check,
  close,
  find,
  holds,
  type Item,
  isDirectory,
  isEmpty,
  itemOf,
  make,
  namesIn,
  open,
  put,
  Refusal,
  take,
  transfer,
} from "./shim-item.js";
import { inodeOf, isInode, type ShimInode, ShimLink, type ShimObject } from "./shim-objects.js";

const FSTFLAGS_ATIM = 1;
const FSTFLAGS_MTIM = 4;
const MAX_NAME = 255;
let lastDevice = 0x5348494d0000n;

function sizeOf({ inode, fd }: Item): number {
  const got = fd?.fd_filestat_get?.();
  return Number((got?.ret === 0 ? got.filestat?.size : undefined) ?? inode.stat().size ?? 0n);
}

/** A tree or file made of the package's objects. Its methods call theirs; whatever those throw is `-ERRNO_IO`. */
export class ShimBackend extends NodeTable<Item> implements Backend {
  readonly #device = lastDevice++;

  constructor(root: ShimObject) {
    super(() => undefined, close);
    const item = isInode(root) ? itemOf(root) : itemOf(inodeOf(root), true);
    // The root keeps its number: this hold is never released.
    item.retains = 1;
    this.add(item);
  }

  openRoot(): Node {
    return 1;
  }

  lookup(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#in(directory, name, start, end, (folder, key) => {
      const inode = find(folder, key);
      return inode === undefined ? -ERRNO_NOENT : this.add(itemOf(inode));
    });
  }

  filetype(node: Node): Result {
    return this.get(node)?.filetype ?? -ERRNO_BADF;
  }

  stat(node: Node, into: Filestat): Result {
    return this.#with(node, (item) => {
      const { inode, filetype } = item;
      const stat = inode.stat();
      const extra = extraOf(inode);
      into.longs.set([
        stat.dev || this.#device,
        stat.ino ?? extra.ino,
        BigInt(filetype),
        BigInt(extra.links),
        filetype === FILETYPE_DIRECTORY ? (stat.size ?? 0n) : BigInt(sizeOf(item)),
        extra.atim ?? stat.atim ?? 0n,
        extra.mtim ?? stat.mtim ?? 0n,
        extra.ctim ?? stat.ctim ?? 0n,
      ]);
      return 0;
    });
  }

  readlink(node: Node): Uint8Array | Result {
    const inode = this.get(node)?.inode;
    return inode instanceof ShimLink ? inode.target : -ERRNO_INVAL;
  }

  create(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#add(directory, name, start, end, (folder, key) => make(folder, key, false));
  }

  mkdir(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#add(directory, name, start, end, (folder, key) => make(folder, key, true));
  }

  symlink(directory: Node, name: Uint8Array, start: number, end: number, target: Uint8Array): Result {
    return this.#add(directory, name, start, end, (folder, key) => {
      const link = new ShimLink(target.slice());
      put(folder, key, link);
      return link;
    });
  }

  link(node: Node, directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#with(node, ({ inode, filetype }) => {
      if (filetype === FILETYPE_DIRECTORY) return -ERRNO_PERM;
      const made = this.#add(directory, name, start, end, (folder, key) => {
        put(folder, key, inode);
        extraOf(inode).links++;
        return inode;
      });
      return Math.min(made, 0);
    });
  }

  unlink(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#remove(directory, name, start, end, false);
  }

  rmdir(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#remove(directory, name, start, end, true);
  }

  rename(
    from: Node,
    fromName: Uint8Array,
    fromStart: number,
    fromEnd: number,
    to: Node,
    toName: Uint8Array,
    toStart: number,
    toEnd: number,
  ): Result {
    return this.#in(from, fromName, fromStart, fromEnd, (source, oldKey) =>
      this.#in(to, toName, toStart, toEnd, (target, newKey) => {
        const inode = find(source, oldKey);
        const there = find(target, newKey);
        if (inode === undefined) return -ERRNO_NOENT;
        const folder = isDirectory(inode);
        if (folder && holds(inode, target.inode)) return -ERRNO_INVAL;
        if (inode === there) return 0;
        if (there !== undefined) {
          if (isDirectory(there) !== folder) {
            // Linux sees first that a directory which the file is in can't be replaced.
            return folder ? -ERRNO_NOTDIR : holds(there, source.inode) ? -ERRNO_NOTEMPTY : -ERRNO_ISDIR;
          }
          if (folder && !isEmpty(there)) return -ERRNO_NOTEMPTY;
        }
        take(source, oldKey, "path_unlink");
        try {
          put(target, newKey, inode);
        } catch (error) {
          put(source, oldKey, inode);
          throw error;
        }
        if (there !== undefined) changed(there, false).links--;
        changed(inode, false);
        changed(source.inode, true);
        changed(target.inode, true);
        return 0;
      }),
    );
  }

  openFile(node: Node, _read: boolean, write: boolean): Result {
    return this.#with(node, (item) => {
      if (item.filetype !== FILETYPE_DIRECTORY || write) {
        open(item, write);
        item.opens++;
      }
      return 0;
    });
  }

  closeFile(node: Node): void {
    const item = this.get(node);
    if (item !== undefined && --item.opens <= 0) close(item);
  }

  read(node: Node, offset: number, target: Uint8Array, start: number, length: number): Result {
    return this.#with(node, (item) => {
      const fd = open(item, false);
      const { data } = transfer(
        item,
        fd,
        offset,
        (at) => fd.fd_pread?.(length, at),
        () => fd.fd_read?.(length),
      );
      // More than was asked for must not reach the guest.
      const taken = data.subarray(0, length);
      target.set(taken, start);
      return taken.length;
    });
  }

  write(node: Node, offset: number, source: Uint8Array, start: number, length: number): Result {
    return this.#with(node, (item) => {
      const fd = open(item, true);
      changed(item.inode, true);
      if (length === 0) return 0;
      // A copy of its own, which the object may keep.
      const data = source.slice(start, start + length);
      const { nwritten } = transfer(
        item,
        fd,
        offset,
        (at) => fd.fd_pwrite?.(data, at),
        () => fd.fd_write?.(data),
      );
      return Math.max(0, Math.min(nwritten, length));
    });
  }

  append(node: Node, source: Uint8Array, start: number, length: number): Result {
    const size = this.size(node);
    return size < 0 ? size : this.write(node, size, source, start, length);
  }

  size(node: Node): Result {
    return this.#with(node, sizeOf);
  }

  truncate(node: Node, size: number): Result {
    return this.#with(node, (item) => {
      if (item.filetype === FILETYPE_DIRECTORY) return -ERRNO_ISDIR;
      changed(item.inode, true);
      if (item.filetype === FILETYPE_REGULAR_FILE) {
        check(open(item, true).fd_filestat_set_size?.(BigInt(size)));
        return 0;
      }
      // As a terminal takes `O_TRUNC`: to no effect.
      return size === 0 ? 0 : -ERRNO_INVAL;
    });
  }

  sync(node: Node): Result {
    return this.#with(node, ({ fd }) => -(fd?.fd_sync?.() ?? 0));
  }

  setTimes(node: Node, atim: bigint | undefined, mtim: bigint | undefined): Result {
    return this.#with(node, ({ inode, fd }) => {
      const flags = (atim === undefined ? 0 : FSTFLAGS_ATIM) | (mtim === undefined ? 0 : FSTFLAGS_MTIM);
      if (fd?.fd_filestat_set_times?.(atim ?? 0n, mtim ?? 0n, flags) !== 0) {
        const extra = changed(inode, false);
        extra.atim = atim ?? extra.atim;
        extra.mtim = mtim ?? extra.mtim;
      }
      return 0;
    });
  }

  readdir(directory: Node, cookie: number, visit: DirectoryVisitor): Result {
    return this.#with(directory, (item) => {
      if (item.filetype !== FILETYPE_DIRECTORY) return -ERRNO_NOTDIR;
      if (item.cookies === undefined || cookie === 0) {
        item.cookies ??= new Cookies();
        item.cookies.refresh(Array.from(namesIn(item), (key) => [key, undefined]));
      }
      const { cookies } = item;
      for (let index = cookies.after(cookie); ; index++) {
        const entry = cookies.at(index);
        if (entry === undefined) return 0;
        const inode = find(item, entry.key);
        // What is gone by now is not shown.
        if (inode === undefined) continue;
        const name = encodeText(entry.key);
        const { ino = extraOf(inode).ino, filetype } = inode.stat();
        if (!visit(name, 0, name.length, ino, filetype, entry.cookie)) return 0;
      }
    });
  }

  #add(
    directory: Node,
    name: Uint8Array,
    start: number,
    end: number,
    make: (folder: Item, key: string) => ShimInode,
  ): Result {
    return this.#in(directory, name, start, end, (folder, key) => {
      if (find(folder, key) !== undefined) return -ERRNO_EXIST;
      if (extraOf(folder.inode).links === 0) return -ERRNO_NOENT;
      const inode = make(folder, key);
      const extra = changed(inode, true);
      extra.atim ??= extra.mtim;
      changed(folder.inode, true);
      return this.add(itemOf(inode));
    });
  }

  #remove(directory: Node, name: Uint8Array, start: number, end: number, folder: boolean): Result {
    return this.#in(directory, name, start, end, (parent, key) => {
      const inode = find(parent, key);
      if (inode === undefined) return -ERRNO_NOENT;
      if (isDirectory(inode) !== folder) return folder ? -ERRNO_NOTDIR : -ERRNO_ISDIR;
      if (folder && !isEmpty(inode)) return -ERRNO_NOTEMPTY;
      take(parent, key, folder ? "path_remove_directory" : "path_unlink_file");
      changed(inode, false).links--;
      changed(parent.inode, true);
      return 0;
    });
  }

  #in(
    directory: Node,
    name: Uint8Array,
    start: number,
    end: number,
    use: (folder: Item, key: string) => Result,
  ): Result {
    return this.#with(directory, (item) => {
      if (item.filetype !== FILETYPE_DIRECTORY) return -ERRNO_NOTDIR;
      if (end - start > MAX_NAME) return -ERRNO_NAMETOOLONG;
      return use(item, decodeText(name, start, end, strict));
    });
  }

  #with(node: Node, use: (item: Item) => Result): Result {
    const item = this.get(node);
    if (item === undefined) return -ERRNO_BADF;
    try {
      return use(item);
    } catch (error) {
      if (error instanceof Refusal) return -error.errno;
      // The package makes an array of the size asked for, which may be more than the engine has; names that are no UTF-8.
      return error instanceof RangeError
        ? -ERRNO_FBIG
        : error instanceof TypeError
          ? -ERRNO_ILSEQ
          : -ERRNO_IO;
    }
  }
}
