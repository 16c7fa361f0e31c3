import { describe, expect, test } from "vitest";
import type { VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import { WasiCaller } from "../fuzz/wasi-caller.js";
import {
  FDFLAGS_APPEND,
  FSTFLAGS_ATIM,
  FSTFLAGS_ATIM_NOW,
  FSTFLAGS_MTIM,
  FSTFLAGS_MTIM_NOW,
  OFLAGS_CREAT,
  OFLAGS_DIRECTORY,
  OFLAGS_EXCL,
  OFLAGS_TRUNC,
  PREVIEW1_RIGHTS,
  RIGHT_FD_READ,
  RIGHT_FD_WRITE,
} from "../fuzz/wasi-constants.js";
import { BADF, EXIST, INVAL, ISDIR, NOENT, NOTCAPABLE, NOTDIR, SPIPE } from "./errno.js";

const ROOT = 3;
const FDSTAT = 512;
const FDFLAGS_SYNC = 16;
const RIGHT_FD_SEEK = 4n;
const RIGHT_FD_TELL = 32n;
const WHENCE_SET = 0;
const WHENCE_CUR = 1;
const WHENCE_END = 2;
const CHARACTER_DEVICE = 2;
const DIRECTORY = 3;

/** A fresh guest with all rights to an empty file system. */
export function guestOf(fs: VirtualFileSystem): WasiCaller {
  return new WasiCaller({ fs, preopen: { "/": { flags: ["read", "write", "create"] } } });
}

interface Fdstat {
  readonly filetype: number;
  readonly flags: number;
  readonly rights: bigint;
  readonly inheriting: bigint;
}

function fdstat(guest: WasiCaller, fd: number): Fdstat {
  expect(guest.call("fd_fdstat_get", fd, FDSTAT)).toBe(0);
  const { view } = guest;
  return {
    filetype: view.getUint8(FDSTAT),
    flags: view.getUint16(FDSTAT + 2, true),
    rights: view.getBigUint64(FDSTAT + 8, true),
    inheriting: view.getBigUint64(FDSTAT + 16, true),
  };
}

function opened(guest: WasiCaller, path: string, options: Parameters<WasiCaller["open"]>[2] = {}): number {
  // A directory can't be opened for writing.
  const reading =
    ((options.oflags ?? 0) & OFLAGS_DIRECTORY) !== 0 ? { rights: PREVIEW1_RIGHTS & ~RIGHT_FD_WRITE } : {};
  const { errno, value = -1 } = guest.open(ROOT, path, { ...reading, ...options });
  expect(errno).toBe(0);
  return value;
}

/** What holds for open files and directories, whatever the file system. */
export function descriptorsSuite(name: string, make: () => VirtualFileSystem): void {
  describe(`descriptors on ${name}`, () => {
    const create = { oflags: OFLAGS_CREAT };

    test("path_open gives the lowest number that is free", () => {
      const guest = guestOf(make());
      expect([opened(guest, "a", create), opened(guest, "b", create), opened(guest, "c", create)]).toEqual([
        4, 5, 6,
      ]);
      expect(guest.close(5).errno).toBe(0);
      expect(guest.close(4).errno).toBe(0);
      expect(guest.close(4).errno).toBe(BADF);
      expect([opened(guest, "a"), opened(guest, "b"), opened(guest, "c")]).toEqual([4, 5, 7]);
    });

    test("fd_close closes a preopen and leaves what was opened through it", () => {
      const guest = guestOf(make());
      const directory = opened(guest, ".", { oflags: OFLAGS_DIRECTORY });
      expect(guest.close(ROOT).errno).toBe(0);
      expect(guest.call("fd_fdstat_get", ROOT, FDSTAT)).toBe(BADF);
      expect(fdstat(guest, directory).filetype).toBe(DIRECTORY);
      expect(guest.mkdir(directory, "still").errno).toBe(0);
    });

    test("fd_renumber moves a descriptor over another, a preopen too, and refuses what isn't open", () => {
      const guest = guestOf(make());
      const from = opened(guest, "from", create);
      const to = opened(guest, "to", create);
      guest.write(from, "moved");
      const before = fdstat(guest, from);
      expect(guest.renumber(from, to).errno).toBe(0);
      expect(guest.close(from).errno).toBe(BADF);
      expect(fdstat(guest, to)).toEqual(before);
      expect(guest.seek(to, 0n, WHENCE_CUR).value).toBe(5n);
      expect(guest.renumber(to, from).errno).toBe(BADF);
      expect(guest.renumber(99, to).errno).toBe(BADF);
      expect(guest.renumber(to, to).errno).toBe(0);

      guest.mkdir(ROOT, "inner");
      const inner = opened(guest, "inner", { oflags: OFLAGS_DIRECTORY });
      const { ino } = guest.stat(inner).value ?? {};
      expect(guest.renumber(inner, ROOT).errno).toBe(0);
      expect(guest.stat(ROOT).value?.ino).toBe(ino);
      expect(guest.open(ROOT, "../from").errno).not.toBe(0);
      expect(guest.renumber(0, to).errno).toBe(0);
      expect(guest.call("fd_fdstat_get", 0, FDSTAT)).toBe(BADF);
      expect(fdstat(guest, to).filetype).toBe(CHARACTER_DEVICE);
    });

    test("what is for files is EISDIR on a directory, and a directory has no right to seek", () => {
      const guest = guestOf(make());
      const directory = opened(guest, ".", { oflags: OFLAGS_DIRECTORY, rights: RIGHT_FD_SEEK });
      expect(guest.read(directory, 8).errno).toBe(ISDIR);
      expect(guest.read(directory, 8, 0n).errno).toBe(ISDIR);
      expect(guest.write(directory, "x").errno).toBe(ISDIR);
      expect(guest.write(directory, "x", 0n).errno).toBe(ISDIR);
      for (const whence of [WHENCE_SET, WHENCE_CUR, WHENCE_END]) {
        expect(guest.seek(directory, 0n, whence).errno).toBe(ISDIR);
      }
      expect(guest.call("fd_tell", directory, FDSTAT)).toBe(ISDIR);
      expect(guest.allocate(directory, 0n, 1n).errno).toBe(ISDIR);
      expect(guest.setSize(directory, 0n).errno).toBe(ISDIR);
      expect(fdstat(guest, directory).rights & RIGHT_FD_SEEK).toBe(0n);
    });

    test("fd_seek and fd_tell count from the start, the position and the end, and never before 0", () => {
      const guest = guestOf(make());
      const fd = opened(guest, "file", create);
      guest.write(fd, "x".repeat(100));
      expect(guest.call("fd_tell", fd, FDSTAT)).toBe(0);
      expect(guest.view.getBigUint64(FDSTAT, true)).toBe(100n);
      expect(guest.seek(fd, -50n, WHENCE_CUR).value).toBe(50n);
      expect(guest.seek(fd, 0n, WHENCE_SET).value).toBe(0n);
      expect(guest.seek(fd, -1n, WHENCE_END).value).toBe(99n);
      expect(guest.seek(fd, 1000n, WHENCE_CUR).value).toBe(1099n);
      expect(guest.seek(fd, -2000n, WHENCE_CUR).errno).toBe(INVAL);
      expect(guest.seek(fd, 2n ** 62n, WHENCE_SET).errno).toBe(INVAL);
      expect(guest.seek(fd, 0n, 3).errno).toBe(INVAL);
      expect(guest.read(fd, 4)).toEqual({ errno: 0, value: "" });
      expect(guest.write(fd, "end").errno).toBe(0);
      expect(guest.stat(fd).value?.size).toBe(1102n);
      expect(guest.read(fd, 4, 1098n).value).toBe("\0end");
    });

    test("fd_pread and fd_pwrite leave the position alone", () => {
      const guest = guestOf(make());
      const fd = opened(guest, "file", create);
      expect(guest.write(fd, "0123", 0n).value).toBe(4);
      expect(guest.write(fd, "ab", 2n).value).toBe(2);
      expect(guest.read(fd, 9, 1n).value).toBe("1ab");
      expect(guest.read(fd, 9).value).toBe("01ab");
      expect(guest.read(fd, 9, 4n).value).toBe("");
      expect(guest.read(fd, 9, -1n).errno).toBe(INVAL);
      expect(guest.write(fd, "x", -1n).errno).toBe(INVAL);
    });

    test("fd_write with FDFLAGS_APPEND writes to the end until fd_fdstat_set_flags takes it away", () => {
      const guest = guestOf(make());
      const fd = opened(guest, "log", { oflags: OFLAGS_CREAT, fdflags: FDFLAGS_APPEND | FDFLAGS_SYNC });
      expect(fdstat(guest, fd).flags).toBe(FDFLAGS_APPEND | FDFLAGS_SYNC);
      guest.write(fd, "one");
      guest.seek(fd, 0n, WHENCE_SET);
      guest.write(fd, "two");
      expect(guest.seek(fd, 0n, WHENCE_CUR).value).toBe(6n);
      guest.setFlags(fd, 0);
      guest.seek(fd, 0n, WHENCE_SET);
      guest.write(fd, "1");
      expect(guest.read(fd, 9, 0n).value).toBe("1netwo");
      expect(guest.setFlags(fd, 0x40).errno).toBe(INVAL);
    });

    test("two descriptors of one file see each other's writes and share no position", () => {
      const guest = guestOf(make());
      const writer = opened(guest, "file", { oflags: OFLAGS_CREAT, rights: RIGHT_FD_WRITE });
      const reader = opened(guest, "file", { rights: RIGHT_FD_READ });
      guest.write(writer, "seen");
      expect(guest.read(reader, 9).value).toBe("seen");
      guest.write(writer, " too");
      expect(guest.read(reader, 9).value).toBe(" too");
    });

    test("an unlinked file lives on in its descriptor, and its name is free", () => {
      const guest = guestOf(make());
      const fd = opened(guest, "file", create);
      guest.write(fd, "old");
      expect(guest.unlink(ROOT, "file").errno).toBe(0);
      expect(guest.stat(fd).value?.nlink).toBe(0n);
      const again = opened(guest, "file", { oflags: OFLAGS_CREAT | OFLAGS_EXCL });
      expect(guest.stat(again).value?.size).toBe(0n);
      expect(guest.read(fd, 9, 0n).value).toBe("old");
      guest.mkdir(ROOT, "directory");
      opened(guest, "directory", { oflags: OFLAGS_DIRECTORY });
      expect(guest.rmdir(ROOT, "directory").errno).toBe(0);
      expect(guest.mkdir(ROOT, "directory").errno).toBe(0);
    });

    test("path_open with OFLAGS_TRUNC empties, with OFLAGS_EXCL takes nothing that exists", () => {
      const guest = guestOf(make());
      guest.write(opened(guest, "file", create), "content");
      const fd = opened(guest, "file", { oflags: OFLAGS_CREAT | OFLAGS_TRUNC });
      expect(guest.read(fd, 9).value).toBe("");
      expect(guest.open(ROOT, "file", { oflags: OFLAGS_CREAT | OFLAGS_EXCL }).errno).toBe(EXIST);
      expect(guest.open(ROOT, "missing").errno).toBe(NOENT);
      expect(guest.open(ROOT, "file", { oflags: OFLAGS_DIRECTORY, rights: 0n }).errno).toBe(NOTDIR);
      expect(guest.open(fd, "below", create).errno).toBe(NOTDIR);
      expect(guest.open(ROOT, "file", { oflags: 16 }).errno).toBe(INVAL);
      expect(guest.open(ROOT, "file", { fdflags: 32 }).errno).toBe(INVAL);
    });

    test("a descriptor reads and writes as it was opened", () => {
      const guest = guestOf(make());
      guest.write(opened(guest, "file", create), "content");
      const reader = opened(guest, "file", { rights: RIGHT_FD_READ });
      expect(fdstat(guest, reader).rights).toBe(RIGHT_FD_READ);
      expect(guest.write(reader, "x").errno).toBe(NOTCAPABLE);
      expect(guest.seek(reader, 0n, WHENCE_SET).errno).toBe(NOTCAPABLE);
      const writer = opened(guest, "file", { rights: RIGHT_FD_WRITE });
      expect(guest.read(writer, 9).errno).toBe(NOTCAPABLE);
      expect(guest.write(writer, "C").value).toBe(1);
      expect(guest.open(ROOT, ".", { oflags: OFLAGS_DIRECTORY, rights: RIGHT_FD_READ }).errno).toBe(0);
      expect(
        guest.open(ROOT, ".", { oflags: OFLAGS_DIRECTORY, rights: RIGHT_FD_READ | RIGHT_FD_WRITE }).errno,
      ).toBe(ISDIR);
      expect(guest.open(ROOT, ".", { rights: 0n, fdflags: 4 }).errno).toBe(0);
    });

    test("fd_fdstat_set_rights takes rights away and never gives one back", () => {
      const guest = guestOf(make());
      const fd = opened(guest, "file", {
        oflags: OFLAGS_CREAT,
        rights: RIGHT_FD_READ | RIGHT_FD_WRITE | RIGHT_FD_SEEK | RIGHT_FD_TELL,
      });
      expect(guest.call("fd_fdstat_set_rights", fd, RIGHT_FD_SEEK, 0n)).toBe(0);
      expect(fdstat(guest, fd).rights).toBe(RIGHT_FD_SEEK);
      expect(guest.read(fd, 1).errno).toBe(NOTCAPABLE);
      expect(guest.write(fd, "x").errno).toBe(NOTCAPABLE);
      expect(guest.call("fd_fdstat_set_rights", fd, RIGHT_FD_SEEK | RIGHT_FD_READ, 0n)).toBe(NOTCAPABLE);
      expect(guest.call("fd_fdstat_set_rights", fd, RIGHT_FD_SEEK, RIGHT_FD_READ)).toBe(NOTCAPABLE);
      expect(guest.call("fd_fdstat_set_rights", fd, -1n, 0n)).toBe(NOTCAPABLE);
    });

    test("a directory that gave up a right gives it to nothing opened through it", () => {
      const guest = guestOf(make());
      const { rights, inheriting } = fdstat(guest, ROOT);
      guest.write(opened(guest, "file", create), "content");
      const RIGHT_PATH_FILESTAT_SET_SIZE = 1n << 19n;
      const without = inheriting & ~RIGHT_FD_WRITE;
      expect(guest.call("fd_fdstat_set_rights", ROOT, rights & ~RIGHT_PATH_FILESTAT_SET_SIZE, without)).toBe(
        0,
      );
      expect(guest.open(ROOT, "file", { oflags: OFLAGS_TRUNC, rights: RIGHT_FD_READ }).errno).toBe(
        NOTCAPABLE,
      );
      expect(guest.open(ROOT, "file", { rights: RIGHT_FD_WRITE }).errno).toBe(NOTCAPABLE);
      expect(guest.open(ROOT, "file", { rights: RIGHT_FD_READ }).errno).toBe(0);
      const directory = opened(guest, ".", { rights: 0n });
      expect(fdstat(guest, directory).inheriting & RIGHT_FD_WRITE).toBe(0n);
    });

    test("a preopen has what C libraries and the standard libraries of languages look for", () => {
      const guest = guestOf(make());
      const { filetype, flags, rights, inheriting } = fdstat(guest, ROOT);
      expect([filetype, flags]).toEqual([DIRECTORY, 0]);
      const RIGHT_FD_FILESTAT_SET_SIZE = 1n << 22n;
      const forFiles =
        RIGHT_FD_READ | RIGHT_FD_WRITE | RIGHT_FD_SEEK | RIGHT_FD_TELL | RIGHT_FD_FILESTAT_SET_SIZE;
      expect(rights & forFiles).toBe(0n);
      expect(inheriting & PREVIEW1_RIGHTS).toBe(PREVIEW1_RIGHTS);
      const same = opened(guest, ".", { oflags: OFLAGS_DIRECTORY, rights, inheriting });
      expect(fdstat(guest, same)).toEqual({ filetype, flags, rights, inheriting });
    });

    test("fd_filestat_set_size cuts and fills with zeros, fd_allocate only grows", () => {
      const guest = guestOf(make());
      const fd = opened(guest, "file", create);
      guest.write(fd, "content");
      expect(guest.setSize(fd, 3n).errno).toBe(0);
      expect(guest.setSize(fd, 5n).errno).toBe(0);
      expect(guest.read(fd, 9, 0n).value).toBe("con\0\0");
      expect(guest.allocate(fd, 0n, 100n).errno).toBe(0);
      expect(guest.allocate(fd, 10n, 10n).errno).toBe(0);
      expect(guest.stat(fd).value?.size).toBe(100n);
      expect(guest.allocate(fd, 90n, 20n).errno).toBe(0);
      expect(guest.stat(fd).value?.size).toBe(110n);
      expect(guest.allocate(fd, 0n, 0n).errno).toBe(INVAL);
      expect(guest.call("fd_advise", fd, 0n, 10n, 1)).toBe(0);
      expect(guest.call("fd_advise", fd, 0n, 10n, 6)).toBe(INVAL);
      expect([guest.sync(fd, true).errno, guest.sync(fd, false).errno]).toEqual([0, 0]);
    });

    test("fd_filestat_set_times sets what the flags choose, and refuses flags that contradict each other", () => {
      const guest = guestOf(make());
      const fd = opened(guest, "file", create);
      const before = guest.stat(fd).value;
      expect(guest.setTimes(fd, 5n, 1_000_000_007n, FSTFLAGS_MTIM).errno).toBe(0);
      expect(guest.stat(fd).value).toMatchObject({ atim: before?.atim, mtim: 1_000_000_007n });
      expect(guest.setTimes(fd, 3_000_000_001n, 0n, FSTFLAGS_ATIM).errno).toBe(0);
      expect(guest.stat(fd).value).toMatchObject({ atim: 3_000_000_001n, mtim: 1_000_000_007n });
      expect(guest.setTimes(fd, 0n, 0n, FSTFLAGS_MTIM_NOW).errno).toBe(0);
      expect(guest.stat(fd).value?.mtim).toBeGreaterThan(1_600_000_000_000_000_000n);
      expect(guest.setTimes(fd, 0n, 0n, FSTFLAGS_MTIM | FSTFLAGS_MTIM_NOW).errno).toBe(INVAL);
      expect(guest.setTimes(fd, 0n, 0n, FSTFLAGS_ATIM | FSTFLAGS_ATIM_NOW).errno).toBe(INVAL);
      expect(guest.setTimes(fd, 0n, 0n, 16).errno).toBe(INVAL);
    });

    test("fd_readdir begins with . and .., and its cookies continue where they say", () => {
      const guest = guestOf(make());
      guest.mkdir(ROOT, "d");
      const directory = opened(guest, "d", { oflags: OFLAGS_DIRECTORY });
      const { ino } = guest.stat(directory).value ?? {};
      const entries = (
        cookie: bigint,
        size = 4096,
      ): { name: string; ino: bigint; next: bigint; type: number }[] => {
        expect(guest.call("fd_readdir", directory, 32_768, size, cookie, FDSTAT)).toBe(0);
        const used = guest.view.getUint32(FDSTAT, true);
        const found: { name: string; ino: bigint; next: bigint; type: number }[] = [];
        for (let at = 32_768; at + 24 <= 32_768 + used; ) {
          const length = guest.view.getUint32(at + 16, true);
          if (at + 24 + length > 32_768 + used) break;
          const name = new TextDecoder().decode(new Uint8Array(guest.memory.buffer, at + 24, length));
          const [next, inode] = [guest.view.getBigUint64(at, true), guest.view.getBigUint64(at + 8, true)];
          found.push({ name, ino: inode, next, type: guest.view.getUint8(at + 20) });
          at += 24 + length;
        }
        return found;
      };
      expect(entries(0n).map(({ name }) => name)).toEqual([".", ".."]);
      expect(entries(0n)[0]).toMatchObject({ ino, type: DIRECTORY });
      guest.close(opened(guest, "d/file", create));
      const [, second, third] = entries(0n);
      expect(third).toMatchObject({ name: "file", ino: guest.pathStat(ROOT, "d/file").value?.ino, type: 4 });
      expect(entries(second?.next ?? 0n)).toEqual([third]);
      expect(entries(third?.next ?? 0n)).toEqual([]);
      // A buffer too small even for a header is filled to its end: there is more.
      expect(guest.call("fd_readdir", directory, 32_768, 10, 0n, FDSTAT)).toBe(0);
      expect(guest.view.getUint32(FDSTAT, true)).toBe(10);
      expect(guest.call("fd_readdir", directory, 32_768, 64, -1n, FDSTAT)).toBe(INVAL);
    });

    test("fd_readdir tells each of many entries once, while others come and go", () => {
      const guest = guestOf(make());
      const names = Array.from({ length: 100 }, (_, index) => `file.${index}`);
      for (const name of names) guest.close(opened(guest, name, create));
      const directory = opened(guest, ".", { oflags: OFLAGS_DIRECTORY });
      expect(
        guest
          .readdir(directory, 256)
          .value?.map(({ name }) => name)
          .sort(),
      ).toEqual([...names].sort());
      expect(guest.call("fd_readdir", opened(guest, "file.1"), 0, 64, 0n, FDSTAT)).toBe(NOTDIR);
    });

    test("stdin, stdout and stderr can't seek and are no directories", () => {
      const guest = new WasiCaller({ fs: make(), stdout: () => {} });
      expect(guest.seek(1, 0n, WHENCE_CUR).errno).toBe(SPIPE);
      expect(guest.read(1, 1, 0n).errno).toBe(SPIPE);
      expect(guest.open(1, "x").errno).toBe(NOTDIR);
      expect(guest.read(1, 1).errno).toBe(NOTCAPABLE);
      expect(guest.write(0, "x").errno).toBe(NOTCAPABLE);
      expect([guest.read(9, 1).errno, guest.write(-31_337, "x").errno]).toEqual([BADF, BADF]);
    });
  });
}
