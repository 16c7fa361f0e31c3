import {
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import {
  type Backend,
  type DirectoryVisitor,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  FILETYPE_SYMBOLIC_LINK,
  FILETYPE_UNKNOWN,
  type Filestat,
  type Node,
  type Result,
} from "../../src/vfs/contract.js";
import {
  ERRNO_BADF,
  ERRNO_INVAL,
  ERRNO_ISDIR,
  ERRNO_NOENT,
  ERRNO_NOTDIR,
  ERRNO_NOTSUP,
  ERRNO_PERM,
} from "../../src/vfs/errno.js";
import type { SharedDirectory } from "./directory.js";
import { Entry } from "./directory-entry.js";
import { failure } from "./directory-errors.js";
import { FileAccess } from "./directory-file.js";
import { list } from "./directory-listing.js";
import { DirectoryNodes } from "./directory-nodes.js";
import { PreciseTimes } from "./directory-times.js";
import { clearForRename, windows } from "./directory-windows.js";

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;
/** Whether the system tells files from directories itself: macOS answers EPERM for both, Deno removes either. */
const exact = process.platform === "linux" && process.versions["deno"] === undefined;
const quiet = { bigint: true, throwIfNoEntry: false } as const;

/**
 * A live directory of the host.
 *
 * Where the system and the runtime let it (Linux with `/proc`), every directory is held as a descriptor and every call names
 * one component in it without following a link: no swap of a directory for a link, however timed, leads a guest out.
 * Elsewhere (macOS, Windows, Deno without permission for `/proc`) it goes by paths whose components are looked at before each
 * use. There another process that swaps a directory for a link between look and use can make a guest create, rename or
 * remove a name outside in that instant; what is opened for reading or writing is compared again and refused.
 *
 * FIFOs, sockets and devices can be seen, renamed and removed but never opened (`ERRNO_ACCES`).
 */
export class DirectoryBackend implements Backend {
  readonly #path: string;
  readonly #nodes: DirectoryNodes;
  readonly #files: FileAccess;
  readonly #times = new PreciseTimes();

  /** `path` is absolute and free of links; `handles` where `HandleGround.works()`. */
  constructor(path: string, handles: boolean) {
    this.#path = path;
    this.#nodes = new DirectoryNodes(this, path, handles);
    this.#files = new FileAccess(this.#nodes.descriptors, this.#nodes.ground, this.#times);
  }

  /** How many descriptors of the host are open. */
  get descriptorCount(): number {
    return this.#nodes.descriptors.size;
  }

  dispose(): void {
    this.#nodes.descriptors.dispose();
  }

  begin(): void {
    this.#nodes.begin();
  }

  end(): void {
    this.#nodes.end();
  }

  openRoot(): Node {
    return this.#nodes.rootNode;
  }

  retain(node: Node): void {
    this.#nodes.retain(node);
  }

  release(node: Node): void {
    this.#nodes.release(node);
  }

  lookup(directory: Node, name: Uint8Array, start: number, end: number): Result {
    const path = this.#nodes.inside(directory, name, start, end, 0);
    if (typeof path === "number") {
      return path;
    }
    try {
      const stats = lstatSync(path, quiet);
      if (stats === undefined) {
        return -ERRNO_NOENT;
      }
      const entry = new Entry(this.#nodes.get(directory), copy(name, start, end), FILETYPE_UNKNOWN);
      entry.seen(stats);
      return this.#nodes.add(entry);
    } catch (error) {
      return failure(error);
    }
  }

  filetype(node: Node): Result {
    return this.#nodes.get(node)?.filetype ?? -ERRNO_BADF;
  }

  stat(node: Node, into: Filestat): Result {
    const entry = this.#nodes.get(node);
    if (entry === undefined) {
      return -ERRNO_BADF;
    }
    try {
      const stats = this.#files.stats(entry);
      if (typeof stats === "number") {
        return stats;
      }
      this.#times.fill(stats, into);
      return 0;
    } catch (error) {
      return failure(error);
    }
  }

  readlink(node: Node): Uint8Array | Result {
    const entry = this.#nodes.get(node);
    if (entry === undefined) {
      return -ERRNO_BADF;
    }
    return entry.filetype === FILETYPE_SYMBOLIC_LINK ? this.#nodes.readTarget(entry) : -ERRNO_INVAL;
  }

  create(directory: Node, name: Uint8Array, start: number, end: number): Result {
    const path = this.#nodes.inside(directory, name, start, end, 0);
    if (typeof path === "number") {
      return path;
    }
    try {
      const descriptor = this.#nodes.descriptors.open(path, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, 0o666);
      const entry = new Entry(this.#nodes.get(directory), copy(name, start, end), FILETYPE_REGULAR_FILE);
      this.#files.adopt(entry, descriptor, true, true);
      if (!this.#nodes.ground.pins) {
        entry.seen(fstatSync(descriptor, { bigint: true }));
        entry.stats = undefined;
      }
      return this.#nodes.add(entry);
    } catch (error) {
      return failure(error);
    }
  }

  mkdir(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#change(directory, name, start, end, mkdirSync) || this.lookup(directory, name, start, end);
  }

  symlink(directory: Node, name: Uint8Array, start: number, end: number, target: Uint8Array): Result {
    const make = (path: Buffer) => symlinkSync(Buffer.from(target), path);
    return this.#change(directory, name, start, end, make) || this.lookup(directory, name, start, end);
  }

  link(node: Node, directory: Node, name: Uint8Array, start: number, end: number): Result {
    const entry = this.#nodes.get(node);
    if (entry === undefined || entry.filetype === FILETYPE_DIRECTORY) {
      return entry === undefined ? -ERRNO_BADF : -ERRNO_PERM;
    }
    if (entry.parent === undefined) {
      // `linkat` with an empty path would do; `node:fs` doesn't offer it.
      return -ERRNO_NOTSUP;
    }
    const from = this.#nodes.ground.inside(entry.parent, entry.name, 0, entry.name.length, 1);
    if (typeof from === "number") {
      return from;
    }
    entry.stats = undefined;
    return this.#change(directory, name, start, end, (path) => linkSync(from, path));
  }

  unlink(directory: Node, name: Uint8Array, start: number, end: number): Result {
    const removal = (path: Buffer) => {
      if (!exact && lstatSync(path).isDirectory()) {
        return -ERRNO_ISDIR;
      }
      unlinkSync(path);
      return 0;
    };
    return this.#remove(directory, name, start, end, removal);
  }

  rmdir(directory: Node, name: Uint8Array, start: number, end: number): Result {
    const removal = (path: Buffer) => {
      if (!exact && !lstatSync(path).isDirectory()) {
        return -ERRNO_NOTDIR;
      }
      rmdirSync(path);
      return 0;
    };
    return this.#remove(directory, name, start, end, removal);
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
    const source = this.#nodes.get(from);
    const old = this.#nodes.inside(from, fromName, fromStart, fromEnd, 1);
    if (typeof old === "number" || source === undefined) {
      return typeof old === "number" ? old : -ERRNO_BADF;
    }
    this.#nodes.pinNamed(source, fromName.subarray(fromStart, fromEnd));
    return this.#remove(to, toName, toStart, toEnd, (path) => {
      const makeRoom = windows ? clearForRename(old, path) : 0;
      if (makeRoom < 0) {
        return makeRoom;
      }
      renameSync(old, path);
      const target = this.#nodes.get(to) ?? source;
      this.#nodes.follow(source, fromName.subarray(fromStart, fromEnd), target, copy(toName, toStart, toEnd));
      return 0;
    });
  }

  /** Runs one `node:fs` call on the path of a name. */
  #change(
    directory: Node,
    name: Uint8Array,
    start: number,
    end: number,
    call: (path: Buffer) => unknown,
  ): Result {
    const path = this.#nodes.inside(directory, name, start, end, 0);
    if (typeof path === "number") {
      return path;
    }
    try {
      call(path);
      return 0;
    } catch (error) {
      return failure(error);
    }
  }

  /** The same for a call that takes what the name stands for away, and may refuse to. */
  #remove(
    directory: Node,
    name: Uint8Array,
    start: number,
    end: number,
    call: (path: Buffer) => Result,
  ): Result {
    const entry = this.#nodes.get(directory);
    if (entry === undefined) {
      return -ERRNO_BADF;
    }
    this.#nodes.pinNamed(entry, name.subarray(start, end));
    const path = this.#nodes.inside(directory, name, start, end, 0);
    if (typeof path === "number") {
      return path;
    }
    try {
      const going = this.#nodes.aboutToGo(entry, name.subarray(start, end), path);
      const answer = call(path);
      if (answer >= 0) for (const leave of going) leave();
      return answer;
    } catch (error) {
      return failure(error);
    }
  }

  openFile(node: Node, read: boolean, write: boolean): Result {
    const entry = this.#nodes.get(node);
    return entry === undefined ? -ERRNO_BADF : this.#files.open(entry, read, write);
  }

  closeFile(_node: Node): void {
    // The descriptor is what holds the file: it goes with the node.
  }

  read(node: Node, offset: number, target: Uint8Array, start: number, length: number): Result {
    const entry = this.#nodes.get(node);
    return entry === undefined ? -ERRNO_BADF : this.#files.read(entry, offset, target, start, length);
  }

  write(node: Node, offset: number, source: Uint8Array, start: number, length: number): Result {
    const entry = this.#nodes.get(node);
    return entry === undefined ? -ERRNO_BADF : this.#files.write(entry, offset, source, start, length);
  }

  append(node: Node, source: Uint8Array, start: number, length: number): Result {
    const entry = this.#nodes.get(node);
    return entry === undefined ? -ERRNO_BADF : this.#files.append(entry, source, start, length);
  }

  size(node: Node): Result {
    const entry = this.#nodes.get(node);
    return entry === undefined ? -ERRNO_BADF : this.#files.size(entry);
  }

  truncate(node: Node, size: number): Result {
    const entry = this.#nodes.get(node);
    return entry === undefined ? -ERRNO_BADF : this.#files.truncate(entry, size);
  }

  sync(node: Node, dataOnly: boolean): Result {
    const entry = this.#nodes.get(node);
    return entry === undefined ? -ERRNO_BADF : this.#files.sync(entry, dataOnly);
  }

  setTimes(node: Node, atim: bigint | undefined, mtim: bigint | undefined): Result {
    const entry = this.#nodes.get(node);
    return entry === undefined ? -ERRNO_BADF : this.#files.setTimes(entry, atim, mtim);
  }

  readdir(directory: Node, cookie: number, visit: DirectoryVisitor): Result {
    const entry = this.#nodes.get(directory);
    if (entry === undefined || entry.filetype !== FILETYPE_DIRECTORY) {
      return entry === undefined ? -ERRNO_BADF : -ERRNO_NOTDIR;
    }
    return list(entry, this.#nodes.ground, cookie, visit);
  }

  share(): SharedDirectory {
    const { dev, ino } = this.#nodes.root;
    return { kind: "node-directory", path: this.#path, dev, ino };
  }
}

/** A copy, also of a `Buffer`, whose own `slice` makes none. */
function copy(name: Uint8Array, start: number, end: number): Uint8Array {
  return Uint8Array.prototype.slice.call(name, start, end);
}
