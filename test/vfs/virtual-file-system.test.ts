import { Directory, type Fd, File, OpenFile } from "@bjorn3/browser_wasi_shim";
import { describe, expect, test } from "vitest";
import "wasmex";
import { FileSystemError, WasmexError } from "../../src/errors.js";
import { USED } from "../../src/vfs/arena-layout.js";
import { MemoryBackend } from "../../src/vfs/memory-backend.js";
import { type Tree, VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import { checkArena } from "./arena-check.js";
import { sameBytes } from "./contract-suite.js";

const codeOf = (body: () => unknown): string => {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(FileSystemError);
    expect(error).toBeInstanceOf(WasmexError);
    const { code, message, path } = error as FileSystemError;
    expect(message).toContain(code);
    expect(message).toContain(JSON.stringify(path));
    return code;
  }
  return "";
};

const check = (fs: VirtualFileSystem) => checkArena((fs.mounts.root.backend as MemoryBackend).memory);

describe("VirtualFileSystem", () => {
  test("the constructor makes files, directories and what lies on the way", () => {
    const fs = new VirtualFileSystem({
      "/in.txt": "text",
      "/bin": { run: new Uint8Array([1, 2, 3]), "deep/er": "x", empty: {} },
      "a/b/c": new Uint16Array([1, 2]).buffer,
      "/view": new DataView(new Uint8Array([9, 8, 7]).buffer, 1),
    });
    expect(fs.readdir("/")).toEqual(["a", "bin", "in.txt", "view"]);
    expect(fs.readFile("/in.txt", "utf8")).toBe("text");
    expect(fs.readFile("/bin/run")).toEqual(new Uint8Array([1, 2, 3]));
    expect(fs.readFile("/bin/deep/er", "utf-8")).toBe("x");
    expect(fs.readdir("/bin")).toEqual(["deep", "empty", "run"]);
    expect(fs.readFile("a/b/c")).toEqual(new Uint8Array([1, 0, 2, 0]));
    expect(fs.readFile("/view")).toEqual(new Uint8Array([8, 7]));
    check(fs);
  });

  test("the constructor takes names that objects have by themselves", () => {
    const tree = Object.create(null) as Record<string, string>;
    for (const name of ["__proto__", "constructor"]) {
      tree[name] = name;
    }
    const fs = new VirtualFileSystem(tree);
    expect(fs.readdir("/")).toEqual(["__proto__", "constructor"]);
    expect(fs.exists("/hasOwnProperty")).toBe(false);
  });

  test("the constructor looks at each directory of a deep tree once for each that is in it", () => {
    const depth = 100;
    let tree: Tree = { file: "deep" };
    for (let level = 0; level < depth; level++) tree = { d: tree };
    let lookups = 0;
    const root = new (class extends MemoryBackend {
      override lookup(...place: Parameters<MemoryBackend["lookup"]>): number {
        lookups++;
        return super.lookup(...place);
      }
    })();
    const fs = new VirtualFileSystem(tree, { root });
    expect(lookups).toBeLessThan(2 * depth * depth);
    expect(fs.readFile(`${"/d".repeat(depth)}/file`, "utf8")).toBe("deep");
  });

  test("the constructor puts one tree into another under the same names", () => {
    const root = new MemoryBackend();
    new VirtualFileSystem({ a: { b: { one: "1" } } }, { root });
    const fs = new VirtualFileSystem({ a: { "b/": { two: "2" }, ".": {}, b: { three: "3" } } }, { root });
    expect(fs.readdir("/a/b")).toEqual(["one", "three", "two"]);
    expect(codeOf(() => new VirtualFileSystem({ a: { b: { one: {} } } }, { root }))).toBe("EEXIST");
  });

  test("readFile answers a copy", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const fs = new VirtualFileSystem({ "/a": bytes });
    bytes[0] = 9;
    const read = fs.readFile("/a");
    expect(read).toEqual(new Uint8Array([1, 2, 3]));
    read[0] = 8;
    expect(fs.readFile("/a")[0]).toBe(1);
    expect(read.buffer.byteLength).toBe(3);
  });

  test("writeFile replaces the content and makes the file, but no directory", () => {
    const fs = new VirtualFileSystem();
    fs.writeFile("/a", "long text");
    fs.writeFile("/a", "ü");
    expect(fs.readFile("/a", "utf8")).toBe("ü");
    expect(codeOf(() => fs.writeFile("/no/a", "x"))).toBe("ENOENT");
    expect(codeOf(() => fs.writeFile("/a/b", "x"))).toBe("ENOTDIR");
    fs.mkdir("/d");
    expect(codeOf(() => fs.writeFile("/d", "x"))).toBe("EISDIR");
    expect(codeOf(() => fs.writeFile("/new/", "x"))).toBe("EISDIR");
    expect(codeOf(() => fs.writeFile("/", "x"))).toBe("EISDIR");
    check(fs);
  });

  test("readFile refuses what is no file, with a code and the path", () => {
    const fs = new VirtualFileSystem({ "/d": {} });
    expect(codeOf(() => fs.readFile("/none"))).toBe("ENOENT");
    expect(codeOf(() => fs.readFile("/d"))).toBe("EISDIR");
    expect(codeOf(() => fs.readFile("/"))).toBe("EISDIR");
    expect(codeOf(() => fs.readFile("/a\0b"))).toBe("EINVAL");
    expect(codeOf(() => fs.readFile(`/${"x".repeat(300)}`))).toBe("ENAMETOOLONG");
    expect(() => fs.readFile("/none")).toThrow('ENOENT: no such file or directory, readFile "/none"');
  });

  test("the empty path leads nowhere: ENOENT, not the root", () => {
    const fs = new VirtualFileSystem({ "/a": "x" });
    expect(fs.exists("")).toBe(false);
    for (const use of [
      () => fs.stat(""),
      () => fs.readdir(""),
      () => fs.readFile(""),
      () => fs.writeFile("", "x"),
      () => fs.mkdir(""),
      () => fs.mkdir("", { recursive: true }),
      () => fs.remove("", { recursive: true }),
      () => fs.rename("", "/b"),
      () => fs.rename("/a", ""),
      () => fs.symlink("a", ""),
      () => fs.readlink(""),
      () => fs.mount("", new VirtualFileSystem()),
    ]) {
      expect(codeOf(use)).toBe("ENOENT");
    }
    expect(fs.readdir("/")).toEqual(["a"]);
  });

  test("a slash after what is no directory is ENOTDIR, after a link it follows that", () => {
    const fs = new VirtualFileSystem({ "/a": "x", "/d": {} });
    fs.symlink("a", "/file");
    fs.symlink("d", "/directory");
    expect([fs.exists("/a/"), fs.exists("/file/"), fs.exists("/directory/")]).toEqual([false, false, true]);
    for (const use of [
      () => fs.readFile("/a/"),
      () => fs.readFile("/file//"),
      () => fs.writeFile("/a/", "y"),
      () => fs.stat("/a/"),
      () => fs.stat("/file/", { followSymlinks: false }),
      () => fs.readdir("/a/"),
      () => fs.remove("/directory/"),
      () => fs.readlink("/file/"),
    ]) {
      expect(codeOf(use)).toBe("ENOTDIR");
    }
    expect(fs.readFile("/a", "utf8")).toBe("x");
    expect(fs.stat("/directory/", { followSymlinks: false }).kind).toBe("directory");
    expect(fs.stat("/directory", { followSymlinks: false }).kind).toBe("symlink");
    expect(codeOf(() => fs.readlink("/directory/"))).toBe("EINVAL");
    expect(codeOf(() => fs.stat("/none/"))).toBe("ENOENT");
  });

  test("readFile refuses encodings that it doesn't know", () => {
    const fs = new VirtualFileSystem({ "/a": new Uint8Array([0xe9]) });
    expect(() => fs.readFile("/a", "latin1" as "utf8")).toThrow(
      'readFile: the encoding is "utf8" or left out, not "latin1"',
    );
    expect(() => fs.readFile("/a", null as never)).toThrow(WasmexError);
    expect([fs.readFile("/a", "utf8"), fs.readFile("/a", "utf-8")]).toEqual(["\ufffd", "\ufffd"]);
  });

  test("mkdir makes one directory, or with recursive all on the way", () => {
    const fs = new VirtualFileSystem({ "/f": "" });
    fs.mkdir("/a");
    expect(codeOf(() => fs.mkdir("/a"))).toBe("EEXIST");
    expect(codeOf(() => fs.mkdir("/b/c"))).toBe("ENOENT");
    fs.mkdir("/b/c/d/", { recursive: true });
    fs.mkdir("/b/c", { recursive: true });
    expect(fs.readdir("/b/c")).toEqual(["d"]);
    expect(codeOf(() => fs.mkdir("/f", { recursive: true }))).toBe("EEXIST");
    expect(codeOf(() => fs.mkdir("/f/x", { recursive: true }))).toBe("EEXIST");
    fs.mkdir("/", { recursive: true });
  });

  test("stat tells kind, size, links and times", () => {
    const before = BigInt(Date.now() - 1000) * 1_000_000n;
    const fs = new VirtualFileSystem({ "/a": "12345", "/d": {} });
    fs.symlink("a", "/l");
    const stat = fs.stat("/a");
    expect(stat).toMatchObject({ kind: "file", size: 5, links: 1 });
    expect(stat.modified).toBeGreaterThan(before);
    expect(stat.inode).toBeGreaterThan(0n);
    expect(fs.stat("/d").kind).toBe("directory");
    expect(fs.stat("/").kind).toBe("directory");
    expect(fs.stat("/l")).toEqual(stat);
    expect(fs.stat("/l", { followSymlinks: false })).toMatchObject({ kind: "symlink", size: 1 });
    expect(codeOf(() => fs.stat("/none"))).toBe("ENOENT");
  });

  test("exists follows links and never throws", () => {
    const fs = new VirtualFileSystem({ "/a": "" });
    fs.symlink("none", "/dangling");
    fs.symlink("loop", "/loop");
    expect(["/a", "/", "/none", "/a/b", "/dangling", "/loop", "/a\0"].map((path) => fs.exists(path))).toEqual(
      [true, true, false, false, false, false, false],
    );
  });

  test("links lead to other files, from the root where they are absolute, and never out", () => {
    const fs = new VirtualFileSystem({ "/d/e/file": "x", "/top": "t" });
    fs.symlink("/d/e", "/d/abs");
    fs.symlink("../../../../top", "/d/up");
    fs.symlink("abs/file", "/d/chain");
    fs.symlink("/", "/d/root");
    expect(fs.readFile("/d/abs/file", "utf8")).toBe("x");
    expect(fs.readFile("/d/up", "utf8")).toBe("t");
    expect(fs.readFile("/d/chain", "utf8")).toBe("x");
    expect(fs.readFile("/d/root/top", "utf8")).toBe("t");
    expect(fs.readFile("/../../top", "utf8")).toBe("t");
    expect(fs.readlink("/d/up")).toBe("../../../../top");
    expect(codeOf(() => fs.readlink("/top"))).toBe("EINVAL");
    expect(codeOf(() => fs.symlink("x", "/top"))).toBe("EEXIST");
    fs.symlink("/made/by/link", "/new");
    expect(codeOf(() => fs.writeFile("/new", "x"))).toBe("ENOENT");
    fs.mkdir("/made/by", { recursive: true });
    fs.writeFile("/new", "through");
    expect(fs.readFile("/made/by/link", "utf8")).toBe("through");
    fs.symlink("loop2", "/loop1");
    fs.symlink("loop1", "/loop2");
    expect(codeOf(() => fs.readFile("/loop1"))).toBe("ELOOP");
  });

  test("rename moves, over files and empty directories", () => {
    const fs = new VirtualFileSystem({ "/a": "A", "/b": "B", "/d": { x: "" }, "/e": {} });
    fs.rename("/a", "/b");
    expect(fs.readFile("/b", "utf8")).toBe("A");
    fs.rename("/d", "/e");
    expect(fs.readdir("/")).toEqual(["b", "e"]);
    expect(codeOf(() => fs.rename("/none", "/x"))).toBe("ENOENT");
    expect(codeOf(() => fs.rename("/e", "/e/in"))).toBe("EINVAL");
    expect(codeOf(() => fs.rename("/b", "/e"))).toBe("EISDIR");
    expect(codeOf(() => fs.rename("/b", "/no/b"))).toBe("ENOENT");
    expect(codeOf(() => fs.rename("/", "/x"))).toBe("EBUSY");
    check(fs);
  });

  test("remove takes files, links and empty directories, and all below with recursive", () => {
    const fs = new VirtualFileSystem({ "/a": "", "/d": { e: { f: "", g: {} } } });
    fs.symlink("d", "/link");
    fs.remove("/link", { recursive: true });
    expect(fs.readdir("/d/e")).toEqual(["f", "g"]);
    fs.remove("/a");
    expect(codeOf(() => fs.remove("/a"))).toBe("ENOENT");
    expect(codeOf(() => fs.remove("/d"))).toBe("ENOTEMPTY");
    fs.remove("/d/e/g");
    fs.remove("/d", { recursive: true });
    expect(fs.readdir("/")).toEqual([]);
    expect(codeOf(() => fs.remove("/"))).toBe("EBUSY");
    check(fs);
  });

  test("remove and snapshot cope with directories nested deeper than any stack", () => {
    const fs = new VirtualFileSystem();
    const { backend, node } = fs.mounts.root;
    const name = new Uint8Array([120]);
    let inner = node;
    for (let depth = 0; depth < 15_000; depth++) {
      inner = backend.mkdir(inner, name, 0, 1);
    }
    const again = VirtualFileSystem.fromSnapshot(fs.snapshot());
    again.remove("/x", { recursive: true });
    expect(again.readdir("/")).toEqual([]);
    check(again);
  });

  test("paths hold one component with any character but slash and NUL", () => {
    const fs = new VirtualFileSystem();
    for (const name of ["ünïcode", "😀", "a b", "..."]) {
      fs.writeFile(`/${name}`, name);
      expect(fs.readFile(`/${name}`, "utf8")).toBe(name);
    }
    expect(fs.readdir("/")).toEqual(["...", "a b", "ünïcode", "😀"]);
  });

  test("a limit is kept: ENOSPC, and what was there is still there", () => {
    const fs = new VirtualFileSystem({ "/a": "kept" }, { limit: 1_000_000 });
    expect(codeOf(() => fs.writeFile("/big", new Uint8Array(2_000_000)))).toBe("ENOSPC");
    fs.remove("/big");
    for (let round = 0; round < 20; round++) {
      fs.writeFile("/fits", new Uint8Array(600_000).fill(round));
    }
    expect(fs.readFile("/fits").every((byte) => byte === 19)).toBe(true);
    expect(fs.readFile("/a", "utf8")).toBe("kept");
    let made = 0;
    expect(
      codeOf(() => {
        for (; ; made++) {
          fs.writeFile(`/file-${made}`, "x");
        }
      }),
    ).toBe("ENOSPC");
    expect(made).toBeGreaterThan(500);
    check(fs);
  });
});

describe("VirtualFileSystem.mount", () => {
  test("shows another file system, makes its place, and leads back by ..", () => {
    const fs = new VirtualFileSystem({ "/outside": "o" });
    const other = new VirtualFileSystem({ "/in/file": "x" });
    fs.mount("/mnt/point", other);
    expect(fs.readFile("/mnt/point/in/file", "utf8")).toBe("x");
    expect(fs.readFile("/mnt/point/in/../../../outside", "utf8")).toBe("o");
    fs.writeFile("/mnt/point/new", "n");
    expect(other.readFile("/new", "utf8")).toBe("n");
    fs.symlink("/outside", "/mnt/point/link");
    expect(fs.readFile("/mnt/point/link", "utf8")).toBe("o");
    expect(fs.stat("/mnt/point/in").inode).toBe(other.stat("/in").inode);
  });

  test("a place where something is mounted can't be removed, renamed or renamed over", () => {
    const fs = new VirtualFileSystem({ "/a": "", "/d": {} });
    fs.mount("/m/n", new VirtualFileSystem({ "/x": "" }));
    expect(codeOf(() => fs.remove("/m/n", { recursive: true }))).toBe("EBUSY");
    expect(codeOf(() => fs.remove("/m", { recursive: true }))).toBe("EBUSY");
    expect(codeOf(() => fs.rename("/m/n", "/x"))).toBe("EBUSY");
    expect(codeOf(() => fs.rename("/d", "/m/n"))).toBe("EBUSY");
    expect(codeOf(() => fs.rename("/a", "/m/n/a"))).toBe("EXDEV");
    expect(fs.exists("/m/n/x")).toBe(true);
  });

  test("takes a Directory, a File and an Fd of browser_wasi_shim as they are", () => {
    const file = new File(new TextEncoder().encode("shim"));
    const directory = new Directory(new Map([["f", file]]));
    const fs = new VirtualFileSystem();
    fs.mount("/dir", directory);
    fs.mount("/one/file.txt", file);
    expect(fs.readFile("/dir/f", "utf8")).toBe("shim");
    fs.writeFile("/one/file.txt", "changed");
    expect(new TextDecoder().decode(file.data)).toBe("changed");
    fs.writeFile("/dir/new", "n");
    expect([...directory.contents.keys()]).toEqual(["f", "new"]);
    const open: Fd = new OpenFile(file);
    fs.mount("/open", open);
    expect(fs.readFile("/open", "utf8")).toBe("changed");
    const planted = new VirtualFileSystem({ "/d": directory as never });
    expect(planted.readdir("/d")).toEqual(["f", "new"]);
  });

  test("over the root it is what absolute paths and links lead to, and more can be mounted in it", () => {
    const fs = new VirtualFileSystem({ "/old": "" });
    fs.mount("/", new VirtualFileSystem({ "/d": { f: "1" } }));
    fs.symlink("/d/f", "/d/link");
    fs.mount("/d/in", new VirtualFileSystem({ "/g": "2" }));
    fs.symlink("/d/link", "/d/in/back");
    expect(fs.readdir("/")).toEqual(["d"]);
    expect(fs.readFile("/d/in/back", "utf8")).toBe("1");
    expect(fs.readFile("/d/in/../../../d/in/g", "utf8")).toBe("2");
    fs.mount("/", new Directory([["new", new File(new TextEncoder().encode("3"))]]) as never);
    expect(fs.readdir("/")).toEqual(["new"]);
    expect(
      new VirtualFileSystem({ "/": new Directory([["x", new File([])]]) as never }).readdir("/"),
    ).toEqual(["x"]);
  });

  test("what is mounted can be mounted over", () => {
    const fs = new VirtualFileSystem();
    const covered = new VirtualFileSystem({ "/a": "" });
    fs.mount("/d", covered);
    fs.mount("/d/sub", new VirtualFileSystem());
    fs.mount("/d", new VirtualFileSystem({ "/b": "1", "/sub": { c: "" } }));
    expect(fs.readdir("/d")).toEqual(["b", "sub"]);
    expect(fs.readdir("/d/sub/../sub")).toEqual(["c"]);
    fs.writeFile("/d/b", "2");
    expect(fs.readFile("/d/../d/b", "utf8")).toBe("2");
    expect(covered.readdir("/")).toEqual(["a", "sub"]);
    expect(() => fs.remove("/d", { recursive: true })).toThrow("EBUSY");
  });

  test("refuses what is no file system", () => {
    const fs = new VirtualFileSystem();
    for (const wrong of [undefined, null, 5, "x", {}, []]) {
      expect(() => fs.mount("/m", wrong)).toThrow("neither a Backend nor an object of browser_wasi_shim");
    }
  });
});

describe("new VirtualFileSystem", () => {
  test.each([
    ["a blob", { "/d": { f: new Blob(["x"]) } }, '"/d/f"', "[object Blob]"],
    ["a list", { f: [65, 66] }, '"/f"', "[object Array]"],
    ["a map", new Map([["f", "x"]]), '"/"', "[object Map]"],
    ["nothing", { f: null }, '"/f"', "null"],
    ["a number", { f: 5 }, '"/f"', "5"],
    ["bytes", new Uint8Array(3), '"/"', "[object Uint8Array]"],
  ])("refuses %s as a directory", (_, tree, path, what) => {
    expect(() => new VirtualFileSystem(tree as never)).toThrow(
      `${path}: pass text, bytes or an object of files, not ${what}`,
    );
  });
});

describe("VirtualFileSystem.snapshot", () => {
  const build = () => {
    const fs = new VirtualFileSystem({
      "/text": "täxt",
      "/dir/sub/file": new Uint8Array(200_000).fill(7),
      "/empty": {},
      "/none": "",
    });
    fs.symlink("../text", "/dir/link");
    const { backend, node } = fs.mounts.root;
    const bytes = new TextEncoder().encode("texthardsparse");
    const text = backend.lookup(node, bytes, 0, 4);
    backend.link(text, node, bytes, 4, 8);
    const sparse = backend.create(node, bytes, 8, 14);
    backend.write(sparse, 2 ** 31, bytes, 0, 4);
    backend.setTimes(text, 1n, 1_234_567_890_123_456_789n);
    return fs;
  };

  test("fromSnapshot gives the same tree: content, holes, links of both kinds, times", () => {
    const fs = build();
    const again = VirtualFileSystem.fromSnapshot(fs.snapshot());
    check(again);
    expect(again.readdir("/")).toEqual(fs.readdir("/"));
    expect(sameBytes(again.readFile("/dir/sub/file"), fs.readFile("/dir/sub/file"))).toBe(true);
    expect(again.readFile("/dir/link", "utf8")).toBe("täxt");
    expect(again.readlink("/dir/link")).toBe("../text");
    expect(again.stat("/hard").inode).toBe(again.stat("/text").inode);
    expect(again.stat("/text").links).toBe(2);
    expect(again.stat("/text").modified).toBe(1_234_567_890_123_456_789n);
    expect(again.stat("/sparse").size).toBe(2 ** 31 + 4);
    expect(again.stat("/dir").modified).toBe(fs.stat("/dir").modified);
    expect((again.mounts.root.backend as MemoryBackend).memory.get(USED)).toBeLessThan(600_000);
  });

  test("the same tree gives the same bytes, whatever came before", () => {
    const fs = build();
    const first = fs.snapshot();
    expect(first.length).toBeLessThan(300_000);
    expect(sameBytes(fs.snapshot(), first)).toBe(true);
    expect(sameBytes(VirtualFileSystem.fromSnapshot(first).snapshot(), first)).toBe(true);
    const moved = VirtualFileSystem.fromSnapshot(first);
    const root = fs.stat("/");
    for (let index = 0; index < 50; index++) {
      moved.writeFile(`/tmp-${index}`, "x");
    }
    for (let index = 0; index < 50; index++) {
      moved.remove(`/tmp-${index}`);
    }
    const { backend, node } = moved.mounts.root;
    backend.setTimes(node, root.accessed, root.modified);
    expect(sameBytes(moved.snapshot(), first)).toBe(true);
  });

  test("what is mounted is left out and its place is kept", () => {
    const fs = new VirtualFileSystem({ "/a": "x" });
    fs.mount("/m", new VirtualFileSystem({ "/inner": "secret" }));
    const again = VirtualFileSystem.fromSnapshot(fs.snapshot());
    expect(again.readdir("/m")).toEqual([]);
    expect(again.readFile("/a", "utf8")).toBe("x");
  });

  test("fromSnapshot refuses what was cut, altered or is something else", () => {
    const whole = new VirtualFileSystem({ "/a": "text", "/d/e": "more" }).snapshot();
    for (let length = 0; length < whole.length; length += 7) {
      expect(() => VirtualFileSystem.fromSnapshot(whole.slice(0, length))).toThrow(WasmexError);
    }
    for (let index = 0; index < whole.length; index++) {
      const altered = whole.slice();
      altered[index] = (altered[index] as number) ^ (1 << (index & 7));
      expect(() => VirtualFileSystem.fromSnapshot(altered)).toThrow("not a file system's snapshot");
    }
    expect(() => VirtualFileSystem.fromSnapshot(new Uint8Array(100))).toThrow("not a file system's snapshot");
  });
});
