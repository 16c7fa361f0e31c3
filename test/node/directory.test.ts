import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { VirtualFileSystem } from "wasmex";
import { openDirectory, openShared, type SharedDirectory } from "../../platform/node/directory.js";
import { DirectoryBackend } from "../../platform/node/directory-backend.js";
import { HandleGround } from "../../platform/node/directory-ground.js";
import { toSeconds } from "../../platform/node/directory-times.js";
import {
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  FILETYPE_SYMBOLIC_LINK,
  FILETYPE_UNKNOWN,
  Filestat,
  type Node,
} from "../../src/vfs/contract.js";
import {
  ERRNO_ACCES,
  ERRNO_EXIST,
  ERRNO_ISDIR,
  ERRNO_LOOP,
  ERRNO_MFILE,
  ERRNO_NOENT,
  ERRNO_NOTDIR,
  ERRNO_NOTEMPTY,
  ERRNO_PERM,
  ERRNO_STALE,
} from "../../src/vfs/errno.js";
import { backendContract } from "../vfs/contract-suite.js";

for (const handles of HandleGround.works() ? [true, false] : [false]) {
  const made: string[] = [];
  backendContract(`a host directory by ${handles ? "handles" : "paths"}`, () => {
    made.push(realpathSync(mkdtempSync(join(tmpdir(), "wasmex-contract-"))));
    return new DirectoryBackend(made[made.length - 1] as string, handles);
  });
  afterAll(() => {
    for (const path of made) {
      rmSync(path, { recursive: true, force: true });
    }
  });
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (from: Uint8Array) => new TextDecoder().decode(from);

let directory = "";
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "wasmex-directory-")));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Says names as strings and runs each call as an operation of its own. */
class Caller {
  readonly backend: DirectoryBackend;
  readonly root: Node;
  constructor(backend: DirectoryBackend) {
    this.backend = backend;
    this.root = backend.openRoot();
  }
  operation<T>(run: () => T): T {
    this.backend.begin();
    try {
      return run();
    } finally {
      this.backend.end();
    }
  }
  lookup(name: string | Uint8Array, at = this.root): number {
    const encoded = typeof name === "string" ? bytes(name) : name;
    return this.backend.lookup(at, encoded, 0, encoded.length);
  }
  named(call: "create" | "mkdir" | "unlink" | "rmdir", name: string | Uint8Array, at = this.root): number {
    const encoded = typeof name === "string" ? bytes(name) : name;
    return this.operation(() => Math.min(0, this.backend[call](at, encoded, 0, encoded.length)));
  }
  /** Finds, retains and opens. */
  open(name: string, read = true, write = true): Node {
    return this.operation(() => {
      const node = this.lookup(name);
      if (node < 0) {
        return node;
      }
      const opened = this.backend.openFile(node, read, write);
      if (opened < 0) {
        return opened;
      }
      this.backend.retain(node);
      return node;
    });
  }
  close(node: Node): void {
    this.operation(() => {
      this.backend.closeFile(node);
      this.backend.release(node);
    });
  }
  stat(name: string): Filestat {
    const into = new Filestat();
    expect(this.operation(() => this.backend.stat(this.lookup(name), into))).toBe(0);
    return into;
  }
  read(node: Node, length = 100): string {
    const into = new Uint8Array(length);
    const count = this.backend.read(node, 0, into, 0, length);
    return count < 0 ? String(count) : text(into.subarray(0, count));
  }
  list(at = this.root): string[] {
    const names: string[] = [];
    this.operation(() =>
      this.backend.readdir(at, 0, (name, start, end) => {
        names.push(text(name.subarray(start, end)));
        return true;
      }),
    );
    return names;
  }
}

it("HandleGround.works on Linux", () => {
  expect(HandleGround.works()).toBe(process.platform === "linux" && existsSync("/proc/self/fd"));
});

describe("openDirectory", () => {
  it("refuses what is missing or no directory, naming the path and what to do", () => {
    expect(() => openDirectory(join(directory, "none"))).toThrow(
      `There is no directory "${join(directory, "none")}" on this host: create it first, or name one that exists.`,
    );
    writeFileSync(join(directory, "file"), "");
    expect(() => openDirectory(join(directory, "file"))).toThrow(/file" is no directory: name the directory/);
    expect(() => openDirectory(join(directory, "file", "x"))).toThrow(/There is no directory/);
  });

  it("VirtualFileSystem.fromDirectory takes a file: URL, and names what is neither that nor a path", () => {
    mkdirSync(join(directory, "with space"));
    writeFileSync(join(directory, "with space", "mine"), "");
    const url = new URL("with%20space/", pathToFileURL(`${directory}/`));
    expect(VirtualFileSystem.fromDirectory(url).readdir("/")).toEqual(["mine"]);
    for (const [given, shown] of [
      [undefined, "undefined"],
      ["", '""'],
      [7, "7"],
      [new URL("https://example.org/"), "https://example.org/"],
    ]) {
      expect(() => VirtualFileSystem.fromDirectory(given as string)).toThrow(
        `fromDirectory: pass the path of a directory as \`path\`, or its file: URL, not ${shown}`,
      );
    }
    expect(() => VirtualFileSystem.fromDirectory(new URL("none/", url))).toThrow(
      /^There is no directory "file:/,
    );
  });

  it("follows links on the host's own path once", () => {
    mkdirSync(join(directory, "a"));
    symlinkSync("a", join(directory, "link"));
    const backend = openDirectory(join(directory, "link"));
    rmSync(join(directory, "link"));
    symlinkSync("/", join(directory, "link"));
    writeFileSync(join(directory, "a", "mine"), "");
    expect(new Caller(backend as DirectoryBackend).list()).toEqual(["mine"]);
  });

  it("shares itself with another thread, which refuses a directory put in its place", () => {
    mkdirSync(join(directory, "a"));
    const shared = structuredClone(openDirectory(join(directory, "a")).share?.()) as SharedDirectory;
    expect(shared).toMatchObject({ kind: "node-directory", path: join(directory, "a") });
    expect(new Caller(openShared(shared) as DirectoryBackend).list()).toEqual([]);
    renameSync(join(directory, "a"), join(directory, "b"));
    mkdirSync(join(directory, "a"));
    expect(() => openShared(shared)).toThrow(/was replaced by another/);
  });
});

const grounds = HandleGround.works() ? [true, false] : [false];
describe.each(grounds.map((handles) => [handles ? "handles" : "paths", handles] as const))(
  "DirectoryBackend by %s",
  (_name, handles) => {
    let caller: Caller;
    beforeEach(() => {
      caller = new Caller(new DirectoryBackend(directory, handles));
    });

    it("keeps no descriptor of what isn't retained", () => {
      mkdirSync(join(directory, "a/b"), { recursive: true });
      writeFileSync(join(directory, "a/b/c"), "x");
      const into = new Filestat();
      caller.operation(() => {
        const c = caller.lookup("c", caller.lookup("b", caller.lookup("a")));
        expect(caller.backend.openFile(c, true, false)).toBe(0);
        expect(caller.read(c)).toBe("x");
        expect(caller.backend.stat(c, into)).toBe(0);
      });
      expect(into.size).toBe(1);
      // The root itself, which is kept for the next operation.
      expect(caller.backend.descriptorCount).toBeLessThanOrEqual(1);
    });

    it("reads and writes a file after it was unlinked", () => {
      writeFileSync(join(directory, "f"), "before");
      const node = caller.open("f");
      expect(caller.named("unlink", "f")).toBe(0);
      expect(caller.named("create", "f")).toBe(0);
      expect(caller.backend.write(node, 2, bytes("!!"), 0, 2)).toBe(2);
      expect(caller.read(node)).toBe("be!!re");
      const into = new Filestat();
      expect(caller.backend.stat(node, into)).toBe(0);
      expect([into.size, into.longs[3]]).toEqual([6, 0n]);
      caller.close(node);
      expect(readFileSync(join(directory, "f"), "utf8")).toBe("");
      expect(caller.backend.descriptorCount).toBeLessThanOrEqual(1);
    });

    it("tells of a directory that it has removed while it was held", () => {
      mkdirSync(join(directory, "d"));
      const into = new Filestat();
      const node = caller.operation(() => {
        const found = caller.lookup("d");
        caller.backend.retain(found);
        return found;
      });
      expect(caller.named("rmdir", "d")).toBe(0);
      expect(caller.named("mkdir", "d")).toBe(0);
      writeFileSync(join(directory, "d/new"), "");
      expect(caller.backend.stat(node, into)).toBe(0);
      expect([into.filetype, into.longs[3]]).toEqual([FILETYPE_DIRECTORY, 0n]);
      expect(caller.backend.readdir(node, 0, () => expect.unreachable())).toBe(0);
      expect(caller.backend.setTimes(node, 1_000_000n, 2_000_000n)).toBe(0);
      expect(caller.backend.stat(node, into)).toBe(0);
      expect([into.longs[5], into.longs[6]]).toEqual([1_000_000n, 2_000_000n]);
      caller.close(node);
      expect(caller.backend.descriptorCount).toBeLessThanOrEqual(1);
    });

    it("appends wherever the end is by then, also to what it created", () => {
      const node = caller.operation(() => {
        const made = caller.backend.create(caller.root, bytes("f"), 0, 1);
        caller.backend.retain(made);
        return made;
      });
      expect(caller.backend.append(node, bytes("one "), 0, 4)).toBe(4);
      writeFileSync(join(directory, "f"), "other ", { flag: "a" });
      expect(caller.backend.append(node, bytes("two"), 0, 3)).toBe(3);
      expect(caller.backend.write(node, 0, bytes("O"), 0, 1)).toBe(1);
      expect(caller.read(node)).toBe("One other two");
      expect(caller.backend.size(node)).toBe(13);
      caller.close(node);
    });

    it("never waits for a FIFO, and opens nothing that is special", () => {
      execFileSync("mkfifo", [join(directory, "fifo")]);
      expect(caller.operation(() => caller.backend.filetype(caller.lookup("fifo")))).toBe(FILETYPE_UNKNOWN);
      expect(caller.open("fifo", true, false)).toBe(-ERRNO_ACCES);
      expect(caller.open("fifo", false, true)).toBe(-ERRNO_ACCES);
      expect(caller.operation(() => caller.backend.truncate(caller.lookup("fifo"), 0))).toBeLessThan(0);
      expect(caller.stat("fifo").filetype).toBe(FILETYPE_UNKNOWN);
      expect(caller.named("unlink", "fifo")).toBe(0);
    });

    it("refuses a file that turned into a FIFO after it was found", () => {
      writeFileSync(join(directory, "f"), "x");
      caller.operation(() => {
        const node = caller.lookup("f");
        rmSync(join(directory, "f"));
        execFileSync("mkfifo", [join(directory, "f")]);
        expect(caller.backend.openFile(node, true, false)).toBe(-ERRNO_ACCES);
      });
      expect(caller.backend.descriptorCount).toBeLessThanOrEqual(1);
    });

    it("refuses a directory and a file that turned into a link after they were found", () => {
      const outside = join(directory, "outside");
      const inside = join(directory, "inside");
      mkdirSync(outside);
      mkdirSync(join(inside, "d"), { recursive: true });
      writeFileSync(join(inside, "f"), "in");
      writeFileSync(join(outside, "f"), "out");
      const guest = new Caller(new DirectoryBackend(inside, handles));
      guest.operation(() => {
        const d = guest.lookup("d");
        const f = guest.lookup("f");
        rmSync(join(inside, "d"), { recursive: true });
        symlinkSync(outside, join(inside, "d"));
        rmSync(join(inside, "f"));
        symlinkSync(join(outside, "f"), join(inside, "f"));
        expect(guest.lookup("f", d)).toBe(-ERRNO_NOTDIR);
        expect(guest.backend.create(d, bytes("new"), 0, 3)).toBe(-ERRNO_NOTDIR);
        expect(guest.backend.openFile(f, true, true)).toBe(-ERRNO_LOOP);
        expect(guest.backend.truncate(f, 0)).toBe(-ERRNO_LOOP);
        expect(guest.backend.setTimes(f, 1n, 1n)).toBe(0);
      });
      expect(statSync(join(outside, "f")).mtimeMs).toBeGreaterThan(1e12);
      expect(readdirSync(outside)).toEqual(["f"]);
      expect(readFileSync(join(outside, "f"), "utf8")).toBe("out");
    });

    it("answers nanoseconds as they were set, until the host changes the file", () => {
      const node = caller.operation(() => {
        const made = caller.backend.create(caller.root, bytes("f"), 0, 1);
        caller.backend.retain(made);
        return made;
      });
      const into = new Filestat();
      expect(caller.backend.setTimes(node, 1_700_000_000_123_456_789n, 100n)).toBe(0);
      expect(caller.backend.stat(node, into)).toBe(0);
      expect([into.longs[5], into.longs[6]]).toEqual([1_700_000_000_123_456_789n, 100n]);
      expect(caller.backend.setTimes(node, undefined, 1_700_000_000_000_000_001n)).toBe(0);
      expect(caller.backend.stat(node, into)).toBe(0);
      expect([into.longs[5], into.longs[6]]).toEqual([
        1_700_000_000_123_456_789n,
        1_700_000_000_000_000_001n,
      ]);
      expect(caller.backend.write(node, 0, bytes("x"), 0, 1)).toBe(1);
      expect(caller.backend.stat(node, into)).toBe(0);
      expect(into.longs[6]).toBe(statSync(join(directory, "f"), { bigint: true }).mtimeNs);
      caller.close(node);
    });

    it("sets the times of a link itself", () => {
      writeFileSync(join(directory, "f"), "");
      symlinkSync("f", join(directory, "l"));
      expect(caller.operation(() => caller.backend.setTimes(caller.lookup("l"), 1n, 5_000_000_000n))).toBe(0);
      expect(lstatSync(join(directory, "l")).mtimeMs).toBe(5000);
      expect(statSync(join(directory, "f")).mtimeMs).toBeGreaterThan(1e12);
    });

    it("keeps cookies when entries come and go, and when the listing begins anew", () => {
      for (let index = 0; index < 20; index++) {
        writeFileSync(join(directory, `f${index}`), "");
      }
      const seen: string[] = [];
      let cookie = 0;
      const page = (count: number) =>
        caller.operation(() =>
          caller.backend.readdir(caller.root, cookie, (name, start, end, ino, filetype, next) => {
            if (count-- === 0) {
              return false;
            }
            expect(filetype).toBe(FILETYPE_REGULAR_FILE);
            const path = join(directory, text(name.subarray(start, end)));
            expect(ino).toBe(lstatSync(path, { bigint: true }).ino);
            seen.push(text(name.subarray(start, end)));
            cookie = next;
            return true;
          }),
        );
      page(10);
      const rest = readdirSync(directory).filter((name) => !seen.includes(name));
      rmSync(join(directory, seen[3] as string));
      rmSync(join(directory, rest[0] as string));
      writeFileSync(join(directory, "added"), "");
      caller.list();
      page(100);
      expect(seen.filter((name) => name !== "added").sort()).toEqual(
        [...new Set([...seen.filter((name) => name !== "added"), ...rest.slice(1)])].sort(),
      );
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).not.toContain(rest[0]);
    });

    it.runIf(process.platform === "linux")("keeps names that aren't UTF-8 as they are", () => {
      const name = Uint8Array.of(0x66, 0xff, 0xfe, 0x80);
      expect(caller.named("create", name)).toBe(0);
      expect(readdirSync(directory, { encoding: "buffer" })).toEqual([Buffer.from(name)]);
      const seen: Uint8Array[] = [];
      caller.operation(() => caller.backend.readdir(caller.root, 0, (from) => seen.push(from.slice()) > 0));
      expect(seen).toEqual([name]);
      const target = Uint8Array.of(0xff, 0x2f, 0xfe);
      caller.operation(() => {
        const link = caller.backend.symlink(caller.root, bytes("l"), 0, 1, target);
        expect(Uint8Array.from(caller.backend.readlink(link) as Uint8Array)).toEqual(target);
      });
      expect(caller.named("unlink", name)).toBe(0);
    });

    it("answers the errno of the host", () => {
      mkdirSync(join(directory, "d/e"), { recursive: true });
      writeFileSync(join(directory, "f"), "");
      symlinkSync("nowhere", join(directory, "l"));
      expect(caller.lookup("none")).toBe(-ERRNO_NOENT);
      caller.operation(() => {
        expect(caller.lookup("x", caller.lookup("f"))).toBe(-ERRNO_NOTDIR);
        expect(caller.backend.filetype(caller.lookup("l"))).toBe(FILETYPE_SYMBOLIC_LINK);
        expect(caller.backend.filetype(caller.lookup("d"))).toBe(FILETYPE_DIRECTORY);
        expect(caller.backend.link(caller.lookup("d"), caller.root, bytes("k"), 0, 1)).toBe(-ERRNO_PERM);
        expect(caller.backend.link(caller.lookup("f"), caller.root, bytes("l"), 0, 1)).toBe(-ERRNO_EXIST);
        expect(caller.backend.link(caller.lookup("l"), caller.root, bytes("k"), 0, 1)).toBe(0);
      });
      expect(lstatSync(join(directory, "k")).isSymbolicLink()).toBe(true);
      expect(caller.named("create", "f")).toBe(-ERRNO_EXIST);
      expect(caller.named("create", "l")).toBe(-ERRNO_EXIST);
      expect(caller.named("mkdir", "l")).toBe(-ERRNO_EXIST);
      expect(caller.named("unlink", "d")).toBe(-ERRNO_ISDIR);
      expect(caller.named("rmdir", "f")).toBe(-ERRNO_NOTDIR);
      expect(caller.named("rmdir", "l")).toBe(-ERRNO_NOTDIR);
      expect(caller.named("rmdir", "d")).toBe(-ERRNO_NOTEMPTY);
      expect(caller.open("d", false, true)).toBe(-ERRNO_ISDIR);
      expect(existsSync(join(directory, "nowhere"))).toBe(false);
    });

    it("renames a directory that is open, and goes on in it", () => {
      mkdirSync(join(directory, "d"));
      const d = caller.open("d", true, false);
      const renamed = caller.operation(() =>
        caller.backend.rename(caller.root, bytes("d"), 0, 1, caller.root, bytes("xe"), 1, 2),
      );
      expect(renamed).toBe(0);
      expect(caller.named("create", "f", d)).toBe(0);
      expect(readdirSync(join(directory, "e"))).toEqual(["f"]);
      expect(caller.list(d)).toEqual(["f"]);
      caller.close(d);
    });

    it("reads into and writes from shared memory", () => {
      const shared = new Uint8Array(new SharedArrayBuffer(64));
      shared.set(bytes("hello"), 8);
      const node = caller.operation(() => {
        const made = caller.backend.create(caller.root, bytes("f"), 0, 1);
        caller.backend.retain(made);
        return made;
      });
      expect(caller.backend.write(node, 3, shared, 8, 5)).toBe(5);
      expect(caller.backend.read(node, 0, shared, 20, 40)).toBe(8);
      expect(text(shared.slice(20, 28))).toBe("\0\0\0hello");
      expect(caller.backend.truncate(node, 1)).toBe(0);
      expect(caller.backend.sync(node, false)).toBe(0);
      expect(caller.backend.sync(caller.root, true)).toBe(0);
      expect(caller.backend.size(node)).toBe(1);
      caller.close(node);
    });

    it("refuses a root that was replaced", () => {
      mkdirSync(join(directory, "r"));
      const guest = new Caller(new DirectoryBackend(join(directory, "r"), handles));
      renameSync(join(directory, "r"), join(directory, "old"));
      symlinkSync("/", join(directory, "r"));
      expect(guest.operation(() => guest.lookup("etc"))).toBe(-ERRNO_NOTDIR);
      rmSync(join(directory, "r"));
      mkdirSync(join(directory, "r"));
      expect(guest.operation(() => guest.lookup("etc"))).toBe(-ERRNO_STALE);
    });
  },
);

const prlimit = process.platform === "linux" && existsSync("/usr/bin/prlimit");
it.runIf(prlimit)(
  "DirectoryBackend answers MFILE when the host is out of descriptors, and leaks none",
  () => {
    mkdirSync(join(directory, "a/b"), { recursive: true });
    writeFileSync(join(directory, "a/b/c"), "x");
    const caller = new Caller(new DirectoryBackend(directory, true));
    const walk = () =>
      caller.operation(() => {
        const b = caller.lookup("b", caller.lookup("a"));
        const c = b < 0 ? b : caller.lookup("c", b);
        const opened = c < 0 ? c : caller.backend.openFile(c, true, false);
        return Math.min(opened, 0);
      });
    expect(walk()).toBe(0);
    const limits = (...more: string[]) =>
      execFileSync("prlimit", ["--pid", String(process.pid), ...more], { encoding: "utf8" });
    const [soft, hard] = limits("--nofile", "--output", "SOFT,HARD", "--noheadings").trim().split(/\s+/);
    const taken: number[] = [];
    const answers = new Set<number>();
    // The process that sets the limit needs descriptors itself: all of them but these are taken.
    limits(`--nofile=300:${hard}`);
    try {
      for (;;) {
        taken.push(openSync("/dev/null", "r"));
      }
    } catch {
      for (let free = 0; free <= 4; free++) {
        answers.add(walk());
        closeSync(taken.pop() as number);
      }
    } finally {
      for (const descriptor of taken) {
        closeSync(descriptor);
      }
      limits(`--nofile=${soft}:${hard}`);
    }
    expect([...answers]).toEqual([-ERRNO_MFILE, 0]);
    expect(caller.backend.descriptorCount).toBe(1);
  },
);

it.runIf(existsSync("/proc/self/fd"))(
  "DirectoryBackend leaves few descriptors open however many are made",
  () => {
    mkdirSync(join(directory, "a"));
    const before = readdirSync("/proc/self/fd").length;
    const kept: Caller[] = [];
    for (let index = 0; index < 200; index++) {
      const caller = new Caller(new DirectoryBackend(directory, true));
      expect(caller.operation(() => Math.min(caller.lookup("a"), 1))).toBe(1);
      kept.push(caller);
    }
    expect(readdirSync("/proc/self/fd").length - before).toBeLessThanOrEqual(33);
    for (const caller of kept) {
      expect(caller.list()).toEqual(["a"]);
    }
  },
);

it("toSeconds never falls below what was asked", () => {
  for (const time of [0n, 1n, 100n, 999_999_999n, 1_700_000_000_123_456_000n, 4_102_444_800_000_000_001n]) {
    const seconds = toSeconds(time);
    const whole = Number(time / 1_000_000_000n);
    expect((seconds - whole) * 1e9).toBeGreaterThanOrEqual(Number(time % 1_000_000_000n));
    expect((seconds - whole) * 1e9 - Number(time % 1_000_000_000n)).toBeLessThan(600);
  }
});
