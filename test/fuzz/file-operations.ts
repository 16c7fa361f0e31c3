import * as fc from "fast-check";
import type { Answer, Stat, WasiCaller } from "./wasi-caller.js";
import {
  FDFLAGS_APPEND,
  FSTFLAGS_ATIM,
  FSTFLAGS_MTIM,
  PREVIEW1_RIGHTS,
  READING_RIGHTS,
  RIGHT_FD_READ,
  RIGHT_FD_READDIR,
} from "./wasi-constants.js";

/** One call of a guest. `fd` is an index into what is open by then. */
export type Operation =
  | {
      readonly call: "open";
      readonly fd: number;
      readonly path: string;
      readonly follow: boolean;
      readonly oflags: number;
      readonly access: "read" | "write" | "both" | "none";
      readonly fdflags: number;
    }
  | { readonly call: "close"; readonly fd: number }
  | { readonly call: "renumber"; readonly fd: number; readonly to: number }
  | { readonly call: "read"; readonly fd: number; readonly length: number; readonly at?: number | undefined }
  | { readonly call: "write"; readonly fd: number; readonly data: string; readonly at?: number | undefined }
  | { readonly call: "seek"; readonly fd: number; readonly offset: number; readonly whence: number }
  | { readonly call: "setSize"; readonly fd: number; readonly size: number }
  | { readonly call: "allocate"; readonly fd: number; readonly offset: number; readonly size: number }
  | { readonly call: "setFlags"; readonly fd: number; readonly flags: number }
  | { readonly call: "sync"; readonly fd: number; readonly dataOnly: boolean }
  | { readonly call: "stat"; readonly fd: number }
  | {
      readonly call: "setTimes";
      readonly fd: number;
      readonly atim: bigint;
      readonly mtim: bigint;
      readonly flags: number;
    }
  | { readonly call: "pathStat"; readonly fd: number; readonly path: string; readonly follow: boolean }
  | {
      readonly call: "pathSetTimes";
      readonly fd: number;
      readonly path: string;
      readonly follow: boolean;
      readonly atim: bigint;
      readonly mtim: bigint;
      readonly flags: number;
    }
  | { readonly call: "mkdir" | "rmdir" | "unlink" | "readlink"; readonly fd: number; readonly path: string }
  | {
      readonly call: "rename";
      readonly fd: number;
      readonly path: string;
      readonly to: number;
      readonly newPath: string;
    }
  | {
      readonly call: "link";
      readonly fd: number;
      readonly path: string;
      readonly follow: boolean;
      readonly to: number;
      readonly newPath: string;
    }
  | { readonly call: "symlink"; readonly target: string; readonly fd: number; readonly path: string }
  | { readonly call: "readdir"; readonly fd: number; readonly size: number };

/** An answer in a form in which those of several file systems are compared; `undefined`: no opinion. */
export type Outcome = { readonly errno: number; readonly value?: unknown } | undefined;

/** It must fail, with whatever errno. */
export const ANY_FAULT = { errno: -1 };

/** Something that carries out operations. */
export interface Subject {
  readonly name: string;
  run(operation: Operation): Outcome;
  /** The whole tree, path by path. */
  tree(): Record<string, string>;
  dispose(): void;
}

const name = fc.constantFrom("a", "b", "c", "é");
const part = fc.oneof(
  { weight: 12, arbitrary: name },
  { weight: 1, arbitrary: fc.constant(".") },
  { weight: 2, arbitrary: fc.constant("..") },
);
const path = fc.oneof(
  { weight: 10, arbitrary: name },
  {
    weight: 10,
    arbitrary: fc
      .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.constantFrom("", "", "", "", "/", "//", "/."))
      .map(([parts, end]) => parts.join("/") + end),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", "/", "/a", ".", "..", "a\0b", `${"x".repeat(256)}`, "a//b", "./a"),
  },
);
const fd = fc.nat({ max: 7 });
const offset = fc.oneof(fc.nat({ max: 12 }), fc.constantFrom(4095, 4096, 65_536, 70_000));
const data = fc.constantFrom("", "x", "hello", "0123456789", "é".repeat(40), "z".repeat(5000));
const time = fc.constantFrom(0n, 1n, 999_999_999n, 1_000_000_000n, 1_700_000_000_123_456_789n);
const flags = fc.constantFrom(0, FSTFLAGS_ATIM, FSTFLAGS_MTIM, FSTFLAGS_ATIM | FSTFLAGS_MTIM, 3, 12, 64);
const follow = fc.boolean();
const at = fc.option(offset, { nil: undefined });

function operation<C extends Operation["call"]>(
  call: C,
  fields: { [K in keyof Omit<Extract<Operation, { call: C }>, "call">]: fc.Arbitrary<unknown> },
): fc.Arbitrary<Operation> {
  return fc.record({ call: fc.constant(call), ...fields }) as unknown as fc.Arbitrary<Operation>;
}

const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 14,
    arbitrary: operation("open", {
      fd,
      path,
      follow,
      oflags: fc.oneof(fc.constantFrom(0, 1, 1, 5, 9, 2, 8), fc.nat({ max: 16 })),
      access: fc.constantFrom("read", "write", "both", "both", "none"),
      fdflags: fc.constantFrom(0, 0, 0, FDFLAGS_APPEND, 2, 16, 31, 32),
    }),
  },
  { weight: 3, arbitrary: operation("close", { fd }) },
  { weight: 1, arbitrary: operation("renumber", { fd, to: fd }) },
  { weight: 6, arbitrary: operation("read", { fd, length: fc.constantFrom(0, 1, 7, 10_000), at }) },
  { weight: 8, arbitrary: operation("write", { fd, data, at }) },
  {
    weight: 3,
    arbitrary: operation("seek", {
      fd,
      offset: fc.oneof(offset, fc.constantFrom(-1, -5)),
      whence: fc.nat({ max: 3 }),
    }),
  },
  { weight: 2, arbitrary: operation("setSize", { fd, size: offset }) },
  { weight: 1, arbitrary: operation("allocate", { fd, offset, size: offset }) },
  { weight: 1, arbitrary: operation("setFlags", { fd, flags: fc.constantFrom(0, FDFLAGS_APPEND, 4, 32) }) },
  { weight: 1, arbitrary: operation("sync", { fd, dataOnly: fc.boolean() }) },
  { weight: 3, arbitrary: operation("stat", { fd }) },
  { weight: 1, arbitrary: operation("setTimes", { fd, atim: time, mtim: time, flags }) },
  { weight: 3, arbitrary: operation("pathStat", { fd, path, follow }) },
  { weight: 2, arbitrary: operation("pathSetTimes", { fd, path, follow, atim: time, mtim: time, flags }) },
  { weight: 8, arbitrary: operation("mkdir", { fd, path }) },
  { weight: 3, arbitrary: operation("rmdir", { fd, path }) },
  { weight: 4, arbitrary: operation("unlink", { fd, path }) },
  { weight: 2, arbitrary: operation("readlink", { fd, path }) },
  { weight: 10, arbitrary: operation("rename", { fd, path, to: fd, newPath: path }) },
  { weight: 4, arbitrary: operation("link", { fd, path, follow, to: fd, newPath: path }) },
  { weight: 6, arbitrary: operation("symlink", { target: path, fd, path }) },
  { weight: 4, arbitrary: operation("readdir", { fd, size: fc.constantFrom(4096, 60, 24 + 3) }) },
);

/** What a guest does in one run. */
export const operations: fc.Arbitrary<Operation[]> = fc.array(anyOperation, {
  minLength: 1,
  maxLength: 60,
  size: "max",
});

/** The rights that wasi-libc asks for with each access mode. */
export function rightsFor(access: "read" | "write" | "both" | "none"): bigint {
  const all = access === "write" || access === "both" ? PREVIEW1_RIGHTS : READING_RIGHTS;
  return access === "read" || access === "both" ? all : all & ~RIGHT_FD_READ & ~RIGHT_FD_READDIR;
}

/** What can be compared of a stat: directories differ in size and links from file system to file system. */
export function comparable({ filetype, size, nlink }: Pick<Stat, "filetype" | "size" | "nlink">): unknown {
  return filetype === 3 ? { filetype } : { filetype, size, nlink };
}

/** The operations as a guest of `Wasi` does them; descriptor 3 is the tree. */
export class WasiSubject implements Subject {
  readonly name: string;
  readonly caller: WasiCaller;
  readonly #dispose: () => void;
  readonly #open = [3];

  constructor(name: string, caller: WasiCaller, dispose: () => void = () => {}) {
    this.name = name;
    this.caller = caller;
    this.#dispose = dispose;
  }

  #fd(index: number): number {
    // One past the end is a descriptor that isn't open.
    return this.#open[index % (this.#open.length + 1)] ?? 99;
  }

  run(operation: Operation): Outcome {
    const { caller } = this;
    const on = this.#fd(operation.fd);
    switch (operation.call) {
      case "open": {
        const { path, follow, oflags, access, fdflags } = operation;
        const answer = caller.open(on, path, { follow, oflags, rights: rightsFor(access), fdflags });
        if (answer.value !== undefined) {
          this.#open.push(answer.value);
        }
        return answer;
      }
      case "close": {
        if (on === 3) {
          return undefined;
        }
        const answer = caller.close(on);
        if (answer.errno === 0) {
          this.#open.splice(this.#open.indexOf(on), 1);
        }
        return answer;
      }
      case "renumber": {
        const to = this.#fd(operation.to);
        if (on === 3 || to === 3) {
          return undefined;
        }
        const answer = caller.renumber(on, to);
        if (answer.errno === 0 && on !== to) {
          this.#open.splice(this.#open.indexOf(on), 1);
        }
        return answer;
      }
      case "read":
        return caller.read(
          on,
          operation.length,
          operation.at === undefined ? undefined : BigInt(operation.at),
        );
      case "write":
        return caller.write(
          on,
          operation.data,
          operation.at === undefined ? undefined : BigInt(operation.at),
        );
      case "seek":
        return caller.seek(on, BigInt(operation.offset), operation.whence);
      case "setSize":
        return caller.setSize(on, BigInt(operation.size));
      case "allocate":
        return caller.allocate(on, BigInt(operation.offset), BigInt(operation.size));
      case "setFlags":
        return caller.setFlags(on, operation.flags);
      case "sync":
        return caller.sync(on, operation.dataOnly);
      case "stat":
        return this.#stat(caller.stat(on));
      case "setTimes": {
        const { atim, mtim, flags } = operation;
        const answer = caller.setTimes(on, atim, mtim, flags);
        return answer.errno === 0 ? times(caller.stat(on), flags) : answer;
      }
      case "pathStat":
        return this.#stat(caller.pathStat(on, operation.path, operation.follow));
      case "pathSetTimes": {
        const { path, follow, atim, mtim, flags } = operation;
        const answer = caller.pathSetTimes(on, path, follow, atim, mtim, flags);
        return answer.errno === 0 ? times(caller.pathStat(on, path, follow), flags) : answer;
      }
      case "mkdir":
        return caller.mkdir(on, operation.path);
      case "rmdir":
        return caller.rmdir(on, operation.path);
      case "unlink":
        return caller.unlink(on, operation.path);
      case "readlink":
        return caller.readlink(on, operation.path);
      case "rename":
        return caller.rename(on, operation.path, this.#fd(operation.to), operation.newPath);
      case "link":
        return caller.link(on, operation.follow, operation.path, this.#fd(operation.to), operation.newPath);
      case "symlink":
        return caller.symlink(operation.target, on, operation.path);
      case "readdir":
        return this.#readdir(on, operation.size);
    }
  }

  #stat({ errno, value }: Answer<Stat>): Outcome {
    return value === undefined ? { errno } : { errno, value: comparable(value) };
  }

  #readdir(on: number, size: number): Outcome {
    const { errno, value } = this.caller.readdir(on, size);
    if (value === undefined) {
      return { errno };
    }
    for (const entry of value) {
      const stat = this.caller.pathStat(on, entry.name, false).value;
      if (stat?.ino !== entry.ino || stat.filetype !== entry.filetype) {
        throw new Error(`${this.name}: readdir and stat differ about ${entry.name}`);
      }
    }
    return { errno, value: value.map(({ name, filetype }) => `${name} ${filetype}`).sort() };
  }

  tree(): Record<string, string> {
    const found: Record<string, string> = Object.create(null);
    const names = new Map<bigint, string>();
    const visit = (directory: number, prefix: string): void => {
      const listed = this.caller.readdir(directory).value ?? [];
      for (const { name, ino, filetype } of listed.sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const path = prefix + name;
        if (filetype === 3) {
          found[path] = "directory";
          const opened = this.caller.open(directory, name, {
            follow: false,
            oflags: 2,
            rights: READING_RIGHTS,
          });
          visit(opened.value as number, `${path}/`);
          this.caller.close(opened.value as number);
        } else if (filetype === 7) {
          found[path] = `link to ${this.caller.readlink(directory, name).value}`;
        } else {
          const first = names.get(ino) ?? path;
          names.set(ino, first);
          const opened = this.caller.open(directory, name, { follow: false, rights: READING_RIGHTS })
            .value as number;
          const size = this.caller.stat(opened).value?.size;
          found[path] = `${size} ${hash(this.caller, opened)} ${first}`;
          this.caller.close(opened);
        }
      }
    };
    visit(3, "");
    return found;
  }

  dispose(): void {
    this.caller.wasi.close();
    this.#dispose();
  }
}

function times({ errno, value }: Answer<Stat>, flags: number): Outcome {
  if (value === undefined) {
    return { errno };
  }
  return {
    errno,
    value: [(flags & FSTFLAGS_ATIM) !== 0 && value.atim, (flags & FSTFLAGS_MTIM) !== 0 && value.mtim],
  };
}

function hash(caller: WasiCaller, fd: number): number {
  let sum = 7;
  for (let at = 0n; ; ) {
    const { value = "" } = caller.read(fd, 30_000, at);
    if (value === "") {
      return sum;
    }
    sum = mix(sum, value);
    at += BigInt(value.length);
  }
}

export function mix(sum: number, text: string): number {
  let mixed = sum;
  for (let index = 0; index < text.length; index++) {
    mixed = (Math.imul(mixed, 31) + text.charCodeAt(index)) | 0;
  }
  return mixed;
}
