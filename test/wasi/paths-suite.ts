import { describe, expect, test } from "vitest";
import type { VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import type { WasiCaller } from "../fuzz/wasi-caller.js";
import { FSTFLAGS_MTIM, FSTFLAGS_MTIM_NOW, OFLAGS_CREAT, OFLAGS_DIRECTORY } from "../fuzz/wasi-constants.js";
import { guestOf } from "./descriptors-suite.js";
import { EXIST, ILSEQ, INVAL, ISDIR, LOOP, NAMETOOLONG, NOENT, NOTDIR, NOTEMPTY, PERM } from "./errno.js";

const ROOT = 3;
const create = { oflags: OFLAGS_CREAT };

function touch(guest: WasiCaller, ...paths: string[]): void {
  for (const path of paths) {
    const { errno, value = -1 } = guest.open(ROOT, path, create);
    expect(errno).toBe(0);
    guest.close(value);
  }
}

/** What holds for paths, whatever the file system. */
export function pathsSuite(name: string, make: () => VirtualFileSystem): void {
  describe(`paths on ${name}`, () => {
    test("path_open resolves what a path may have in it, and refuses what leads out", () => {
      const guest = guestOf(make());
      guest.mkdir(ROOT, "dir");
      guest.mkdir(ROOT, "dir/nested");
      touch(guest, "dir/nested/file");
      const open = (path: string | Uint8Array) => guest.open(ROOT, path, { rights: 0n }).errno;
      expect(open("dir/.//nested/../../dir/nested/../nested///./file")).toBe(0);
      expect(open("/dir/nested/file")).toBe(PERM);
      expect(open("dir/nested/../../../dir/nested/file")).toBe(PERM);
      expect(open("..")).toBe(PERM);
      expect(open("dir/nested/file\0")).toBe(INVAL);
      expect(open(new Uint8Array([0xff, 0x66]))).toBe(ILSEQ);
      expect(open(new Uint8Array([0xed, 0xa0, 0x80]))).toBe(ILSEQ);
      expect(open(new Uint8Array([0xc0, 0x80]))).toBe(ILSEQ);
      expect(open("dir/nested/file/")).toBe(NOTDIR);
      expect(open("dir/nested/file///")).toBe(NOTDIR);
      expect(open("dir/nested/file/more")).toBe(NOTDIR);
      expect(open("dir/nested///")).toBe(0);
      expect(open("")).toBe(NOENT);
      expect(open("x".repeat(256))).toBe(NAMETOOLONG);
      expect(open("x/".repeat(2049))).toBe(NAMETOOLONG);
      expect(open("missing/../dir")).toBe(NOENT);
    });

    test("names are bytes: those of other scripts, and those that objects of JavaScript have", () => {
      const guest = guestOf(make());
      const names = ["ö", "日本語", "🎈", "__proto__", "constructor", "toString", " ", "a\nb", "\\"];
      touch(guest, ...names);
      expect(
        guest
          .readdir(ROOT)
          .value?.map((entry) => entry.name)
          .sort(),
      ).toEqual([...names].sort());
      for (const path of names) expect(guest.unlink(ROOT, path).errno).toBe(0);
    });

    test("path_open without following answers ELOOP for a link, dangling or not", () => {
      const guest = guestOf(make());
      const open = (path: string, follow: boolean, oflags = 0) =>
        guest.open(ROOT, path, { follow, oflags, rights: 0n }).errno;
      guest.mkdir(ROOT, "directory");
      touch(guest, "file");
      guest.symlink("directory", ROOT, "to-directory");
      guest.symlink("file", ROOT, "to-file");
      guest.symlink("missing", ROOT, "dangling");
      guest.symlink("self", ROOT, "self");
      for (const link of ["to-directory", "to-file", "dangling", "self"]) {
        expect(open(link, false)).toBe(LOOP);
        expect([LOOP, NOTDIR]).toContain(open(link, false, OFLAGS_DIRECTORY));
      }
      expect(open("to-directory", true, OFLAGS_DIRECTORY)).toBe(0);
      expect(open("to-file", true)).toBe(0);
      expect(open("to-file", true, OFLAGS_DIRECTORY)).toBe(NOTDIR);
      expect(open("dangling", true)).toBe(NOENT);
      expect(open("self", true)).toBe(LOOP);
      expect(open("to-directory/", false)).toBe(0);
      // A file is made where a dangling link points to.
      expect(open("dangling", true, OFLAGS_CREAT)).toBe(0);
      expect(guest.pathStat(ROOT, "missing", false).value?.filetype).toBe(4);
    });

    test("a chain of 40 links is followed, one of 41 isn't", () => {
      const guest = guestOf(make());
      touch(guest, "link0");
      for (let index = 1; index <= 41; index++) guest.symlink(`link${index - 1}`, ROOT, `link${index}`);
      expect(guest.pathStat(ROOT, "link40").errno).toBe(0);
      expect(guest.pathStat(ROOT, "link41").errno).toBe(LOOP);
    });

    test("path_filestat_get tells the types of files, directories and links", () => {
      const guest = guestOf(make());
      guest.mkdir(ROOT, "sub");
      touch(guest, "sub/file");
      guest.symlink("sub/file", ROOT, "link");
      guest.symlink("sub", ROOT, "folder");
      const type = (path: string, follow: boolean) => guest.pathStat(ROOT, path, follow).value?.filetype;
      expect([type("sub", false), type("sub", true)]).toEqual([3, 3]);
      expect([type("sub/file", false), type("sub/file", true)]).toEqual([4, 4]);
      expect([type("link", false), type("link", true)]).toEqual([7, 4]);
      expect([type("folder", false), type("folder", true), type("folder/", false)]).toEqual([7, 3, 3]);
      expect(type("folder/file", false)).toBe(4);
      const [one, other] = [guest.pathStat(ROOT, "sub").value, guest.pathStat(ROOT, "sub/file").value];
      expect(one?.dev).toBe(other?.dev);
      expect(one?.ino).not.toBe(other?.ino);
    });

    test("path_filestat_set_times sets a link's own times unless it is to follow", () => {
      const guest = guestOf(make());
      touch(guest, "file");
      guest.symlink("file", ROOT, "link");
      const mtim = (path: string) => guest.pathStat(ROOT, path, false).value?.mtim;
      const before = mtim("file");
      expect(guest.pathSetTimes(ROOT, "link", false, 0n, 5_000_000_000n, FSTFLAGS_MTIM).errno).toBe(0);
      expect([mtim("link"), mtim("file")]).toEqual([5_000_000_000n, before]);
      expect(guest.pathSetTimes(ROOT, "link", true, 0n, 7_000_000_000n, FSTFLAGS_MTIM).errno).toBe(0);
      expect([mtim("link"), mtim("file")]).toEqual([5_000_000_000n, 7_000_000_000n]);
      expect(guest.pathSetTimes(ROOT, "file", false, 0n, 1n, FSTFLAGS_MTIM | FSTFLAGS_MTIM_NOW).errno).toBe(
        INVAL,
      );
      expect(mtim("file")).toBe(7_000_000_000n);
    });

    test("path_link makes a second name of a file, and of nothing else", () => {
      const guest = guestOf(make());
      touch(guest, "file", "other");
      guest.mkdir(ROOT, "sub");
      expect(guest.link(ROOT, false, "file", ROOT, "link").errno).toBe(0);
      expect(guest.link(ROOT, false, "file", ROOT, "sub/link").errno).toBe(0);
      const [one, two] = [guest.pathStat(ROOT, "file").value, guest.pathStat(ROOT, "sub/link").value];
      expect(one).toEqual(two);
      expect(one?.nlink).toBe(3n);
      for (const taken of ["other", "file", "sub"]) {
        expect(guest.link(ROOT, false, "file", ROOT, taken).errno).toBe(EXIST);
      }
      expect(guest.link(ROOT, false, "sub", ROOT, "new").errno).toBe(PERM);
      expect(guest.link(ROOT, false, "file", ROOT, "new/").errno).toBe(NOENT);
      expect(guest.link(ROOT, false, "missing", ROOT, "new").errno).toBe(NOENT);
      guest.symlink("missing", ROOT, "dangling");
      expect(guest.link(ROOT, false, "dangling", ROOT, "second").errno).toBe(0);
      expect(guest.readlink(ROOT, "second").value).toBe("missing");
      expect(guest.link(ROOT, false, "file", ROOT, "dangling").errno).toBe(EXIST);
      expect(guest.link(ROOT, true, "dangling", ROOT, "third").errno).toBe(NOENT);
    });

    test("path_rename moves and replaces as a kernel does", () => {
      const guest = guestOf(make());
      const rename = (from: string, to: string) => guest.rename(ROOT, from, ROOT, to).errno;
      const exists = (path: string) => guest.pathStat(ROOT, path, false).errno === 0;
      guest.mkdir(ROOT, "source");
      expect(rename("source", "target")).toBe(0);
      expect([exists("source"), exists("target")]).toEqual([false, true]);
      guest.mkdir(ROOT, "source");
      expect(rename("source", "target")).toBe(0);
      guest.mkdir(ROOT, "source");
      touch(guest, "target/file");
      expect(rename("source", "target")).toBe(NOTEMPTY);
      expect(rename("source", "target/file")).toBe(NOTDIR);
      expect(rename("target", "target/below")).toBe(INVAL);
      touch(guest, "one", "two");
      expect(rename("one", "two")).toBe(0);
      expect([exists("one"), exists("two")]).toEqual([false, true]);
      expect(rename("two", "source")).toBe(ISDIR);
      expect(rename("missing", "two")).toBe(NOENT);
      expect(rename("two", "new/")).toBe(NOTDIR);
      expect(rename("two/", "new")).toBe(NOTDIR);
      expect(rename("source/", "moved")).toBe(0);
      expect(rename("moved", "source/")).toBe(0);
      expect(rename("source/", "moved/")).toBe(0);
      expect(rename("two", "two")).toBe(0);
    });

    test("path_symlink takes no absolute target and no name with a slash at its end", () => {
      const guest = guestOf(make());
      expect(guest.symlink("/", ROOT, "link").errno).toBe(PERM);
      expect(guest.symlink("", ROOT, "link").errno).toBe(NOENT);
      expect(guest.symlink("a\0b", ROOT, "link").errno).toBe(INVAL);
      // The place comes before the target.
      expect(guest.symlink("", ROOT, "a\0b").errno).toBe(INVAL);
      expect(guest.symlink("target", ROOT, "link/").errno).toBe(NOENT);
      guest.mkdir(ROOT, "directory");
      touch(guest, "file");
      expect(guest.symlink("target", ROOT, "directory").errno).toBe(EXIST);
      expect(guest.symlink("target", ROOT, "directory/").errno).toBe(EXIST);
      expect(guest.symlink("target", ROOT, "file").errno).toBe(EXIST);
      expect([NOTDIR, EXIST]).toContain(guest.symlink("target", ROOT, "file/").errno);
    });

    test("path_readlink fills a buffer that is too small and touches nothing behind it", () => {
      const guest = guestOf(make());
      guest.symlink("target", ROOT, "link");
      const bytes = new Uint8Array(guest.memory.buffer);
      bytes.set(new TextEncoder().encode("link"), 0);
      bytes.fill(0x2e, 100, 120);
      const text = () => new TextDecoder().decode(bytes.subarray(100, 120));
      expect(guest.call("path_readlink", ROOT, 0, 4, 100, 20, 64)).toBe(0);
      expect([guest.view.getUint32(64, true), text()]).toEqual([6, `target${".".repeat(14)}`]);
      bytes.fill(0x2e, 100, 120);
      expect(guest.call("path_readlink", ROOT, 0, 4, 100, 4, 64)).toBe(0);
      expect([guest.view.getUint32(64, true), text()]).toEqual([4, `targ${".".repeat(16)}`]);
      touch(guest, "file");
      expect(guest.readlink(ROOT, "file").errno).toBe(INVAL);
      expect(guest.readlink(ROOT, "missing").errno).toBe(NOENT);
    });

    test("path_remove_directory removes empty directories alone, path_unlink_file none", () => {
      const guest = guestOf(make());
      guest.mkdir(ROOT, "outer");
      guest.mkdir(ROOT, "outer/inner");
      touch(guest, "file");
      guest.symlink("outer", ROOT, "link");
      expect(guest.rmdir(ROOT, "outer").errno).toBe(NOTEMPTY);
      expect(guest.rmdir(ROOT, "file").errno).toBe(NOTDIR);
      expect(guest.rmdir(ROOT, "file/").errno).toBe(NOTDIR);
      expect(guest.rmdir(ROOT, "link").errno).toBe(NOTDIR);
      expect(guest.rmdir(ROOT, ".").errno).toBe(INVAL);
      expect(guest.unlink(ROOT, "outer").errno).toBe(ISDIR);
      expect(guest.unlink(ROOT, "outer/").errno).toBe(ISDIR);
      expect(guest.unlink(ROOT, "file/").errno).toBe(NOTDIR);
      expect(guest.rmdir(ROOT, "outer/inner/").errno).toBe(0);
      expect(guest.rmdir(ROOT, "outer").errno).toBe(0);
      expect(guest.unlink(ROOT, "link").errno).toBe(0);
      expect(guest.unlink(ROOT, "file").errno).toBe(0);
      expect(guest.unlink(ROOT, "file").errno).toBe(NOENT);
      expect(guest.mkdir(ROOT, "a/").errno).toBe(0);
      expect(guest.mkdir(ROOT, "a").errno).toBe(EXIST);
      expect(guest.mkdir(ROOT, ".").errno).toBe(EXIST);
      expect(guest.mkdir(ROOT, "b/c").errno).toBe(NOENT);
    });
  });
}
