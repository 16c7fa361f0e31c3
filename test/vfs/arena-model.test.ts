import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CLASS, DATA, MIN_DIRECTORY_CLASS } from "../../src/vfs/arena-layout.js";
import {
  ERRNO_EXIST,
  ERRNO_INVAL,
  ERRNO_ISDIR,
  ERRNO_NOENT,
  ERRNO_NOSPC,
  ERRNO_NOTDIR,
  ERRNO_NOTEMPTY,
  ERRNO_PERM,
} from "../../src/vfs/errno.js";
import { MemoryBackend } from "../../src/vfs/memory-backend.js";
import { MountTable } from "../../src/vfs/mounts.js";
import { packTree } from "../../src/vfs/snapshot.js";
import { sharedMemory } from "../support/thread.js";
import { checkArena } from "./arena-check.js";
import { random } from "./arena-operations.js";
import { Driver, sameBytes } from "./contract-suite.js";
import "wasmex";

/** A file system as plain as can be. */
class Model {
  content: Uint8Array = new Uint8Array(0);
  target = "";
  links = 0;
  readonly children = new Map<string, Model>();
  readonly kind: "file" | "directory" | "symlink";

  constructor(kind: "file" | "directory" | "symlink") {
    this.kind = kind;
  }

  resize(size: number): void {
    const content = new Uint8Array(size);
    content.set(this.content.subarray(0, size));
    this.content = content;
  }

  has(node: Model): boolean {
    return node === this || [...this.children.values()].some((child) => child.has(node));
  }
}

type Operation = (driver: Driver, node: (path: readonly string[]) => number, model: Model) => void;

/** Gives an operation the text that a counterexample shows. */
const named = (text: string, operation: Operation): Operation =>
  Object.assign(operation, { [fc.toStringMethod]: () => text });

const find = (root: Model, path: readonly string[]): Model | undefined =>
  path.reduce<Model | undefined>((at, name) => at?.children.get(name), root);

const name = fc.constantFrom("a", "b", "d", "f", "g", "long".repeat(20), "__proto__");
const path = fc.oneof(
  { weight: 3, arbitrary: fc.constant<string[]>([]) },
  { weight: 3, arbitrary: name.map((first) => [first]) },
  { weight: 1, arbitrary: fc.tuple(name, name).map(([first, second]) => [first, second]) },
);
/** Mostly a file: the others refuse what is done to files. */
const file = fc.constantFrom(["f"], ["f"], ["g"], ["a"], ["d", "f"]);
const size = fc.oneof(fc.nat(200), fc.constantFrom(63, 64, 65, 65_535, 65_536, 65_537), fc.nat(400_000));
const pattern = (length: number, seed: number) =>
  new Uint8Array(length).map((_, index) => index * 7 + seed + (index >> 8));

/** Both or neither: answers the model's directory, once both agree that there is one. */
function both(root: Model, node: number, at: readonly string[]): Model | undefined {
  const model = find(root, at);
  expect(node > 0).toBe(model !== undefined);
  return model;
}

const make = (
  kind: "file" | "directory" | "symlink",
  directory: readonly string[],
  entry: string,
): Operation => {
  return (driver, node, root) => {
    const at = node(directory);
    const model = both(root, at, directory);
    if (model === undefined) return;
    const result =
      kind === "file"
        ? driver.create(at, entry)
        : kind === "directory"
          ? driver.mkdir(at, entry)
          : driver.symlink(at, entry, "some/where");
    if (model.kind !== "directory") {
      expect(result).toBe(-ERRNO_NOTDIR);
    } else if (model.children.has(entry)) {
      expect(result).toBe(-ERRNO_EXIST);
    } else {
      expect(result).toBeGreaterThan(0);
      driver.release(result);
      const made = new Model(kind);
      made.links = 1;
      made.target = "some/where";
      model.children.set(entry, made);
    }
  };
};

const remove = (folder: boolean, directory: readonly string[], entry: string): Operation => {
  return (driver, node, root) => {
    const at = node(directory);
    const model = both(root, at, directory);
    if (model === undefined) return;
    const result = folder ? driver.rmdir(at, entry) : driver.unlink(at, entry);
    const child = model.children.get(entry);
    if (model.kind !== "directory") expect(result).toBe(-ERRNO_NOTDIR);
    else if (child === undefined) expect(result).toBe(-ERRNO_NOENT);
    else if (folder && child.kind !== "directory") expect(result).toBe(-ERRNO_NOTDIR);
    else if (!folder && child.kind === "directory") expect(result).toBe(-ERRNO_ISDIR);
    else if (child.children.size > 0) expect(result).toBe(-ERRNO_NOTEMPTY);
    else {
      expect(result).toBe(0);
      child.links--;
      model.children.delete(entry);
    }
  };
};

const rename = (from: readonly string[], a: string, to: readonly string[], b: string): Operation => {
  return (driver, node, root) => {
    const [source, target] = [node(from), node(to)];
    const [left, right] = [both(root, source, from), both(root, target, to)];
    if (left === undefined || right === undefined) return;
    const result = driver.rename(source, a, target, b);
    const [moved, over] = [left.children.get(a), right.children.get(b)];
    if (left.kind !== "directory" || right.kind !== "directory") expect(result).toBe(-ERRNO_NOTDIR);
    else if (moved === undefined) expect(result).toBe(-ERRNO_NOENT);
    else if (moved === over) expect(result).toBe(0);
    else if (moved.kind === "directory" && moved.has(right)) expect(result).toBe(-ERRNO_INVAL);
    else if (over !== undefined && moved.kind === "directory" && over.kind !== "directory")
      expect(result).toBe(-ERRNO_NOTDIR);
    else if (over?.kind === "directory" && moved.kind !== "directory")
      expect(result).toBe(over.has(left) ? -ERRNO_NOTEMPTY : -ERRNO_ISDIR);
    else if (over !== undefined && over.children.size > 0) expect(result).toBe(-ERRNO_NOTEMPTY);
    else {
      expect(result).toBe(0);
      if (over !== undefined) over.links--;
      left.children.delete(a);
      right.children.set(b, moved);
    }
  };
};

const link = (file: readonly string[], directory: readonly string[], entry: string): Operation => {
  return (driver, node, root) => {
    const [from, to] = [node(file), node(directory)];
    const [child, model] = [both(root, from, file), both(root, to, directory)];
    if (child === undefined || model === undefined) return;
    const result = driver.link(from, to, entry);
    if (child.kind === "directory") expect(result).toBe(-ERRNO_PERM);
    else if (model.kind !== "directory") expect(result).toBe(-ERRNO_NOTDIR);
    else if (model.children.has(entry)) expect(result).toBe(-ERRNO_EXIST);
    else {
      expect(result).toBe(0);
      child.links++;
      model.children.set(entry, child);
    }
  };
};

const onFile = (
  path: readonly string[],
  change: (driver: Driver, at: number, model: Model) => void,
): Operation => {
  return (driver, node, root) => {
    const at = node(path);
    const model = both(root, at, path);
    if (model?.kind === "file") change(driver, at, model);
  };
};

const write = (file: readonly string[], offset: number, length: number): Operation =>
  onFile(file, (driver, at, model) => {
    const data = pattern(length, offset);
    expect(driver.write(at, offset, data)).toBe(length);
    if (length > 0) {
      model.resize(Math.max(model.content.length, offset + length));
      model.content.set(data, offset);
    }
  });

const truncate = (file: readonly string[], length: number): Operation =>
  onFile(file, (driver, at, model) => {
    expect(driver.truncate(at, length)).toBe(0);
    model.resize(length);
  });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc
    .tuple(fc.constantFrom("file", "file", "directory", "directory", "symlink"), path, name)
    .map(([kind, at, entry]) => make(kind as "file", at, entry)),
  fc
    .tuple(fc.boolean(), path, name)
    .map(([folder, at, entry]) =>
      named(`${folder ? "rmdir" : "unlink"} ${at.join("/")} ${entry}`, remove(folder, at, entry)),
    ),
  fc
    .tuple(path, name, path, name)
    .map(([from, a, to, b]) =>
      named(`rename ${from.join("/")} ${a} ${to.join("/")} ${b}`, rename(from, a, to, b)),
    ),
  fc
    .tuple(file, path, name)
    .map(([from, at, entry]) =>
      named(`link ${from.join("/")} ${at.join("/")} ${entry}`, link(from, at, entry)),
    ),
  fc
    .tuple(file, size, size)
    .map(([at, offset, length]) =>
      named(`write ${at.join("/")} ${offset} ${length}`, write(at, offset, length)),
    ),
  fc
    .tuple(file, size)
    .map(([at, length]) => named(`truncate ${at.join("/")} ${length}`, truncate(at, length))),
  fc
    .tuple(file, size, size)
    .map(([at, offset, length]) =>
      named(`write ${at.join("/")} ${offset} ${length}`, write(at, offset, length)),
    ),
  fc
    .tuple(file, size)
    .map(([at, length]) => named(`truncate ${at.join("/")} ${length}`, truncate(at, length))),
);

function compare(driver: Driver, node: number, model: Model): void {
  const stat = driver.stat(node);
  if (model.kind === "directory") {
    const entries = driver.readdir(node);
    expect(entries.map((entry) => entry.name)).toEqual([...model.children.keys()]);
    const folders = [...model.children.values()].filter((child) => child.kind === "directory");
    expect(stat.nlink).toBe(BigInt(2 + folders.length));
    for (const [entry, child] of model.children) {
      const inner = driver.lookup(node, entry);
      compare(driver, inner, child);
      driver.release(inner);
    }
    return;
  }
  expect(stat.nlink).toBe(BigInt(model.links));
  if (model.kind === "symlink") {
    expect(driver.readlink(node)).toBe(model.target);
  } else {
    expect(stat.size).toBe(model.content.length);
    expect(sameBytes(driver.read(node, 0, stat.size + 1), model.content)).toBe(true);
  }
}

/** Resolves a path in the backend; what it finds is released by `done`. */
function resolver(driver: Driver): { node: (path: readonly string[]) => number; done: () => void } {
  const held: number[] = [];
  return {
    node: (names) => {
      let at = driver.root;
      for (const entry of names) {
        at = driver.lookup(at, entry);
        if (at < 0) return at;
        held.push(at);
      }
      return at;
    },
    done: () => {
      for (const node of held.splice(0)) driver.release(node);
    },
  };
}

const runs = Number(globalThis.process?.env?.["ARENA_RUNS"] ?? 40);

describe("MemoryBackend", () => {
  test("does what a plain model does, whatever the operations", { timeout: 20_000 + runs * 1000 }, () => {
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 40, maxLength: 200, size: "max" }),
        fc.boolean(),
        (operations, shared) => {
          const backend = new MemoryBackend();
          if (shared && sharedMemory) backend.share();
          const driver = new Driver(backend);
          const model = new Model("directory");
          const { node, done } = resolver(driver);
          for (const entry of ["f", "g"]) {
            make("file", [], entry)(driver, node, model);
          }
          for (const operate of operations) {
            operate(driver, node, model);
            done();
          }
          compare(driver, driver.root, model);
          checkArena(backend.memory);
        },
      ),
      { numRuns: runs },
    );
  });

  test("answers ENOSPC at its limit and is what it was before", { timeout: 20_000 + runs * 1000 }, () => {
    let all = 0;
    const step = fc.tuple(fc.nat(5), path, name, path, name, fc.nat(150_000));
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 20, maxLength: 60, size: "max" }),
        fc.oneof(fc.integer({ min: 600, max: 5000 }), fc.integer({ min: 5000, max: 200_000 })),
        (steps, limit) => {
          const backend = new MemoryBackend({ limit, clock: () => 1_000_000 });
          const driver = new Driver(backend);
          const place = new MountTable(backend).root;
          const { node, done } = resolver(driver);
          let refused = 0;
          for (const [kind, from, a, to, b, length] of steps) {
            const before = packTree(place);
            const [source, target] = [node(from), node(to)];
            let result = 0;
            if (source > 0 && target > 0) {
              if (kind === 0) result = driver.create(source, a);
              if (kind === 1) result = driver.mkdir(source, a);
              if (kind === 2) result = driver.symlink(source, a, "x".repeat(length >> 6));
              if (kind === 3) result = driver.rename(source, a, target, b);
              if (kind === 4) result = driver.link(source, target, b);
              if (kind === 5 && driver.filetype(source) === 4)
                result = driver.write(source, length >> 1, pattern(length, 1));
              if (kind < 3 && result > 0) driver.release(result);
            }
            if (result === -ERRNO_NOSPC) {
              refused++;
              expect(sameBytes(packTree(place), before)).toBe(true);
            }
            done();
            checkArena(backend.memory);
          }
          all += refused;
        },
      ),
      { numRuns: runs },
    );
    expect(all).toBeGreaterThan(0);
  });

  test("keeps a directory's names, order and cookies through thousands of changes", () => {
    const next = random(7);
    for (let round = 0; round < 10; round++) {
      const backend = new MemoryBackend();
      const driver = new Driver(backend);
      const model = new Set<string>();
      for (let step = 0; step < 3000; step++) {
        // Fewer and more names in turn, so that the table grows and shrinks.
        const entry = `${next(step % 1000 < 500 ? 400 : 30)}`.padStart(1 + next(3), "0");
        const growing = step % 1000 < 400 ? next(4) > 0 : next(4) === 0;
        if (growing) {
          const made = driver.create(driver.root, entry);
          expect(made > 0).toBe(!model.has(entry));
          if (made > 0) driver.release(made);
          model.add(entry);
        } else if (next(3) === 0) {
          const to = `to-${next(50)}`;
          const moved = driver.rename(driver.root, entry, driver.root, to);
          expect(moved === 0).toBe(model.delete(entry));
          if (moved === 0) model.add(to);
        } else {
          expect(driver.unlink(driver.root, entry) === 0).toBe(model.delete(entry));
        }
        if (step % 100 === 0) {
          checkArena(backend.memory);
          const names = driver.readdir(driver.root);
          expect(names.map((at) => at.name)).toEqual([...model]);
          const cookie = names[names.length >> 1]?.next ?? 0;
          const rest = driver.readdir(driver.root, cookie);
          expect(rest).toEqual(names.slice((names.length >> 1) + 1));
        }
      }
    }
  });

  test("takes long names from a directory without building it anew for each", () => {
    const backend = new MemoryBackend();
    const driver = new Driver(backend);
    const name = (index: number) => `${index}`.padStart(255, "n");
    const count = 1000;
    for (let index = 0; index < count; index++) driver.release(driver.create(driver.root, name(index)));
    const { memory } = backend;
    let block = memory.get(driver.root + DATA);
    let moves = 0;
    for (let index = 0; index < count; index++) {
      expect(driver.unlink(driver.root, name(index))).toBe(0);
      const now = memory.get(driver.root + DATA);
      if (now !== block) moves++;
      block = now;
    }
    expect(moves).toBeLessThan(20);
    expect(memory.get(driver.root + CLASS)).toBe(MIN_DIRECTORY_CLASS);
    checkArena(memory);
  });
});
