import { describe, expect, test } from "vitest";
import type { PreopenFlag } from "../../src/vfs/access.js";
import type { VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import { WasiCaller } from "../fuzz/wasi-caller.js";
import {
  FSTFLAGS_MTIM,
  OFLAGS_CREAT,
  OFLAGS_DIRECTORY,
  OFLAGS_TRUNC,
  RIGHT_FD_READ,
  RIGHT_FD_READDIR,
  RIGHT_FD_WRITE,
} from "../fuzz/wasi-constants.js";
import { ACCES, PERM } from "./errno.js";

const ROOT = 3;
const RIGHT_FD_FILESTAT_SET_SIZE = 1n << 22n;
const RIGHT_FD_FILESTAT_SET_TIMES = 1n << 23n;
const RIGHT_FD_ALLOCATE = 1n << 8n;

const flagSets: PreopenFlag[][] = [
  ["read"],
  ["write"],
  ["create"],
  ["read", "write"],
  ["read", "create"],
  ["write", "create"],
  ["read", "write", "create"],
];

/** A tree with one of each kind, and a guest that is given it with those flags. */
function guestWith(fs: VirtualFileSystem, flags: readonly PreopenFlag[], links: boolean): WasiCaller {
  fs.mkdir("/data");
  fs.writeFile("/data/file", "content");
  fs.writeFile("/data/other", "other");
  fs.mkdir("/data/directory");
  fs.mkdir("/data/empty");
  if (links) fs.symlink("file", "/data/link");
  fs.writeFile("/secret", "secret");
  return new WasiCaller({ fs, preopen: { "/data": { flags, alias: "/" } } });
}

/** The contract's table of rights, row by row; `links`: whether the file system has symbolic links. */
export function rightsSuite(
  name: string,
  make: () => VirtualFileSystem,
  links = name !== "objects of browser_wasi_shim",
): void {
  for (const flags of flagSets) {
    const has = (flag: PreopenFlag) => flags.includes(flag);
    const needs = (flag: PreopenFlag) => (has(flag) ? 0 : ACCES);
    const guest = () => guestWith(make(), flags, links);

    describe(`a preopen with ${flags.join(", ")} on ${name}`, () => {
      test("anybody sees that a path exists, its type, size and times", () => {
        const caller = guest();
        expect(caller.pathStat(ROOT, "file")).toMatchObject({ errno: 0, value: { filetype: 4, size: 7n } });
        expect(caller.pathStat(ROOT, "directory").value?.filetype).toBe(3);
        expect(caller.stat(ROOT).errno).toBe(0);
      });

      test('"read" opens and lists what exists', () => {
        const caller = guest();
        expect(caller.open(ROOT, "file", { rights: RIGHT_FD_READ }).errno).toBe(needs("read"));
        expect(
          caller.open(ROOT, "directory", { oflags: OFLAGS_DIRECTORY, rights: RIGHT_FD_READDIR }).errno,
        ).toBe(needs("read"));
        expect(caller.readdir(ROOT).errno).toBe(needs("read"));
        if (links) expect(caller.readlink(ROOT, "link").errno).toBe(needs("read"));
      });

      test('"write" changes, cuts, renames and removes what exists', () => {
        const caller = guest();
        const opened = caller.open(ROOT, "file", { rights: RIGHT_FD_WRITE });
        expect(opened.errno).toBe(needs("write"));
        if (opened.value !== undefined) expect(caller.write(opened.value, "changed").errno).toBe(0);
        expect(caller.open(ROOT, "file", { oflags: OFLAGS_TRUNC, rights: 0n }).errno).toBe(needs("write"));
        expect(caller.open(ROOT, "file", { oflags: OFLAGS_CREAT, rights: RIGHT_FD_WRITE }).errno).toBe(
          needs("write"),
        );
        expect(caller.pathSetTimes(ROOT, "file", true, 0n, 5n, FSTFLAGS_MTIM).errno).toBe(needs("write"));
        expect(caller.rename(ROOT, "other", ROOT, "renamed").errno).toBe(needs("write"));
        expect(caller.rename(ROOT, "file", ROOT, has("write") ? "renamed" : "other").errno).toBe(
          needs("write"),
        );
        expect(caller.unlink(ROOT, has("write") ? "renamed" : "other").errno).toBe(needs("write"));
        expect(caller.rmdir(ROOT, "empty").errno).toBe(needs("write"));
      });

      test("a descriptor for reading changes nothing", () => {
        const caller = guest();
        const rights =
          RIGHT_FD_READ | RIGHT_FD_ALLOCATE | RIGHT_FD_FILESTAT_SET_SIZE | RIGHT_FD_FILESTAT_SET_TIMES;
        const { errno, value = -1 } = caller.open(ROOT, "file", { rights });
        expect(errno).toBe(needs("read"));
        if (errno !== 0) return;
        expect(caller.setSize(value, 1n).errno).toBe(needs("write"));
        expect(caller.allocate(value, 0n, 100n).errno).toBe(needs("write"));
        expect(caller.setTimes(value, 0n, 5n, FSTFLAGS_MTIM).errno).toBe(needs("write"));
      });

      test('"create" adds files, directories and links', () => {
        const caller = guest();
        expect(caller.open(ROOT, "new", { oflags: OFLAGS_CREAT, rights: 0n }).errno).toBe(needs("create"));
        expect(caller.mkdir(ROOT, "folder").errno).toBe(needs("create"));
        if (!links) return;
        expect(caller.symlink("file", ROOT, "second").errno).toBe(needs("create"));
        expect(caller.link(ROOT, false, "file", ROOT, "third").errno).toBe(needs("create"));
      });

      test("the open that creates a file may write to it, the next one may not", () => {
        const caller = guest();
        const rights = RIGHT_FD_READ | RIGHT_FD_WRITE | RIGHT_FD_FILESTAT_SET_SIZE;
        const { errno, value = -1 } = caller.open(ROOT, "new", { oflags: OFLAGS_CREAT, rights });
        expect(errno).toBe(needs("create"));
        if (errno !== 0) return;
        expect(caller.write(value, "mine").errno).toBe(0);
        expect(caller.setSize(value, 2n).errno).toBe(0);
        expect(caller.call("fd_seek", value, 0n, 0, 64)).not.toBe(8);
        expect(caller.read(value, 4).errno).toBe(needs("read"));
        expect(caller.open(ROOT, "new", { oflags: OFLAGS_CREAT, rights: RIGHT_FD_WRITE }).errno).toBe(
          needs("write"),
        );
      });

      test("nobody leaves", () => {
        const caller = guest();
        expect(caller.open(ROOT, "../secret", { rights: RIGHT_FD_READ }).errno).toBe(PERM);
        expect(caller.open(ROOT, "/secret", { rights: RIGHT_FD_READ }).errno).toBe(PERM);
        expect(caller.pathStat(ROOT, "directory/../../secret").errno).toBe(PERM);
        expect(caller.rename(ROOT, "file", ROOT, "../file").errno).toBe(PERM);
      });
    });
  }

  describe(`several preopens on ${name}`, () => {
    const two = (inner: PreopenFlag[], outer: PreopenFlag[]) => {
      const fs = make();
      fs.mkdir("/in/", { recursive: true });
      fs.mkdir("/in/nested", { recursive: true });
      fs.writeFile("/in/nested/file", "content");
      fs.mkdir("/out");
      return new WasiCaller({
        fs,
        preopen: { "/in/nested": { flags: inner }, "/out": { flags: outer }, "/in": { flags: ["read"] } },
      });
    };

    test("each has its own rights, nested or not", () => {
      const caller = two(["read", "write"], ["read"]);
      expect(caller.open(3, "file", { rights: RIGHT_FD_WRITE }).errno).toBe(0);
      expect(caller.open(5, "nested/file", { rights: RIGHT_FD_WRITE }).errno).toBe(ACCES);
      expect(caller.open(5, "nested/file", { rights: RIGHT_FD_READ }).errno).toBe(0);
    });

    test("neither a rename nor a link gives rights that the file hasn't got where it is", () => {
      expect(two(["write"], ["read", "write", "create"]).rename(3, "file", 4, "file").errno).toBe(ACCES);
      expect(two(["read"], ["read", "write", "create"]).rename(3, "file", 4, "file").errno).toBe(ACCES);
      expect(two(["read", "write"], ["read", "write"]).rename(3, "file", 4, "file").errno).toBe(0);
      expect(two(["read", "write"], ["read"]).rename(3, "file", 4, "file").errno).toBe(ACCES);
      expect(two(["read", "write"], ["read", "create"]).rename(3, "file", 4, "file").errno).toBe(0);
      expect(two(["read", "write", "create"], ["read", "create"]).rename(3, "file", 4, "file").errno).toBe(0);
      if (!links) return;
      expect(two(["read"], ["read", "write", "create"]).link(3, false, "file", 4, "file").errno).toBe(ACCES);
      expect(two(["write"], ["read", "create"]).link(3, false, "file", 4, "file").errno).toBe(ACCES);
      expect(two(["read", "write"], ["read", "create"]).link(3, false, "file", 4, "file").errno).toBe(0);
    });
  });
}
