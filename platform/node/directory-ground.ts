import { closeSync, constants, fstatSync, lstatSync, openSync, realpathSync } from "node:fs";
import { FILETYPE_DIRECTORY } from "../../src/vfs/contract.js";
import {
  ERRNO_INVAL,
  ERRNO_NAMETOOLONG,
  ERRNO_NOENT,
  ERRNO_NOTDIR,
  ERRNO_STALE,
} from "../../src/vfs/errno.js";
import type { Entry } from "./directory-entry.js";
import { failure } from "./directory-errors.js";

/** Longer than any file system takes, so that a path always fits the scratch buffers. */
const LONGEST_NAME = 4096;
/** Linux's number on every architecture that Node runs on; `node:fs` doesn't name it. */
const O_PATH = 0x200000;
const { O_NOFOLLOW = 0, O_DIRECTORY = 0 } = constants;

/** A path for `node:fs`, valid until the next one in the same slot is asked for, or a negated errno. */
export type Located = Buffer | number;

/** How a name in a directory is said to the host such that it can't mean another directory. */
export interface Ground {
  /** Whether a directory or file stays what it was found as, whatever happens to the names that led to it. */
  readonly pins: boolean;
  /** The path of a name in a directory. */
  inside(directory: Entry, name: Uint8Array, start: number, end: number, slot: 0 | 1): Located;
  /** The path of the entry itself. The last component is not followed by calls that don't follow. */
  self(entry: Entry): Located;
  /** Makes what an entry stands for independent of its name. Answers 0 or a negated errno. */
  pin(entry: Entry): number;
}

/** Where descriptors are kept track of, so that none is left when the file system is forgotten. */
export interface Descriptors {
  /** Throws what `node:fs` throws. */
  open(path: string | Buffer, flags: number, mode?: number): number;
  close(descriptor: number): void;
}

function put(into: Buffer, prefix: string, name: Uint8Array, start: number, end: number): Buffer {
  const at = into.write(prefix, 0, "latin1");
  into.set(name.subarray(start, end), at);
  return into.subarray(0, at + end - start);
}

/**
 * Linux: every directory on the way is a descriptor, and a name in it is said as `/proc/self/fd/N/name`. A descriptor goes on
 * meaning the same directory when its name is swapped for a link, so no race between check and use leads out.
 */
export class HandleGround implements Ground {
  readonly pins = true;
  readonly #descriptors: Descriptors;
  readonly #root: Entry;
  readonly #path: string;
  readonly #scratch = [Buffer.alloc(LONGEST_NAME + 64), Buffer.alloc(LONGEST_NAME + 64)] as const;

  constructor(descriptors: Descriptors, root: Entry, path: string) {
    this.#descriptors = descriptors;
    this.#root = root;
    this.#path = path;
  }

  /** Whether the runtime passes `O_PATH` and `O_NOFOLLOW` on, and `/proc` is there: seen by doing it. */
  static works(): boolean {
    let descriptor = -1;
    let own = -1;
    try {
      // A link that is always there: opened as itself, it is a link; what drops a flag follows it or fails.
      descriptor = openSync("/proc/self/cwd", O_PATH | O_NOFOLLOW);
      own = openSync("/proc/self", O_PATH | O_DIRECTORY);
      const through = lstatSync(`/proc/self/fd/${own}/cwd`);
      return fstatSync(descriptor).isSymbolicLink() && through.isSymbolicLink();
    } catch {
      return false;
    } finally {
      for (const opened of [descriptor, own]) {
        if (opened >= 0) {
          closeSync(opened);
        }
      }
    }
  }

  inside(directory: Entry, name: Uint8Array, start: number, end: number, slot: 0 | 1): Located {
    if (end - start > LONGEST_NAME) {
      return -ERRNO_NAMETOOLONG;
    }
    const handle = directory.handle >= 0 ? directory.handle : this.#open(directory);
    return handle < 0 ? handle : put(this.#scratch[slot], `/proc/self/fd/${handle}/`, name, start, end);
  }

  self(entry: Entry): Located {
    if (entry === this.#root && entry.handle < 0) {
      const opened = this.#open(entry);
      if (opened < 0) {
        return opened;
      }
    }
    const descriptor = entry.handle >= 0 ? entry.handle : entry.io;
    if (descriptor >= 0) {
      return Buffer.from(`/proc/self/fd/${descriptor}`);
    }
    return entry.parent === undefined
      ? -ERRNO_STALE
      : this.inside(entry.parent, entry.name, 0, entry.name.length, 0);
  }

  pin(entry: Entry): number {
    if (entry.handle >= 0 || entry.io >= 0) {
      return 0;
    }
    const opened = this.#open(entry);
    return Math.min(opened, 0);
  }

  /** Opens the handle of an entry; a directory never through a link that took its place. */
  #open(entry: Entry): number {
    if (entry.lost < 0) {
      return entry.lost;
    }
    try {
      if (entry === this.#root) {
        return this.#openRoot(entry);
      }
      const path =
        entry.parent === undefined
          ? -ERRNO_STALE
          : this.inside(entry.parent, entry.name, 0, entry.name.length, 0);
      if (typeof path === "number") {
        return path;
      }
      const only = entry.filetype === FILETYPE_DIRECTORY ? O_DIRECTORY : 0;
      entry.handle = this.#descriptors.open(path, O_PATH | O_NOFOLLOW | only);
      return entry.handle;
    } catch (error) {
      return failure(error);
    }
  }

  /** The root is opened by its path, and again after it was idle: it must be the directory that it was at first. */
  #openRoot(root: Entry): number {
    const handle = this.#descriptors.open(this.#path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    const stats = fstatSync(handle, { bigint: true });
    if (stats.dev !== root.dev || stats.ino !== root.ino) {
      this.#descriptors.close(handle);
      return -ERRNO_STALE;
    }
    root.handle = handle;
    return handle;
  }
}

const windows = process.platform === "win32";
/** What a Windows path gives a meaning of its own: separators, streams, wildcards, devices, and endings that it drops. */
const windowsSpecial =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
  /[\\/:*?"<>|\0-\x1f]|[. ]$|^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;

/**
 * Everywhere else: a path from the root, after every directory on it was seen to be the one that it was found as, and no
 * link. Between that look and the use another process can swap a directory for a link; what is opened is compared
 * once more before it is read or written, what is made, renamed or removed in that instant is not.
 */
export class PathGround implements Ground {
  readonly pins = false;
  readonly #root: Entry;
  readonly #path: Buffer;
  readonly #scratch: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];

  constructor(root: Entry, path: string) {
    this.#root = root;
    this.#path = Buffer.from(path);
  }

  inside(directory: Entry, name: Uint8Array, start: number, end: number, slot: 0 | 1): Located {
    if (end - start > LONGEST_NAME) {
      return -ERRNO_NAMETOOLONG;
    }
    if (windows && windowsSpecial.test(Buffer.from(name.subarray(start, end)).toString())) {
      return -ERRNO_INVAL;
    }
    const chain: Entry[] = [];
    for (let at: Entry | undefined = directory; at !== undefined; at = at.parent) {
      chain.push(at);
    }
    if (chain[chain.length - 1] !== this.#root) {
      return -ERRNO_STALE;
    }
    let length = this.#path.length;
    for (const entry of chain) {
      length += entry.name.length + 1;
    }
    const path = this.#room(slot, length + end - start + 1);
    let at = this.#path.copy(path);
    for (const entry of chain.reverse()) {
      if (entry !== this.#root) {
        at = join(path, at, entry.name);
      }
      const answer = check(path.subarray(0, at), entry);
      if (answer < 0) {
        return answer;
      }
    }
    return path.subarray(0, join(path, at, name.subarray(start, end)));
  }

  self(entry: Entry): Located {
    if (entry === this.#root) {
      const answer = check(this.#path, entry);
      return answer < 0 ? answer : this.#path;
    }
    return entry.parent === undefined
      ? -ERRNO_STALE
      : this.inside(entry.parent, entry.name, 0, entry.name.length, 0);
  }

  pin(): number {
    return 0;
  }

  #room(slot: 0 | 1, length: number): Buffer {
    let room = this.#scratch[slot];
    if (room.length < length) {
      room = Buffer.alloc(length * 2);
      this.#scratch[slot] = room;
    }
    return room;
  }
}

function join(path: Buffer, at: number, name: Uint8Array): number {
  let next = at;
  if (path[next - 1] !== 0x2f && !(windows && path[next - 1] === 0x5c)) {
    path[next++] = windows ? 0x5c : 0x2f;
  }
  path.set(name, next);
  return next + name.length;
}

function check(path: Buffer, entry: Entry): number {
  try {
    const stats = lstatSync(path, { bigint: true });
    if (!stats.isDirectory()) {
      return -ERRNO_NOTDIR;
    }
    if (stats.ino === entry.ino && stats.dev === entry.dev) {
      return 0;
    }
    // Another directory has its name by now: what was found is gone.
    return entry.parent === undefined ? -ERRNO_STALE : -ERRNO_NOENT;
  } catch (error) {
    return failure(error);
  }
}

/** Where a directory given by the host really is: later swaps of a link on the way to it are of no effect. */
export function realPath(path: string): string {
  return realpathSync.native?.(path) ?? realpathSync(path);
}
