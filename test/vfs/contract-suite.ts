import { describe, expect, test } from "vitest";
import {
  type Backend,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  FILETYPE_SYMBOLIC_LINK,
  Filestat,
  type Node,
} from "../../src/vfs/contract.js";
import {
  ERRNO_EXIST,
  ERRNO_INVAL,
  ERRNO_ISDIR,
  ERRNO_NAMETOOLONG,
  ERRNO_NOENT,
  ERRNO_NOTDIR,
  ERRNO_NOTEMPTY,
  ERRNO_PERM,
} from "../../src/vfs/errno.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `toEqual` takes seconds for what this takes no time. */
export const sameBytes = (a: Uint8Array | number, b: Uint8Array): boolean =>
  typeof a !== "number" && a.length === b.length && a.every((byte, index) => byte === b[index]);

/** A backend with names as strings and each operation in its own `begin` and `end`; nodes are retained. */
export class Driver {
  readonly backend: Backend;
  readonly root: Node;

  constructor(backend: Backend) {
    this.backend = backend;
    this.root = this.#within(() => this.#keep(backend.openRoot()));
  }

  #within<T>(body: () => T): T {
    this.backend.begin();
    try {
      return body();
    } finally {
      this.backend.end();
    }
  }

  #keep(node: number): number {
    if (node > 0) {
      this.backend.retain(node);
    }
    return node;
  }

  #named(name: string, body: (bytes: Uint8Array, start: number, end: number) => number): number {
    // Not at the start of its buffer, as in the walk.
    const bytes = encoder.encode(`/${name}/`);
    return this.#within(() => body(bytes, 1, bytes.length - 1));
  }

  lookup(directory: Node, name: string): number {
    return this.#named(name, (b, s, e) => this.#keep(this.backend.lookup(directory, b, s, e)));
  }
  create(directory: Node, name: string): number {
    return this.#named(name, (b, s, e) => this.#keep(this.backend.create(directory, b, s, e)));
  }
  mkdir(directory: Node, name: string): number {
    return this.#named(name, (b, s, e) => this.#keep(this.backend.mkdir(directory, b, s, e)));
  }
  symlink(directory: Node, name: string, target: string): number {
    return this.#named(name, (b, s, e) =>
      this.#keep(this.backend.symlink(directory, b, s, e, encoder.encode(target))),
    );
  }
  link(node: Node, directory: Node, name: string): number {
    return this.#named(name, (b, s, e) => this.backend.link(node, directory, b, s, e));
  }
  unlink(directory: Node, name: string): number {
    return this.#named(name, (b, s, e) => this.backend.unlink(directory, b, s, e));
  }
  rmdir(directory: Node, name: string): number {
    return this.#named(name, (b, s, e) => this.backend.rmdir(directory, b, s, e));
  }
  rename(from: Node, fromName: string, to: Node, toName: string): number {
    const other = encoder.encode(toName);
    return this.#named(fromName, (b, s, e) => this.backend.rename(from, b, s, e, to, other, 0, other.length));
  }
  release(node: Node): void {
    this.#within(() => this.backend.release(node));
  }
  open(node: Node): number {
    return this.#within(() => this.backend.openFile(node, true, true));
  }
  close(node: Node): void {
    this.#within(() => this.backend.closeFile(node));
  }
  write(node: Node, offset: number, data: string | Uint8Array): number {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    return this.#within(() => this.backend.write(node, offset, bytes, 0, bytes.length));
  }
  append(node: Node, data: string): number {
    const bytes = encoder.encode(data);
    return this.#within(() => this.backend.append(node, bytes, 0, bytes.length));
  }
  read(node: Node, offset: number, length: number): Uint8Array | number {
    const target = new Uint8Array(length + 2).fill(0xee);
    const result = this.#within(() => this.backend.read(node, offset, target, 1, length));
    expect(target[0]).toBe(0xee);
    expect(target[length + 1]).toBe(0xee);
    return result < 0 ? result : target.slice(1, 1 + result);
  }
  text(node: Node): string | number {
    const bytes = this.read(node, 0, 100_000);
    return typeof bytes === "number" ? bytes : decoder.decode(bytes);
  }
  size(node: Node): number {
    return this.#within(() => this.backend.size(node));
  }
  truncate(node: Node, size: number): number {
    return this.#within(() => this.backend.truncate(node, size));
  }
  filetype(node: Node): number {
    return this.#within(() => this.backend.filetype(node));
  }
  stat(node: Node): {
    ino: bigint;
    filetype: number;
    nlink: bigint;
    size: number;
    atim: bigint;
    mtim: bigint;
    ctim: bigint;
  } {
    const into = new Filestat();
    expect(this.#within(() => this.backend.stat(node, into))).toBe(0);
    const longs = into.longs;
    return {
      ino: longs[1] as bigint,
      filetype: into.filetype,
      nlink: longs[3] as bigint,
      size: into.size,
      atim: longs[5] as bigint,
      mtim: longs[6] as bigint,
      ctim: longs[7] as bigint,
    };
  }
  readlink(node: Node): string | number {
    const target = this.#within(() => this.backend.readlink(node));
    return typeof target === "number" ? target : decoder.decode(target);
  }
  setTimes(node: Node, atim: bigint | undefined, mtim: bigint | undefined): number {
    return this.#within(() => this.backend.setTimes(node, atim, mtim));
  }
  /** At most `count` entries after the cookie. */
  readdir(
    directory: Node,
    cookie = 0,
    count = Number.POSITIVE_INFINITY,
  ): { name: string; ino: bigint; filetype: number; next: number }[] {
    const found: { name: string; ino: bigint; filetype: number; next: number }[] = [];
    const result = this.#within(() =>
      this.backend.readdir(directory, cookie, (name, start, end, ino, filetype, next) => {
        if (found.length >= count) {
          return false;
        }
        found.push({ name: decoder.decode(name.slice(start, end)), ino: BigInt(ino), filetype, next });
        return true;
      }),
    );
    expect(result).toBe(0);
    return found;
  }
  names(directory: Node): string[] {
    return this.readdir(directory)
      .map((entry) => entry.name)
      .sort();
  }
}

/** What a backend need not be able to do; its tests are left out. */
export interface ContractOptions {
  readonly links?: boolean;
  readonly symlinks?: boolean;
  readonly times?: boolean;
  /** Cookies hold while entries come and go. */
  readonly stableCookies?: boolean;
  readonly unlinkWhileOpen?: boolean;
  /** Gaps and offsets beyond 2^31 take no space. */
  readonly sparse?: boolean;
}

/** The contract of `Backend`, case by case; `make` answers an empty one each time. */
export function backendContract(name: string, make: () => Backend, options: ContractOptions = {}): void {
  describe(name, () => {
    const setup = () => {
      const driver = new Driver(make());
      return { driver, root: driver.root };
    };

    test("lookup finds what create made, and answers ENOENT for what is not there", () => {
      const { driver, root } = setup();
      const file = driver.create(root, "a");
      expect(file).toBeGreaterThan(0);
      expect(driver.filetype(file)).toBe(FILETYPE_REGULAR_FILE);
      const again = driver.lookup(root, "a");
      expect(driver.stat(again).ino).toBe(driver.stat(file).ino);
      expect(driver.lookup(root, "b")).toBe(-ERRNO_NOENT);
      expect(driver.lookup(root, "A")).toBe(-ERRNO_NOENT);
      expect(driver.lookup(file, "a")).toBe(-ERRNO_NOTDIR);
    });

    test("create, mkdir and symlink refuse a taken name and a directory that is none", () => {
      const { driver, root } = setup();
      const file = driver.create(root, "a");
      expect(driver.create(root, "a")).toBe(-ERRNO_EXIST);
      expect(driver.mkdir(root, "a")).toBe(-ERRNO_EXIST);
      expect(driver.create(file, "b")).toBe(-ERRNO_NOTDIR);
      if (options.symlinks !== false) {
        expect(driver.symlink(root, "a", "x")).toBe(-ERRNO_EXIST);
      }
    });

    test("create refuses names of more than 255 bytes", () => {
      const { driver, root } = setup();
      expect(driver.create(root, "é".repeat(127))).toBeGreaterThan(0);
      expect(driver.create(root, "é".repeat(128))).toBe(-ERRNO_NAMETOOLONG);
      expect(driver.mkdir(root, "x".repeat(256))).toBe(-ERRNO_NAMETOOLONG);
      expect(driver.mkdir(root, "x".repeat(255))).toBeGreaterThan(0);
    });

    test("names such as __proto__ and constructor are names like any other", () => {
      const { driver, root } = setup();
      for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
        expect(driver.lookup(root, name)).toBe(-ERRNO_NOENT);
        expect(driver.create(root, name)).toBeGreaterThan(0);
        expect(driver.lookup(root, name)).toBeGreaterThan(0);
      }
      expect(driver.names(root)).toEqual(["__proto__", "constructor", "hasOwnProperty", "toString"]);
    });

    test("write and read at offsets, over a gap of zeros, and up to the end", () => {
      const { driver, root } = setup();
      const file = driver.create(root, "a");
      expect(driver.open(file)).toBe(0);
      expect(driver.text(file)).toBe("");
      expect(driver.write(file, 0, "hello")).toBe(5);
      expect(driver.write(file, 3, "p!")).toBe(2);
      expect(driver.text(file)).toBe("help!");
      expect(driver.write(file, 8, "x")).toBe(1);
      expect(driver.text(file)).toBe("help!\0\0\0x");
      expect(driver.size(file)).toBe(9);
      expect(driver.read(file, 7, 10)).toEqual(new Uint8Array([0, 120]));
      expect(driver.read(file, 9, 10)).toEqual(new Uint8Array(0));
      expect(driver.read(file, 2 ** 40, 10)).toEqual(new Uint8Array(0));
      expect(driver.write(file, 4, "")).toBe(0);
      expect(driver.size(file)).toBe(9);
      driver.close(file);
    });

    test("write and read of 64 KiB blocks and across their borders", () => {
      const { driver, root } = setup();
      const file = driver.create(root, "big");
      driver.open(file);
      const data = new Uint8Array(300_000);
      for (let index = 0; index < data.length; index++) {
        data[index] = index * 7 + (index >> 8);
      }
      expect(driver.write(file, 0, data)).toBe(data.length);
      expect(sameBytes(driver.read(file, 0, data.length), data)).toBe(true);
      expect(sameBytes(driver.read(file, 65_000, 70_000), data.slice(65_000, 135_000))).toBe(true);
      expect(driver.write(file, 65_530, data.slice(0, 20))).toBe(20);
      data.copyWithin(65_530, 0, 20);
      expect(sameBytes(driver.read(file, 60_000, 10_000), data.slice(60_000, 70_000))).toBe(true);
      expect(driver.size(file)).toBe(300_000);
      driver.close(file);
    });

    test("append goes to the end, wherever that is by now", () => {
      const { driver, root } = setup();
      const file = driver.create(root, "a");
      driver.open(file);
      expect(driver.append(file, "one")).toBe(3);
      driver.write(file, 5, "!");
      expect(driver.append(file, "two")).toBe(3);
      expect(driver.text(file)).toBe("one\0\0!two");
      driver.close(file);
    });

    test("truncate cuts, and grows with zeros even where there was something before", () => {
      const { driver, root } = setup();
      const file = driver.create(root, "a");
      driver.open(file);
      driver.write(file, 0, "secret");
      expect(driver.truncate(file, 2)).toBe(0);
      expect(driver.text(file)).toBe("se");
      expect(driver.truncate(file, 6)).toBe(0);
      expect(driver.text(file)).toBe("se\0\0\0\0");
      driver.write(file, 0, new Uint8Array(200_000).fill(7));
      expect(driver.truncate(file, 70_000)).toBe(0);
      expect(driver.truncate(file, 200_000)).toBe(0);
      const all = driver.read(file, 0, 200_000) as Uint8Array;
      expect(all.slice(0, 70_000).every((byte) => byte === 7)).toBe(true);
      expect(all.slice(70_000).every((byte) => byte === 0)).toBe(true);
      expect(driver.truncate(file, 0)).toBe(0);
      expect(driver.size(file)).toBe(0);
      driver.close(file);
    });

    test.runIf(options.sparse !== false)(
      "truncate and write past the end take no time or space for the gap",
      () => {
        const { driver, root } = setup();
        const file = driver.create(root, "sparse");
        driver.open(file);
        expect(driver.truncate(file, 2 ** 31)).toBe(0);
        expect(driver.size(file)).toBe(2 ** 31);
        expect(driver.read(file, 2 ** 31 - 3, 10)).toEqual(new Uint8Array(3));
        expect(driver.write(file, 2 ** 32, "x")).toBe(1);
        expect(driver.size(file)).toBe(2 ** 32 + 1);
        expect(driver.read(file, 2 ** 32 - 1, 10)).toEqual(new Uint8Array([0, 120]));
        driver.close(file);
      },
    );

    test.runIf(options.sparse !== false)("offsets up to 2^53 are refused or served, never harmful", () => {
      const { driver, root } = setup();
      const file = driver.create(root, "a");
      driver.open(file);
      driver.write(file, 0, "text");
      for (const offset of [2 ** 36, 2 ** 40, 2 ** 52, 2 ** 53 - 2]) {
        const written = driver.write(file, offset, "x");
        if (written > 0) {
          expect(driver.truncate(file, 4)).toBe(0);
        }
        if (driver.truncate(file, offset) === 0) {
          expect(driver.size(file)).toBe(offset);
          driver.truncate(file, 4);
        }
        expect(driver.text(file)).toBe("text");
      }
      driver.close(file);
    });

    test("mkdir, rmdir and unlink tell directories from files", () => {
      const { driver, root } = setup();
      const directory = driver.mkdir(root, "d");
      expect(driver.filetype(directory)).toBe(FILETYPE_DIRECTORY);
      const file = driver.create(directory, "f");
      expect(driver.unlink(root, "d")).toBe(-ERRNO_ISDIR);
      expect(driver.rmdir(root, "d")).toBe(-ERRNO_NOTEMPTY);
      expect(driver.rmdir(directory, "f")).toBe(-ERRNO_NOTDIR);
      expect(driver.unlink(directory, "f")).toBe(0);
      expect(driver.unlink(directory, "f")).toBe(-ERRNO_NOENT);
      driver.release(file);
      expect(driver.rmdir(root, "d")).toBe(0);
      expect(driver.rmdir(root, "d")).toBe(-ERRNO_NOENT);
      expect(driver.lookup(root, "d")).toBe(-ERRNO_NOENT);
    });

    test("a removed directory takes no more entries", () => {
      const { driver, root } = setup();
      const directory = driver.mkdir(root, "d");
      driver.rmdir(root, "d");
      expect(driver.create(directory, "f")).toBe(-ERRNO_NOENT);
      expect(driver.mkdir(directory, "f")).toBe(-ERRNO_NOENT);
      expect(driver.lookup(directory, "f")).toBe(-ERRNO_NOENT);
    });

    test("rename moves, within a directory and to another", () => {
      const { driver, root } = setup();
      const file = driver.create(root, "a");
      driver.write(file, 0, "x");
      const ino = driver.stat(file).ino;
      const directory = driver.mkdir(root, "d");
      expect(driver.rename(root, "a", root, "b")).toBe(0);
      expect(driver.lookup(root, "a")).toBe(-ERRNO_NOENT);
      expect(driver.rename(root, "b", directory, "c")).toBe(0);
      expect(driver.names(root)).toEqual(["d"]);
      expect(driver.stat(driver.lookup(directory, "c")).ino).toBe(ino);
      expect(driver.rename(root, "none", root, "x")).toBe(-ERRNO_NOENT);
      expect(driver.rename(directory, "c", directory, "c")).toBe(0);
      expect(driver.names(directory)).toEqual(["c"]);
    });

    test("rename over what is there follows POSIX", () => {
      const { driver, root } = setup();
      const a = driver.create(root, "a");
      driver.write(a, 0, "A");
      driver.create(root, "b");
      const empty = driver.mkdir(root, "empty");
      const full = driver.mkdir(root, "full");
      driver.create(full, "x");
      expect(driver.rename(root, "a", root, "b")).toBe(0);
      const b = driver.lookup(root, "b");
      driver.open(b);
      expect(driver.text(b)).toBe("A");
      driver.close(b);
      expect(driver.rename(root, "b", root, "empty")).toBe(-ERRNO_ISDIR);
      expect(driver.rename(root, "empty", root, "b")).toBe(-ERRNO_NOTDIR);
      expect(driver.rename(root, "empty", root, "full")).toBe(-ERRNO_NOTEMPTY);
      driver.release(empty);
      expect(driver.rename(root, "full", root, "empty")).toBe(0);
      expect(driver.names(root)).toEqual(["b", "empty"]);
      expect(driver.names(driver.lookup(root, "empty"))).toEqual(["x"]);
    });

    test("rename never moves a directory into itself", () => {
      const { driver, root } = setup();
      const d = driver.mkdir(root, "d");
      const e = driver.mkdir(d, "e");
      expect(driver.rename(root, "d", d, "x")).toBe(-ERRNO_INVAL);
      expect(driver.rename(root, "d", e, "x")).toBe(-ERRNO_INVAL);
      expect(driver.rename(d, "e", root, "e")).toBe(0);
      expect(driver.rename(root, "d", e, "d")).toBe(0);
      expect(driver.names(root)).toEqual(["e"]);
    });

    test("readdir answers every entry once, with its inode number and filetype, from any cookie", () => {
      const { driver, root } = setup();
      for (let index = 0; index < 100; index++) {
        driver.release(driver.create(root, `file-${index}`));
      }
      driver.mkdir(root, "d");
      const all = driver.readdir(root);
      expect(all.length).toBe(101);
      expect(new Set(all.map((entry) => entry.name)).size).toBe(101);
      for (const entry of all.slice(0, 10)) {
        const node = driver.lookup(root, entry.name);
        expect(driver.stat(node).ino).toBe(entry.ino);
        expect(entry.filetype).toBe(driver.filetype(node));
      }
      const paged: string[] = [];
      for (let cookie = 0; ; ) {
        const page = driver.readdir(root, cookie, 7);
        if (page.length === 0) {
          break;
        }
        paged.push(...page.map((entry) => entry.name));
        cookie = page[page.length - 1]?.next ?? 0;
      }
      expect(paged.sort()).toEqual(all.map((entry) => entry.name).sort());
    });

    test.runIf(options.stableCookies !== false)(
      "readdir gives no entry twice and leaves none out while others come and go",
      () => {
        const { driver, root } = setup();
        for (let index = 0; index < 200; index++) {
          driver.release(driver.create(root, `old-${index}`));
        }
        const seen: string[] = [];
        let round = 0;
        for (let cookie = 0; ; round++) {
          const page = driver.readdir(root, cookie, 10);
          if (page.length === 0 || round > 100) {
            break;
          }
          seen.push(...page.map((entry) => entry.name));
          cookie = page[page.length - 1]?.next ?? 0;
          for (const entry of page) {
            // Every other one that came is removed, most of the directory in the end.
            if (Number(entry.name.slice(4)) % 8 !== 0 && entry.name.startsWith("old")) {
              driver.unlink(root, entry.name);
            }
          }
          if (round < 30) {
            driver.release(driver.create(root, `new-${round}`));
          }
        }
        const old = seen.filter((name) => name.startsWith("old"));
        expect(old.length).toBe(200);
        expect(new Set(seen).size).toBe(seen.length);
      },
    );

    test.runIf(options.unlinkWhileOpen !== false)("a retained file lives on without its name", () => {
      const { driver, root } = setup();
      const file = driver.create(root, "a");
      driver.open(file);
      driver.write(file, 0, "still here");
      expect(driver.unlink(root, "a")).toBe(0);
      expect(driver.text(file)).toBe("still here");
      driver.write(file, 0, "STILL");
      const other = driver.create(root, "a");
      driver.open(other);
      driver.write(other, 0, "another");
      expect(driver.text(file)).toBe("STILL here");
      expect(driver.stat(file).nlink).toBe(0n);
      driver.close(file);
      driver.release(file);
      expect(driver.text(other)).toBe("another");
      driver.close(other);
    });

    test.runIf(options.unlinkWhileOpen !== false)(
      "a file that was renamed over lives on while retained",
      () => {
        const { driver, root } = setup();
        const file = driver.create(root, "a");
        driver.open(file);
        driver.write(file, 0, "old");
        driver.create(root, "b");
        expect(driver.rename(root, "b", root, "a")).toBe(0);
        expect(driver.text(file)).toBe("old");
        driver.close(file);
      },
    );

    test.runIf(options.links !== false)("link gives a file one more name, and directories none", () => {
      const { driver, root } = setup();
      const file = driver.create(root, "a");
      driver.open(file);
      const directory = driver.mkdir(root, "d");
      expect(driver.link(file, directory, "b")).toBe(0);
      expect(driver.stat(file).nlink).toBe(2n);
      driver.write(file, 0, "both");
      const other = driver.lookup(directory, "b");
      driver.open(other);
      expect(driver.text(other)).toBe("both");
      expect(driver.stat(other).ino).toBe(driver.stat(file).ino);
      expect(driver.link(file, directory, "b")).toBe(-ERRNO_EXIST);
      expect(driver.link(directory, root, "e")).toBe(-ERRNO_PERM);
      expect(driver.rename(root, "a", directory, "b")).toBe(0);
      expect(driver.names(root)).toEqual(["a", "d"]);
      expect(driver.unlink(root, "a")).toBe(0);
      expect(driver.stat(other).nlink).toBe(1n);
      expect(driver.text(other)).toBe("both");
      driver.close(file);
      driver.close(other);
    });

    test.runIf(options.symlinks !== false)("symlink and readlink keep the target as it is", () => {
      const { driver, root } = setup();
      for (const target of ["a", "../../x", "/", "ö".repeat(100), "a/".repeat(300)]) {
        const link = driver.symlink(root, "l", target);
        expect(driver.filetype(link)).toBe(FILETYPE_SYMBOLIC_LINK);
        expect(driver.readlink(link)).toBe(target);
        expect(driver.stat(link).size).toBe(encoder.encode(target).length);
        expect(driver.unlink(root, "l")).toBe(0);
        driver.release(link);
      }
      expect(driver.readlink(root)).toBe(-ERRNO_INVAL);
      expect(driver.readlink(driver.create(root, "f"))).toBe(-ERRNO_INVAL);
    });

    test("stat tells filetype, links, size and different inode numbers", () => {
      const { driver, root } = setup();
      const file = driver.create(root, "a");
      driver.open(file);
      driver.write(file, 0, "12345");
      const stat = driver.stat(file);
      expect(stat.filetype).toBe(FILETYPE_REGULAR_FILE);
      expect(stat.nlink).toBe(1n);
      expect(stat.size).toBe(5);
      const directory = driver.stat(driver.mkdir(root, "d"));
      expect(directory.filetype).toBe(FILETYPE_DIRECTORY);
      expect(new Set([stat.ino, directory.ino, driver.stat(root).ino]).size).toBe(3);
      driver.close(file);
    });

    test.runIf(options.times !== false)("setTimes keeps nanoseconds and leaves the other time alone", () => {
      const { driver, root } = setup();
      const file = driver.create(root, "a");
      driver.open(file);
      expect(driver.setTimes(file, 1_234_567_890_123_456_789n, 987_654_321_000_000_001n)).toBe(0);
      let stat = driver.stat(file);
      expect([stat.atim, stat.mtim]).toEqual([1_234_567_890_123_456_789n, 987_654_321_000_000_001n]);
      expect(driver.setTimes(file, undefined, 5_000_000_007n)).toBe(0);
      stat = driver.stat(file);
      expect([stat.atim, stat.mtim]).toEqual([1_234_567_890_123_456_789n, 5_000_000_007n]);
      driver.close(file);
    });

    test.runIf(options.times !== false)("changes are seen in the times of files and directories", () => {
      const { driver, root } = setup();
      const file = driver.create(root, "a");
      driver.open(file);
      const past = 1_000_000_000_000_000_000n;
      const reset = (node: Node) => expect(driver.setTimes(node, past, past)).toBe(0);
      reset(file);
      driver.write(file, 0, "x");
      expect(driver.stat(file).mtim).toBeGreaterThan(past);
      reset(file);
      driver.truncate(file, 0);
      expect(driver.stat(file).mtim).toBeGreaterThan(past);
      for (const change of [
        () => driver.create(root, "b"),
        () => driver.rename(root, "b", root, "c"),
        () => driver.unlink(root, "c"),
        () => driver.mkdir(root, "d"),
        () => driver.rmdir(root, "d"),
      ]) {
        reset(root);
        change();
        expect(driver.stat(root).mtim).toBeGreaterThan(past);
      }
      driver.close(file);
    });

    test("inode numbers are not given anew", () => {
      const { driver, root } = setup();
      const inos = new Set<bigint>();
      const kept = driver.create(root, "kept");
      inos.add(driver.stat(kept).ino);
      for (let index = 0; index < 20; index++) {
        const file = driver.create(root, "a");
        if (options.unlinkWhileOpen !== false) {
          inos.add(driver.stat(file).ino);
        }
        driver.unlink(root, "a");
      }
      expect(inos.size).toBe(options.unlinkWhileOpen !== false ? 21 : 1);
    });
  });
}
