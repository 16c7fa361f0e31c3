import type { WasiOptions } from "../../src/wasi/options.js";
import { Wasi } from "../../src/wasi/wasi.js";
import { PREVIEW1_RIGHTS } from "./wasi-constants.js";

type Import = (...args: (number | bigint)[]) => number;

/** What a call came to: the errno, and what it answered where there was none. */
export interface Answer<T = undefined> {
  readonly errno: number;
  readonly value?: T;
}

export interface Stat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly filetype: number;
  readonly nlink: bigint;
  readonly size: bigint;
  readonly atim: bigint;
  readonly mtim: bigint;
  readonly ctim: bigint;
}

export interface Listed {
  readonly name: string;
  readonly ino: bigint;
  readonly filetype: number;
}

const RESULT = 64;
const VECTORS = 128;
const STAT = 256;
const FIRST_PATH = 1024;
const SECOND_PATH = 16384;
const DATA = 32768;
const DATA_SIZE = 32768;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const perByte = new TextDecoder("latin1");

export type PathLike = string | Uint8Array;

/** A guest without a module: the functions of WASI preview 1 with a linear memory that the test fills and reads. */
export class WasiCaller {
  readonly wasi: Wasi;
  readonly memory = new WebAssembly.Memory({ initial: 1 });
  readonly #imports: Record<string, Import>;

  constructor(options: WasiOptions) {
    this.wasi = new Wasi({ stdin: "null", stdout: "null", stderr: "null", ...options });
    this.wasi.bind(this.memory);
    this.#imports = this.wasi.wasiImport as Record<string, Import>;
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  call(name: string, ...args: (number | bigint)[]): number {
    return (this.#imports[name] as Import)(...args);
  }

  #put(path: PathLike, at: number): number {
    const bytes = typeof path === "string" ? encoder.encode(path) : path;
    new Uint8Array(this.memory.buffer).set(bytes, at);
    return bytes.length;
  }

  #word(errno: number): Answer<number> {
    return errno === 0 ? { errno, value: this.view.getUint32(RESULT, true) } : { errno };
  }

  #stat(errno: number): Answer<Stat> {
    if (errno !== 0) {
      return { errno };
    }
    const view = this.view;
    const long = (at: number) => view.getBigUint64(STAT + at, true);
    const value = {
      dev: long(0),
      ino: long(8),
      filetype: view.getUint8(STAT + 16),
      nlink: long(24),
      size: long(32),
      atim: long(40),
      mtim: long(48),
      ctim: long(56),
    };
    return { errno, value };
  }

  open(
    fd: number,
    path: PathLike,
    { follow = true, oflags = 0, rights = PREVIEW1_RIGHTS, inheriting = PREVIEW1_RIGHTS, fdflags = 0 } = {},
  ): Answer<number> {
    const length = this.#put(path, FIRST_PATH);
    const lookup = follow ? 1 : 0;
    return this.#word(
      this.call("path_open", fd, lookup, FIRST_PATH, length, oflags, rights, inheriting, fdflags, RESULT),
    );
  }

  close(fd: number): Answer {
    return { errno: this.call("fd_close", fd) };
  }

  renumber(from: number, to: number): Answer {
    return { errno: this.call("fd_renumber", from, to) };
  }

  #vectors(length: number): void {
    this.view.setUint32(VECTORS, DATA, true);
    this.view.setUint32(VECTORS + 4, length, true);
  }

  /** Reads at the descriptor's position, or at `offset`: one character per byte. */
  read(fd: number, length: number, offset?: bigint): Answer<string> {
    this.#vectors(Math.min(length, DATA_SIZE));
    const errno =
      offset === undefined
        ? this.call("fd_read", fd, VECTORS, 1, RESULT)
        : this.call("fd_pread", fd, VECTORS, 1, offset, RESULT);
    if (errno !== 0) {
      return { errno };
    }
    const count = this.view.getUint32(RESULT, true);
    return { errno, value: perByte.decode(new Uint8Array(this.memory.buffer, DATA, count)) };
  }

  write(fd: number, data: string, offset?: bigint): Answer<number> {
    this.#vectors(this.#put(data, DATA));
    return this.#word(
      offset === undefined
        ? this.call("fd_write", fd, VECTORS, 1, RESULT)
        : this.call("fd_pwrite", fd, VECTORS, 1, offset, RESULT),
    );
  }

  seek(fd: number, offset: bigint, whence: number): Answer<bigint> {
    const errno = this.call("fd_seek", fd, offset, whence, RESULT);
    return errno === 0 ? { errno, value: this.view.getBigUint64(RESULT, true) } : { errno };
  }

  setSize(fd: number, size: bigint): Answer {
    return { errno: this.call("fd_filestat_set_size", fd, size) };
  }

  allocate(fd: number, offset: bigint, length: bigint): Answer {
    return { errno: this.call("fd_allocate", fd, offset, length) };
  }

  setFlags(fd: number, flags: number): Answer {
    return { errno: this.call("fd_fdstat_set_flags", fd, flags) };
  }

  sync(fd: number, dataOnly: boolean): Answer {
    return { errno: this.call(dataOnly ? "fd_datasync" : "fd_sync", fd) };
  }

  stat(fd: number): Answer<Stat> {
    return this.#stat(this.call("fd_filestat_get", fd, STAT));
  }

  setTimes(fd: number, atim: bigint, mtim: bigint, flags: number): Answer {
    return { errno: this.call("fd_filestat_set_times", fd, atim, mtim, flags) };
  }

  pathStat(fd: number, path: PathLike, follow = true): Answer<Stat> {
    const length = this.#put(path, FIRST_PATH);
    return this.#stat(this.call("path_filestat_get", fd, follow ? 1 : 0, FIRST_PATH, length, STAT));
  }

  pathSetTimes(
    fd: number,
    path: PathLike,
    follow: boolean,
    atim: bigint,
    mtim: bigint,
    flags: number,
  ): Answer {
    const length = this.#put(path, FIRST_PATH);
    return {
      errno: this.call("path_filestat_set_times", fd, follow ? 1 : 0, FIRST_PATH, length, atim, mtim, flags),
    };
  }

  mkdir(fd: number, path: PathLike): Answer {
    return { errno: this.call("path_create_directory", fd, FIRST_PATH, this.#put(path, FIRST_PATH)) };
  }

  rmdir(fd: number, path: PathLike): Answer {
    return { errno: this.call("path_remove_directory", fd, FIRST_PATH, this.#put(path, FIRST_PATH)) };
  }

  unlink(fd: number, path: PathLike): Answer {
    return { errno: this.call("path_unlink_file", fd, FIRST_PATH, this.#put(path, FIRST_PATH)) };
  }

  rename(fd: number, path: PathLike, newFd: number, newPath: PathLike): Answer {
    const length = this.#put(path, FIRST_PATH);
    const newLength = this.#put(newPath, SECOND_PATH);
    return { errno: this.call("path_rename", fd, FIRST_PATH, length, newFd, SECOND_PATH, newLength) };
  }

  link(fd: number, follow: boolean, path: PathLike, newFd: number, newPath: PathLike): Answer {
    const length = this.#put(path, FIRST_PATH);
    const newLength = this.#put(newPath, SECOND_PATH);
    const lookup = follow ? 1 : 0;
    return { errno: this.call("path_link", fd, lookup, FIRST_PATH, length, newFd, SECOND_PATH, newLength) };
  }

  symlink(target: PathLike, fd: number, path: PathLike): Answer {
    const length = this.#put(target, FIRST_PATH);
    const newLength = this.#put(path, SECOND_PATH);
    return { errno: this.call("path_symlink", FIRST_PATH, length, fd, SECOND_PATH, newLength) };
  }

  readlink(fd: number, path: PathLike): Answer<string> {
    const length = this.#put(path, FIRST_PATH);
    const errno = this.call("path_readlink", fd, FIRST_PATH, length, DATA, DATA_SIZE, RESULT);
    if (errno !== 0) {
      return { errno };
    }
    const count = this.view.getUint32(RESULT, true);
    return { errno, value: decoder.decode(new Uint8Array(this.memory.buffer, DATA, count)) };
  }

  /** Every entry but `.` and `..`, with `size` bytes of buffer for each call. */
  readdir(fd: number, size = DATA_SIZE): Answer<Listed[]> {
    const value: Listed[] = [];
    for (let cookie = 0n; ; ) {
      const errno = this.call("fd_readdir", fd, DATA, size, cookie, RESULT);
      if (errno !== 0) {
        return { errno };
      }
      const used = this.view.getUint32(RESULT, true);
      let at = 0;
      while (at + 24 <= used) {
        const { view } = this;
        const length = view.getUint32(DATA + at + 16, true);
        if (at + 24 + length > used) {
          break;
        }
        cookie = view.getBigUint64(DATA + at, true);
        const name = decoder.decode(new Uint8Array(this.memory.buffer, DATA + at + 24, length));
        if (name !== "." && name !== "..") {
          value.push({
            name,
            ino: view.getBigUint64(DATA + at + 8, true),
            filetype: view.getUint8(DATA + at + 20),
          });
        }
        at += 24 + length;
      }
      if (used < size) {
        return { errno, value };
      }
    }
  }
}
