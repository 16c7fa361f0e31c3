import {
  type BigIntStats,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  lstatSync,
  lutimesSync,
  readSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { FILETYPE_DIRECTORY, FILETYPE_REGULAR_FILE, FILETYPE_SYMBOLIC_LINK } from "../../src/vfs/contract.js";
import {
  ERRNO_ACCES,
  ERRNO_BADF,
  ERRNO_INVAL,
  ERRNO_ISDIR,
  ERRNO_LOOP,
  ERRNO_STALE,
} from "../../src/vfs/errno.js";
import type { Entry } from "./directory-entry.js";
import { failure } from "./directory-errors.js";
import type { Descriptors, Ground } from "./directory-ground.js";
import { type PreciseTimes, toSeconds } from "./directory-times.js";

const {
  O_RDONLY,
  O_WRONLY,
  O_RDWR,
  O_APPEND,
  O_NOFOLLOW = 0,
  O_NONBLOCK = 0,
  O_NOCTTY = 0,
  O_DIRECTORY = 0,
} = constants;
/** A file that turned into a FIFO or a terminal is never waited for, nor taken as the controlling one. */
const CAREFUL = O_NONBLOCK | O_NOCTTY;
/** As much as Linux moves in one call. */
const MOST = 0x7ffff000;
const bigint = { bigint: true } as const;

/** What is done to one file once it was found. Every method answers as `Backend` does. */
export class FileAccess {
  readonly #descriptors: Descriptors;
  readonly #ground: Ground;
  readonly #times: PreciseTimes;

  constructor(descriptors: Descriptors, ground: Ground, times: PreciseTimes) {
    this.#descriptors = descriptors;
    this.#ground = ground;
    this.#times = times;
  }

  open(entry: Entry, read: boolean, write: boolean): number {
    switch (entry.filetype) {
      case FILETYPE_REGULAR_FILE:
        break;
      case FILETYPE_DIRECTORY:
        return write ? -ERRNO_ISDIR : this.#ground.pin(entry);
      case FILETYPE_SYMBOLIC_LINK:
        return -ERRNO_LOOP;
      default:
        return -ERRNO_ACCES;
    }
    if ((!read && !write) || (entry.io >= 0 && entry.readable >= read && entry.writable >= write)) {
      return this.#ground.pin(entry);
    }
    const both = (read || entry.readable) && (write || entry.writable);
    const opened = this.#reopen(entry, both ? O_RDWR : write ? O_WRONLY : O_RDONLY);
    if (opened < 0) {
      return opened;
    }
    if (entry.io >= 0) {
      this.#descriptors.close(entry.io);
    }
    this.adopt(entry, opened, read || entry.readable, write || entry.writable);
    return 0;
  }

  /** Takes a descriptor that was just opened for this entry. */
  adopt(entry: Entry, descriptor: number, readable: boolean, writable: boolean): void {
    entry.io = descriptor;
    entry.readable = readable;
    entry.writable = writable;
    entry.stats = undefined;
  }

  read(entry: Entry, offset: number, target: Uint8Array, start: number, length: number): number {
    if (entry.io < 0) {
      return notOpen(entry);
    }
    try {
      return readSync(entry.io, target, start, Math.min(length, MOST), offset);
    } catch (error) {
      return failure(error);
    }
  }

  write(entry: Entry, offset: number, source: Uint8Array, start: number, length: number): number {
    if (entry.io < 0) {
      return notOpen(entry);
    }
    try {
      return writeSync(entry.io, source, start, Math.min(length, MOST), offset);
    } catch (error) {
      return failure(error);
    }
  }

  append(entry: Entry, source: Uint8Array, start: number, length: number): number {
    if (!entry.writable) {
      return notOpen(entry);
    }
    if (entry.appender < 0) {
      const opened = this.#reopen(entry, O_WRONLY | O_APPEND);
      if (opened < 0) {
        // By paths, a file that was moved or replaced meanwhile can only be written to where its end is now.
        return this.#ground.pins ? opened : this.write(entry, this.size(entry), source, start, length);
      }
      entry.appender = opened;
    }
    try {
      return writeSync(entry.appender, source, start, Math.min(length, MOST), null);
    } catch (error) {
      return failure(error);
    }
  }

  size(entry: Entry): number {
    try {
      if (entry.io >= 0) {
        return fstatSync(entry.io).size;
      }
      const stats = this.stats(entry);
      return typeof stats === "number" ? stats : Number(stats.size);
    } catch (error) {
      return failure(error);
    }
  }

  truncate(entry: Entry, size: number): number {
    if (entry.filetype !== FILETYPE_REGULAR_FILE) {
      return entry.filetype === FILETYPE_DIRECTORY ? -ERRNO_ISDIR : -ERRNO_INVAL;
    }
    const descriptor = entry.writable ? entry.io : this.#reopen(entry, O_WRONLY);
    if (descriptor < 0) {
      return descriptor;
    }
    entry.stats = undefined;
    try {
      ftruncateSync(descriptor, size);
      return 0;
    } catch (error) {
      return failure(error);
    } finally {
      if (descriptor !== entry.io) {
        this.#descriptors.close(descriptor);
      }
    }
  }

  sync(entry: Entry, dataOnly: boolean): number {
    const descriptor =
      entry.filetype === FILETYPE_DIRECTORY ? this.#reopen(entry, O_RDONLY | O_DIRECTORY) : entry.io;
    if (descriptor < 0) {
      return descriptor === -1 ? 0 : descriptor;
    }
    try {
      if (dataOnly) {
        fdatasyncSync(descriptor);
      } else {
        fsyncSync(descriptor);
      }
      return 0;
    } catch (error) {
      return failure(error);
    } finally {
      if (descriptor !== entry.io) {
        this.#descriptors.close(descriptor);
      }
    }
  }

  /** `fstat` where a descriptor is there, else `lstat`; throws what `node:fs` throws. */
  stats(entry: Entry): BigIntStats | number {
    const descriptor = entry.io >= 0 ? entry.io : entry.handle;
    if (descriptor >= 0) {
      return fstatSync(descriptor, bigint);
    }
    const seen = entry.gone ?? entry.stats;
    if (seen !== undefined) {
      return seen;
    }
    const path = this.#ground.self(entry);
    if (typeof path === "number") {
      return path;
    }
    // The path of the root names its descriptor, which `lstat` would take for a link.
    return entry.handle >= 0 ? fstatSync(entry.handle, bigint) : lstatSync(path, bigint);
  }

  setTimes(entry: Entry, atim: bigint | undefined, mtim: bigint | undefined): number {
    if (atim === undefined && mtim === undefined) {
      return 0;
    }
    try {
      const before = this.stats(entry);
      if (typeof before === "number") {
        return before;
      }
      const access = atim ?? this.#times.atim(before);
      const modification = mtim ?? this.#times.mtim(before);
      entry.stats = undefined;
      const answer = this.#utimes(entry, toSeconds(access), toSeconds(modification));
      const after = answer < 0 ? answer : this.stats(entry);
      if (typeof after === "number") {
        return after;
      }
      this.#times.remember(after, access, modification);
      return 0;
    } catch (error) {
      return failure(error);
    }
  }

  #utimes(entry: Entry, access: number, modification: number): number {
    if (entry.gone !== undefined) {
      entry.gone.atimeNs = BigInt(Math.round(access * 1e6)) * 1000n;
      entry.gone.mtimeNs = BigInt(Math.round(modification * 1e6)) * 1000n;
      return 0;
    }
    if (entry.io >= 0) {
      futimesSync(entry.io, access, modification);
      return 0;
    }
    const path = this.#ground.self(entry);
    if (typeof path === "number") {
      return path;
    }
    if (entry.handle >= 0) {
      utimesSync(path, access, modification);
    } else {
      lutimesSync(path, access, modification);
    }
    return 0;
  }

  /** Opens the very file that the entry stands for. */
  #reopen(entry: Entry, flags: number): number {
    const path = this.#ground.self(entry);
    if (typeof path === "number") {
      return path;
    }
    // A descriptor under /proc is followed: it is no link that anybody could have put there.
    const through = this.#ground.pins && (entry.handle >= 0 || entry.io >= 0);
    let descriptor = -1;
    try {
      descriptor = this.#descriptors.open(path, flags | CAREFUL | (through ? 0 : O_NOFOLLOW));
      if (through) {
        return descriptor;
      }
      const stats = fstatSync(descriptor, bigint);
      const same = stats.ino === entry.ino && stats.dev === entry.dev;
      const regular = stats.isFile() || (stats.isDirectory() && entry.filetype === FILETYPE_DIRECTORY);
      if (same && regular) {
        return descriptor;
      }
      this.#descriptors.close(descriptor);
      return regular ? -ERRNO_STALE : -ERRNO_ACCES;
    } catch (error) {
      if (descriptor >= 0) {
        this.#descriptors.close(descriptor);
      }
      return failure(error);
    }
  }
}

function notOpen(entry: Entry): number {
  return entry.filetype === FILETYPE_DIRECTORY ? -ERRNO_ISDIR : -ERRNO_BADF;
}
