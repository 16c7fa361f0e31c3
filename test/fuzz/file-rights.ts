import * as fc from "fast-check";
import type { PreopenFlag } from "../../src/vfs/access.js";
import type { VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import { type Operation, type Outcome, operations, WasiSubject } from "./file-operations.js";
import { WasiCaller } from "./wasi-caller.js";

interface Found {
  readonly inode: bigint;
  readonly kind: string;
  readonly modified: bigint;
  readonly links: number;
  readonly content: string | undefined;
}

export function plantForRights(fs: VirtualFileSystem): void {
  fs.mkdir("/a/c", { recursive: true });
  fs.writeFile("/a/b", "content of a/b");
  fs.writeFile("/é", "content of é");
  fs.symlink("a/b", "/c");
  fs.symlink("..", "/a/é");
}

function survey(fs: VirtualFileSystem): Map<string, Found> {
  const found = new Map<string, Found>();
  const visit = (directory: string): void => {
    for (const name of fs.readdir(directory === "" ? "/" : directory)) {
      const path = `${directory}/${name}`;
      const { kind, inode, modified, links } = fs.stat(path, { followSymlinks: false });
      const content =
        kind === "file" ? fs.readFile(path, "utf8") : kind === "symlink" ? fs.readlink(path) : undefined;
      found.set(path, { kind, inode, modified, links, content });
      if (kind === "directory") {
        visit(path);
      }
    }
  };
  visit("");
  return found;
}

/** What a guest is given, and what it does with it. */
export interface RightsCase {
  readonly flags: readonly PreopenFlag[];
  readonly run: readonly Operation[];
}

export const rightsCases: fc.Arbitrary<RightsCase> = fc.record({
  flags: fc.subarray<PreopenFlag>(["read", "write", "create"], { minLength: 1 }),
  run: operations,
});

/**
 * Whatever a guest tries: without `"read"` it sees no content, no listing and no link's target; without `"write"` all that was there
 * stays as it was; without `"create"` nothing is added. The file systems agree in every answer.
 */
export function rightsHold(
  { flags, run }: RightsCase,
  make: () => { fs: VirtualFileSystem; name: string }[],
): void {
  const made = make().map(({ fs, name }) => {
    plantForRights(fs);
    const before = survey(fs);
    const subject = new WasiSubject(name, new WasiCaller({ fs, preopen: { "/": { flags } } }));
    return { fs, name, before, subject };
  });
  try {
    for (const operation of run) {
      const outcomes = made.map(({ subject }) => subject.run(operation));
      const [first] = outcomes;
      for (const [index, outcome] of outcomes.entries()) {
        const where = `${flags} ${made[index]?.name} ${show(operation)}: ${show(outcome)}`;
        if (show(outcome) !== show(first)) {
          throw new Error(`${where}, elsewhere ${show(first)}`);
        }
        if (!flags.includes("read") && reveals(operation, outcome)) {
          throw new Error(`seen without "read": ${where}`);
        }
      }
    }
    for (const { fs, name, before } of made) {
      checkTree(flags, name, before, survey(fs));
    }
  } finally {
    for (const { subject } of made) {
      subject.dispose();
    }
  }
}

function reveals(operation: Operation, outcome: Outcome): boolean {
  if (outcome?.errno !== 0) {
    return false;
  }
  return (
    operation.call === "readdir" ||
    operation.call === "readlink" ||
    (operation.call === "read" && outcome.value !== "")
  );
}

function checkTree(
  flags: readonly PreopenFlag[],
  name: string,
  before: Map<string, Found>,
  after: Map<string, Found>,
): void {
  if (!flags.includes("write")) {
    for (const [path, was] of before) {
      const now = after.get(path);
      // Names that are added show in a directory's time, and links in a file's count.
      const same = now?.inode === was.inode && now.content === was.content;
      if (!same || (was.kind !== "directory" && now?.modified !== was.modified)) {
        throw new Error(`changed without "write": ${name} ${path}`);
      }
    }
  }
  if (!flags.includes("create")) {
    const inodes = new Set([...before.values()].map(({ inode }) => inode));
    for (const [path, now] of after) {
      if (!inodes.has(now.inode)) {
        throw new Error(`added without "create": ${name} ${path}`);
      }
    }
    if (after.size > before.size) {
      throw new Error(`linked without "create": ${name}`);
    }
  }
}

function show(value: unknown): string {
  return (
    JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? `${item}n` : item)) ?? "none"
  );
}
