import {
  type Backend,
  type DirectoryVisitor,
  FILETYPE_DIRECTORY,
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
import { changed, extraOf, gone } from "./shim-extra.js";
import {
  answer,
  FdInode,
  Item,
  readShim,
  setShimTimes,
  sizeOfShim,
  truncateShim,
  writeShim,
} from "./shim-file.js";
import { type Folder, folderOf, listShim } from "./shim-folder.js";
import { isInode, type ShimInode, ShimLink, type ShimObject } from "./shim-objects.js";
import { isEmpty, mayReplace } from "./shim-replace.js";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const MAX_NAME = 255;
let lastDevice = 0x5348494d0000n;

/** A tree or file made of the package's objects. Its methods call theirs; whatever those throw is `-ERRNO_IO`. */
export class ShimBackend implements Backend {
  readonly #device = lastDevice++;
  readonly #items = new NodeTable<Item>(
    () => undefined,
    (item) => item.close(),
  );

  constructor(root: ShimObject) {
    const item = new Item(isInode(root) ? root : new FdInode(root));
    // The root keeps its number: this hold is never released.
    item.retains = 1;
    this.#items.add(item);
  }

  begin(): void {
    this.#items.begin();
  }

  end(): void {
    this.#items.end();
  }

  openRoot(): Node {
    return 1;
  }

  retain(node: Node): void {
    this.#items.retain(node);
  }

  release(node: Node): void {
    this.#items.release(node);
  }

  lookup(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#in(directory, name, start, end, (folder, key) => this.#found(folder.find(key)));
  }

  filetype(node: Node): Result {
    return this.#items.get(node)?.filetype ?? -ERRNO_BADF;
  }

  stat(node: Node, into: Filestat): Result {
    return this.#with(node, ({ inode, filetype, fd }) => {
      const stat = inode.stat();
      const extra = extraOf(inode);
      const { longs } = into;
      longs[0] = stat.dev || this.#device;
      longs[1] = stat.ino ?? extra.ino;
      longs[2] = BigInt(filetype);
      longs[3] = BigInt(extra.links);
      longs[4] = BigInt(filetype === FILETYPE_DIRECTORY ? (stat.size ?? 0n) : sizeOfShim(inode, fd));
      longs[5] = extra.atim ?? stat.atim ?? 0n;
      longs[6] = extra.mtim ?? stat.mtim ?? 0n;
      longs[7] = extra.ctim ?? stat.ctim ?? 0n;
      return 0;
    });
  }

  readlink(node: Node): Uint8Array | Result {
    const inode = this.#items.get(node)?.inode;
    return inode instanceof ShimLink ? inode.target : -ERRNO_INVAL;
  }

  create(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#add(directory, name, start, end, (folder, key) => folder.make(key, false));
  }

  mkdir(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#add(directory, name, start, end, (folder, key) => folder.make(key, true));
  }

  symlink(directory: Node, name: Uint8Array, start: number, end: number, target: Uint8Array): Result {
    return this.#add(directory, name, start, end, (folder, key) => {
      const link = new ShimLink(target.slice());
      const put = folder.put(key, link);
      return put < 0 ? put : link;
    });
  }

  link(node: Node, directory: Node, name: Uint8Array, start: number, end: number): Result {
    const item = this.#items.get(node);
    if (item === undefined || item.filetype === FILETYPE_DIRECTORY) {
      return item === undefined ? -ERRNO_BADF : -ERRNO_PERM;
    }
    const made = this.#add(directory, name, start, end, (folder, key) => {
      const put = folder.put(key, item.inode);
      return put < 0 ? put : item.inode;
    });
    if (made > 0) {
      changed(item.inode, false).links++;
    }
    return Math.min(made, 0);
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
        const inode = source.find(oldKey);
        const there = target.find(newKey);
        const into = (this.#items.get(to) as Item).inode;
        const refused = mayReplace(inode, (this.#items.get(from) as Item).inode, there, into);
        if (typeof inode === "number" || refused < 0 || inode === there) {
          return typeof inode === "number" ? inode : refused;
        }
        if (typeof there !== "number") {
          gone(there);
        }
        const taken = source.take(oldKey);
        const put = taken < 0 ? taken : target.put(newKey, inode);
        if (taken === 0 && put < 0) {
          source.put(oldKey, inode);
        }
        changed(inode, false);
        changed((this.#items.get(from) as Item).inode, true);
        changed(into, true);
        return put;
      }),
    );
  }

  openFile(node: Node, _read: boolean, write: boolean): Result {
    return this.#with(node, (item) => {
      if (item.filetype === FILETYPE_DIRECTORY && !write) {
        return 0;
      }
      const fd = item.open(write);
      if (typeof fd === "number") {
        return fd;
      }
      item.opens++;
      return 0;
    });
  }

  closeFile(node: Node): void {
    const item = this.#items.get(node);
    if (item !== undefined && --item.opens <= 0) {
      item.close();
    }
  }

  read(node: Node, offset: number, target: Uint8Array, start: number, length: number): Result {
    return this.#with(node, (item) => {
      const fd = item.open(false);
      return typeof fd === "number" ? fd : readShim(fd, item.filetype, offset, target, start, length);
    });
  }

  write(node: Node, offset: number, source: Uint8Array, start: number, length: number): Result {
    return this.#with(node, (item) => {
      const fd = item.open(true);
      if (typeof fd === "number") {
        return fd;
      }
      changed(item.inode, true);
      return length === 0 ? 0 : writeShim(fd, item.filetype, offset, source.slice(start, start + length));
    });
  }

  append(node: Node, source: Uint8Array, start: number, length: number): Result {
    const size = this.size(node);
    return size < 0 ? size : this.write(node, size, source, start, length);
  }

  size(node: Node): Result {
    return this.#with(node, ({ inode, fd }) => sizeOfShim(inode, fd));
  }

  truncate(node: Node, size: number): Result {
    return this.#with(node, ({ inode, fd, filetype, writable }) => {
      if (filetype === FILETYPE_DIRECTORY) {
        return -ERRNO_ISDIR;
      }
      changed(inode, true);
      return truncateShim(inode, writable ? fd : undefined, filetype, size);
    });
  }

  sync(node: Node): Result {
    return this.#with(node, ({ fd }) => answer(fd?.fd_sync?.() ?? 0));
  }

  setTimes(node: Node, atim: bigint | undefined, mtim: bigint | undefined): Result {
    return this.#with(node, ({ inode, fd }) => {
      if (!setShimTimes(fd, atim, mtim)) {
        const extra = changed(inode, false);
        extra.atim = atim ?? extra.atim;
        extra.mtim = mtim ?? extra.mtim;
      }
      return 0;
    });
  }

  readdir(directory: Node, cookie: number, visit: DirectoryVisitor): Result {
    return this.#with(directory, (item) => {
      const folder = item.filetype === FILETYPE_DIRECTORY ? folderOf(item.inode) : -ERRNO_NOTDIR;
      if (typeof folder === "number") {
        return folder;
      }
      const fresh = item.cookies === undefined || cookie === 0;
      item.cookies ??= new Cookies();
      listShim(folder, item.cookies, fresh, cookie, visit);
      return 0;
    });
  }

  #found(inode: ShimInode | number): Result {
    if (typeof inode === "number") {
      return inode;
    }
    return this.#items.add(new Item(inode));
  }

  #add(
    directory: Node,
    name: Uint8Array,
    start: number,
    end: number,
    make: (folder: Folder, key: string) => ShimInode | number,
  ): Result {
    return this.#in(directory, name, start, end, (folder, key) => {
      const there = folder.find(key);
      if (there !== -ERRNO_NOENT) {
        return typeof there === "number" ? there : -ERRNO_EXIST;
      }
      const inode = this.#items.get(directory)?.inode;
      if (inode !== undefined && extraOf(inode).removed) {
        return -ERRNO_NOENT;
      }
      const made = make(folder, key);
      if (typeof made !== "number") {
        const extra = changed(made, true);
        extra.atim ??= extra.mtim;
        changed((this.#items.get(directory) as Item).inode, true);
      }
      return this.#found(made);
    });
  }

  #remove(directory: Node, name: Uint8Array, start: number, end: number, isDirectory: boolean): Result {
    return this.#in(directory, name, start, end, (folder, key) => {
      const inode = folder.find(key);
      if (typeof inode === "number") {
        return inode;
      }
      if ((inode.stat().filetype === FILETYPE_DIRECTORY) !== isDirectory) {
        return isDirectory ? -ERRNO_NOTDIR : -ERRNO_ISDIR;
      }
      if (isDirectory && !isEmpty(inode)) {
        return -ERRNO_NOTEMPTY;
      }
      const removed = folder.remove(key, isDirectory);
      if (removed === 0) {
        gone(inode);
        changed((this.#items.get(directory) as Item).inode, true);
      }
      return removed;
    });
  }

  #in(
    directory: Node,
    name: Uint8Array,
    start: number,
    end: number,
    use: (folder: Folder, key: string) => Result,
  ): Result {
    return this.#with(directory, ({ inode, filetype }) => {
      if (filetype !== FILETYPE_DIRECTORY) {
        return -ERRNO_NOTDIR;
      }
      if (end - start > MAX_NAME) {
        return -ERRNO_NAMETOOLONG;
      }
      const folder = folderOf(inode);
      if (typeof folder === "number") {
        return folder;
      }
      let key: string;
      try {
        key = decoder.decode(name.slice(start, end));
      } catch {
        return -ERRNO_ILSEQ;
      }
      return use(folder, key);
    });
  }

  #with(node: Node, use: (item: Item) => Result): Result {
    const item = this.#items.get(node);
    if (item === undefined) {
      return -ERRNO_BADF;
    }
    try {
      return use(item);
    } catch (error) {
      // The package makes an array of the size asked for, which may be more than the engine has.
      return error instanceof RangeError
        ? -ERRNO_FBIG
        : error instanceof TypeError
          ? -ERRNO_ILSEQ
          : -ERRNO_IO;
    }
  }
}
