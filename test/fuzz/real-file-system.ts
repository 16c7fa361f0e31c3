import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { filetypeOf } from "../../platform/node/directory-entry.js";
import { failure } from "../../platform/node/directory-errors.js";
import { ANY_FAULT, comparable, mix, type Operation, type Outcome, type Subject } from "./file-operations.js";
import {
  FDFLAGS_APPEND,
  OFLAGS_CREAT,
  OFLAGS_DIRECTORY,
  OFLAGS_EXCL,
  OFLAGS_TRUNC,
} from "./wasi-constants.js";

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW } = constants;

const BADF = { errno: 8 };
const INVAL = { errno: 28 };
const ISDIR = { errno: 31 };
const NOTCAPABLE = { errno: 76 };
const PERM = { errno: 63 };
/** How a link in the last place is taken. */
const NEVER = 0;
const WITH_SLASH = 1;
const ALWAYS = 2;
const SLASH_FOLLOWED = new Set<Operation["call"]>(["open", "pathStat", "link", "readlink"]);

interface Open {
  readonly descriptor: number;
  readonly directory: boolean;
  readonly readable: boolean;
  readonly writable: boolean;
  flags: number;
  position: number;
}

/**
 * What the kernel says to the same calls. Paths are left to it to resolve, from the directory's descriptor on; only what
 * WASI adds is modelled here: rights, positions, and that no path leads above the directory it starts from.
 */
export class RealSubject implements Subject {
  readonly name = "the real file system";
  readonly #root: string;
  readonly #open: Open[];
  readonly #dispose: () => void;

  constructor(root: string, dispose: () => void) {
    this.#root = root;
    this.#dispose = dispose;
    this.#open = [
      {
        descriptor: openSync(root, O_RDONLY | O_DIRECTORY),
        directory: true,
        readable: true,
        writable: true,
        flags: 0,
        position: 0,
      },
    ];
  }

  #at(index: number): Open | undefined {
    return this.#open[index % (this.#open.length + 1)];
  }

  run(operation: Operation): Outcome {
    try {
      const on = this.#at(operation.fd);
      return on === undefined ? BADF : this.#run(operation, on);
    } catch (error) {
      return { errno: -failure(error) };
    }
  }

  #run(operation: Operation, on: Open): Outcome {
    switch (operation.call) {
      case "close":
        if (on === this.#open[0]) {
          return undefined;
        }
        this.#drop(on);
        closeSync(on.descriptor);
        return { errno: 0 };
      case "renumber": {
        const to = this.#at(operation.to);
        if (on === this.#open[0] || to === this.#open[0]) {
          return undefined;
        }
        if (to === undefined) {
          return BADF;
        }
        if (to !== on) {
          closeSync(to.descriptor);
          const [from, into] = [this.#open.indexOf(on), this.#open.indexOf(to)];
          this.#open[into] = on;
          this.#open.splice(from, 1);
        }
        return { errno: 0 };
      }
      case "read":
      case "write":
      case "seek":
      case "setSize":
      case "allocate":
      case "setFlags":
      case "sync":
      case "stat":
      case "setTimes":
      case "readdir":
        return this.#onDescriptor(operation, on);
      default:
        return this.#onPath(operation, on);
    }
  }

  #drop(one: Open): void {
    this.#open.splice(this.#open.indexOf(one), 1);
  }

  #onDescriptor(operation: Operation, on: Open): Outcome {
    switch (operation.call) {
      case "read": {
        if (on.directory) {
          return ISDIR;
        }
        if (!on.readable) {
          return NOTCAPABLE;
        }
        const into = Buffer.alloc(operation.length);
        const count = readSync(on.descriptor, into, 0, operation.length, operation.at ?? on.position);
        on.position += operation.at === undefined ? count : 0;
        return { errno: 0, value: new TextDecoder("latin1").decode(into.subarray(0, count)) };
      }
      case "write": {
        if (on.directory) {
          return ISDIR;
        }
        if (!on.writable) {
          return NOTCAPABLE;
        }
        const bytes = Buffer.from(operation.data);
        const append = (on.flags & FDFLAGS_APPEND) !== 0 && operation.at === undefined;
        const to = append ? fstatSync(on.descriptor).size : (operation.at ?? on.position);
        const count = writeSync(on.descriptor, bytes, 0, bytes.length, to);
        on.position = operation.at === undefined ? to + count : on.position;
        return { errno: 0, value: count };
      }
      case "setSize":
        if (on.directory) {
          return ISDIR;
        }
        if (!on.writable) {
          return NOTCAPABLE;
        }
        ftruncateSync(on.descriptor, operation.size);
        return { errno: 0 };
      case "sync":
        fsyncSync(on.descriptor);
        return operation.dataOnly && (on.directory || !on.writable) ? NOTCAPABLE : { errno: 0 };
      case "seek": {
        if (on.directory) {
          return undefined;
        }
        const base = [0, on.position, fstatSync(on.descriptor).size][operation.whence];
        if (base === undefined || base + operation.offset < 0) {
          return INVAL;
        }
        on.position = base + operation.offset;
        return { errno: 0, value: BigInt(on.position) };
      }
      case "setFlags":
        if ((operation.flags & ~31) !== 0) {
          return INVAL;
        }
        on.flags = operation.flags;
        return { errno: 0 };
      case "allocate": {
        if (on.directory) {
          return ISDIR;
        }
        if (!on.writable) {
          return NOTCAPABLE;
        }
        if (operation.size === 0) {
          return INVAL;
        }
        const end = operation.offset + operation.size;
        if (fstatSync(on.descriptor).size < end) {
          ftruncateSync(on.descriptor, end);
        }
        return { errno: 0 };
      }
      case "stat":
        return { errno: 0, value: told(fstatSync(on.descriptor, { bigint: true })) };
      case "readdir":
        if (!on.directory || !on.readable) {
          return on.directory ? NOTCAPABLE : { errno: 54 };
        }
        return { errno: 0, value: list(`/proc/self/fd/${on.descriptor}`) };
      default:
        // Times are compared between the other two: `node:fs` can't set nanoseconds.
        return undefined;
    }
  }

  #onPath(operation: Operation, on: Open): Outcome {
    if (!("path" in operation) || operation.call === "pathSetTimes") {
      return undefined;
    }
    const { path } = operation;
    const other = "newPath" in operation ? this.#at(operation.to) : on;
    // Descriptors and the form of the paths are looked at, one after the other, before any directory is.
    const paths: [Open | undefined, string][] = [[on, path]];
    if ("newPath" in operation) {
      paths.push([other, operation.newPath]);
    } else if (operation.call === "symlink") {
      paths.push([on, operation.target]);
    }
    for (const [from, one] of paths) {
      if (from?.directory !== true) {
        return from === undefined ? BADF : { errno: 54 };
      }
      if (one.includes("\0")) {
        return INVAL;
      }
    }
    if (operation.call === "symlink" && (operation.target === "" || operation.target.startsWith("/"))) {
      return operation.target === "" ? { errno: 44 } : PERM;
    }
    const follow = "follow" in operation ? operation.follow : false;
    const directory = `/proc/self/fd/${on.descriptor}`;
    if (operation.call === "open") {
      const early = this.#refuseOpen(operation.oflags, operation.fdflags);
      if (early !== undefined) {
        return early;
      }
    }
    const exclusive = operation.call === "open" && (operation.oflags & 5) === 5;
    const slash = SLASH_FOLLOWED.has(operation.call) ? WITH_SLASH : NEVER;
    const last = exclusive ? NEVER : follow ? ALWAYS : slash;
    if (leaves(directory, path, last)) {
      return path === "" ? { errno: 44 } : PERM;
    }
    const full = `${directory}/${path}`;
    switch (operation.call) {
      case "open":
        return this.#openAt(operation, full);
      case "pathStat":
        return { errno: 0, value: told((follow ? statSync : lstatSync)(full, { bigint: true })) };
      case "mkdir":
        mkdirSync(full);
        return { errno: 0 };
      case "rmdir":
        if (/(^|\/)\.\.\/*$/.test(path)) {
          // Linux counts what is in it, POSIX allows EINVAL as for `.`.
          return isDirectory(full) ? ANY_FAULT : undefined;
        }
        rmdirSync(full);
        return { errno: 0 };
      case "unlink":
        unlinkSync(full);
        return { errno: 0 };
      case "readlink":
        return { errno: 0, value: readlinkSync(full) };
      case "symlink":
        symlinkSync(operation.target, full);
        return { errno: 0 };
      case "rename":
      case "link":
        return this.#pair(operation, full, other as Open);
    }
  }

  #pair(operation: Extract<Operation, { newPath: string }>, full: string, other: Open): Outcome {
    const { newPath } = operation;
    const directory = `/proc/self/fd/${other.descriptor}`;
    const newFull = `${directory}/${newPath}`;
    const out = leaves(directory, newPath, NEVER);
    const follows = operation.call === "link" && operation.follow;
    // Which of two faults is told is left open.
    const twice =
      faulty(full, () => (follows ? statSync : lstatSync)(full) !== undefined) &&
      (out || faulty(newFull, () => statSync(dirname(newFull)).isDirectory()));
    try {
      if (out) {
        return twice ? ANY_FAULT : newPath === "" ? { errno: 44 } : PERM;
      }
      if (operation.call === "rename") {
        renameSync(full, newFull);
      } else {
        // `link` doesn't follow and `node:fs` has no `linkat`: a link is followed by hand.
        linkSync(follows ? realpathSync.native(full) : full, newFull);
      }
      return { errno: 0 };
    } catch (error) {
      if (twice) {
        return ANY_FAULT;
      }
      throw error;
    }
  }

  #refuseOpen(oflags: number, fdflags: number): Outcome {
    const both = OFLAGS_CREAT | OFLAGS_DIRECTORY;
    return (oflags & ~15) !== 0 || (fdflags & ~31) !== 0 || (oflags & both) === both ? INVAL : undefined;
  }

  #openAt(operation: Extract<Operation, { call: "open" }>, full: string): Outcome {
    const { oflags, access, fdflags, follow } = operation;
    const writable = access === "write" || access === "both";
    const readable = access === "read" || access === "both";
    const truncates = (oflags & OFLAGS_TRUNC) !== 0;
    const made =
      ((oflags & OFLAGS_CREAT) !== 0 ? O_CREAT : 0) |
      ((oflags & OFLAGS_EXCL) !== 0 && (oflags & OFLAGS_CREAT) !== 0 ? O_EXCL : 0) |
      ((oflags & OFLAGS_DIRECTORY) !== 0 ? O_DIRECTORY : 0) |
      (truncates ? O_TRUNC : 0) |
      (follow ? 0 : O_NOFOLLOW);
    const writes = writable || truncates;
    // Reads are always possible here, so that one descriptor serves: what the guest may do is `readable` and `writable`.
    let descriptor: number;
    try {
      descriptor = openSync(full, made | (writes ? O_RDWR : O_RDONLY));
    } catch (error) {
      // Linux says EISDIR to whatever is to be made with a slash at its end, before it looks what is there.
      if ((made & O_CREAT) !== 0 && (full.endsWith("/") || (failure(error) === -31 && !isDirectory(full)))) {
        return ANY_FAULT;
      }
      throw error;
    }
    const directory = fstatSync(descriptor).isDirectory();
    this.#open.push({ descriptor, directory, readable, writable, flags: fdflags, position: 0 });
    return { errno: 0 };
  }

  tree(): Record<string, string> {
    const found: Record<string, string> = Object.create(null);
    const names = new Map<bigint, string>();
    const visit = (directory: string, prefix: string): void => {
      for (const name of readdirSync(directory).sort()) {
        const path = prefix + name;
        const full = `${directory}/${name}`;
        const stats = lstatSync(full, { bigint: true });
        if (stats.isDirectory()) {
          found[path] = "directory";
          visit(full, `${path}/`);
        } else if (stats.isSymbolicLink()) {
          found[path] = `link to ${readlinkSync(full)}`;
        } else {
          const first = names.get(stats.ino) ?? path;
          names.set(stats.ino, first);
          found[path] =
            `${stats.size} ${mix(7, new TextDecoder("latin1").decode(readFileSync(full)))} ${first}`;
        }
      }
    };
    visit(this.#root, "");
    return found;
  }

  dispose(): void {
    for (const { descriptor } of this.#open) {
      closeSync(descriptor);
    }
    this.#dispose();
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Whether a path can't be had by its form, or by a look at what it leads to. */
function faulty(path: string, look: () => boolean): boolean {
  if (/(^|\/)\.{0,2}$|[^/]{256}/.test(path)) {
    return true;
  }
  try {
    return !look();
  } catch {
    return true;
  }
}

function told(stats: { mode: bigint; size: bigint; nlink: bigint }): unknown {
  return comparable({ filetype: filetypeOf(stats), size: stats.size, nlink: stats.nlink });
}

function list(directory: string): string[] {
  return readdirSync(directory)
    .map((name) => `${name} ${filetypeOf(lstatSync(`${directory}/${name}`))}`)
    .sort();
}

/** Whether a path leads above the directory, or is absolute, before the kernel would stop for another reason. */
function leaves(directory: string, path: string, follow: number): boolean {
  if (path === "" || path.startsWith("/")) {
    return true;
  }
  const above: string[] = [];
  let at = directory;
  let waiting = path.split("/");
  let links = 0;
  while (waiting.length > 0) {
    const [component = "", ...rest] = waiting;
    waiting = rest;
    if (component === "" || component === ".") {
      continue;
    }
    if (component === "..") {
      const parent = above.pop();
      if (parent === undefined) {
        return true;
      }
      at = parent;
      continue;
    }
    const next = `${at}/${component}`;
    let stats: ReturnType<typeof lstatSync> | undefined;
    try {
      stats = lstatSync(next, { throwIfNoEntry: false });
    } catch {
      return false;
    }
    const more = rest.length > 0;
    if (stats === undefined || (more && !stats.isDirectory() && !stats.isSymbolicLink())) {
      return false;
    }
    if (stats.isSymbolicLink()) {
      // A slash after the last component has it followed, too.
      if (rest.every((part) => part === "") && (follow === NEVER || (!more && follow !== ALWAYS))) {
        return false;
      }
      const target = readlinkSync(next);
      if (target.startsWith("/")) {
        return true;
      }
      if (++links > 40) {
        return false;
      }
      waiting = [...target.split("/"), ...rest];
      continue;
    }
    above.push(at);
    at = next;
  }
  return false;
}
