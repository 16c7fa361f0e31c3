// What fails underneath a guest: a disk that is full or read-only, a directory that is gone. The guest gets the errno that a
// program of the host would; nothing throws, and once the host has mended it, the guest goes on.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { DirectoryBackend } from "../../platform/node/directory-backend.js";
import { HandleGround } from "../../platform/node/directory-ground.js";
import { wat } from "../support/index.js";

const [FBIG, NOENT, NOSPC, ROFS] = [22, 44, 51, 69];
const [DIRECTORY_FD, ANSWER, BUFFER, BUFFER_LENGTH] = [3, 8, 4096, 65_536];
const [CREATE, TRUNCATE] = [1, 8];
const ALL_RIGHTS = 0x1fff_ffffn;

const IMPORTS: Readonly<Record<string, string>> = {
  path_open: "i32 i32 i32 i32 i32 i64 i64 i32 i32",
  path_create_directory: "i32 i32 i32",
  path_remove_directory: "i32 i32 i32",
  path_unlink_file: "i32 i32 i32",
  path_rename: "i32 i32 i32 i32 i32 i32",
  path_symlink: "i32 i32 i32 i32 i32",
  path_link: "i32 i32 i32 i32 i32 i32 i32",
  path_filestat_get: "i32 i32 i32 i32 i32",
  path_filestat_set_times: "i32 i32 i32 i32 i64 i64 i32",
  fd_write: "i32 i32 i32 i32",
  fd_read: "i32 i32 i32 i32",
  fd_readdir: "i32 i32 i32 i64 i32",
  fd_allocate: "i32 i64 i64",
  fd_filestat_set_size: "i32 i64",
  fd_filestat_get: "i32 i32",
  fd_sync: "i32",
  fd_close: "i32",
};

/** Hands on every call as it is. */
const compiled = wat(
  `(module ${Object.entries(IMPORTS)
    .map(
      ([name, params]) =>
        `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${params}) (result i32)))
        (export "${name}" (func $${name}))`,
    )
    .join("\n")} (memory (export "memory") 4))`,
).then((bytes) => Wasmex.Module.compile(bytes));

/** A guest whose calls answer their errno. */
class Guest {
  readonly process: Wasmex.Process;
  #at = 1024;

  constructor(process: Wasmex.Process) {
    this.process = process;
  }

  async call(name: string, ...params: (number | bigint)[]): Promise<number> {
    this.#at = 1024;
    const [errno] = (await this.process.callFunction(name, params)) as [number];
    return errno;
  }

  /** Pointer and length of a path, valid for one call. */
  path(text: string): [number, number] {
    const at = this.#at;
    this.#at += text.length;
    this.process.memory().writeBinary(at, text);
    return [at, text.length];
  }

  /** The descriptor, or a negated errno. */
  async open(path: string, flags = 0, rights = ALL_RIGHTS): Promise<number> {
    const errno = await this.call(
      "path_open",
      DIRECTORY_FD,
      0,
      ...this.path(path),
      flags,
      rights,
      0n,
      0,
      ANSWER,
    );
    return errno === 0 ? (this.process.memory("uint32").get(ANSWER / 4) as number) : -errno;
  }

  /** Bytes moved, or a negated errno. */
  async move(name: "fd_read" | "fd_write", descriptor: number, length = BUFFER_LENGTH): Promise<number> {
    const words = this.process.memory("uint32");
    words.set(0, BUFFER);
    words.set(1, length);
    const errno = await this.call(name, descriptor, 0, 1, ANSWER);
    return errno === 0 ? (words.get(ANSWER / 4) as number) : -errno;
  }

  /** The errno of everything that would change the directory. */
  async changes(): Promise<Record<string, number>> {
    const both = (a: string, b: string) => [DIRECTORY_FD, ...this.path(a), DIRECTORY_FD, ...this.path(b)];
    return {
      create: Math.max(0, -(await this.open("new", CREATE))),
      truncate: Math.max(0, -(await this.open("kept", TRUNCATE))),
      mkdir: await this.call("path_create_directory", DIRECTORY_FD, ...this.path("made")),
      rmdir: await this.call("path_remove_directory", DIRECTORY_FD, ...this.path("empty")),
      unlink: await this.call("path_unlink_file", DIRECTORY_FD, ...this.path("kept")),
      rename: await this.call("path_rename", ...both("kept", "moved")),
      link: await this.call(
        "path_link",
        DIRECTORY_FD,
        0,
        ...this.path("kept"),
        DIRECTORY_FD,
        ...this.path("link"),
      ),
      symlink: await this.call("path_symlink", ...this.path("kept"), DIRECTORY_FD, ...this.path("symbolic")),
      times: await this.call(
        "path_filestat_set_times",
        DIRECTORY_FD,
        0,
        ...this.path("kept"),
        1_000n,
        1_000n,
        5,
      ),
    };
  }
}

let directory: string;
let mounted = false;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "wasmex-faults-"));
});
afterEach(() => {
  if (mounted) execFileSync("umount", ["--lazy", directory]);
  mounted = false;
  rmSync(directory, { recursive: true, force: true });
});

function mount(options: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", directory], { stdio: "pipe" });
  mounted = true;
}

/** A disk of our own takes root, and a machine that lets root mount: containers often don't. */
function canMount(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  directory = mkdtempSync(join(tmpdir(), "wasmex-faults-"));
  try {
    mount("size=64k");
    execFileSync("umount", [directory]);
    return true;
  } catch {
    return false;
  } finally {
    mounted = false;
    rmSync(directory, { recursive: true, force: true });
  }
}

const mountable = canMount();
const limitable = process.platform === "linux" && existsSync("/usr/bin/prlimit");

describe.each(
  (["inline", "worker"] as const).flatMap((thread) =>
    (HandleGround.works() ? [true, false] : [false]).map((handles) => ({ thread, handles })),
  ),
)("a host directory that fails, thread $thread, by handles: $handles", ({ thread, handles }) => {
  const begin = async (root = directory): Promise<Guest> =>
    new Guest(
      await Wasmex.start({
        module: await compiled,
        thread,
        wasi: {
          // A backend crosses to the thread as what it is: by handles or by paths.
          fs: new Wasmex.VirtualFileSystem({}, { root: new DirectoryBackend(root, handles) }),
          preopen: { "/": { flags: ["read", "write", "create"] } },
        },
      }),
    );

  const full = async (guest: Guest, file: number): Promise<number> => {
    for (;;) {
      const moved = await guest.move("fd_write", file);
      if (moved < 0) return -moved;
    }
  };

  it.runIf(mountable)(
    "a full disk is ENOSPC, and goes on when there is room (needs root to mount)",
    async () => {
      mount("size=256k,nr_inodes=12");
      writeFileSync(join(directory, "ballast"), new Uint8Array(100_000));
      const guest = await begin();
      const file = await guest.open("file", CREATE);
      expect(file).toBeGreaterThan(3);
      expect(await full(guest, file)).toBe(NOSPC);
      expect(await guest.move("fd_write", file, 8192)).toBe(-NOSPC);
      expect(await guest.call("fd_sync", file)).toBe(0);
      rmSync(join(directory, "ballast"));
      expect(await guest.move("fd_write", file, 8192)).toBe(8192);
      // What was written is there, to the byte that the guest was told of.
      const size = readFileSync(join(directory, "file")).length;
      expect(await guest.call("fd_filestat_get", file, 2048)).toBe(0);
      expect(guest.process.memory("uint64").get(2048 / 8 + 4)).toBe(BigInt(size));

      // No room for names either.
      let made = 0;
      while ((await guest.open(`name-${made}`, CREATE)) >= 0) made++;
      expect(made).toBeGreaterThan(3);
      expect(await guest.open("one-more", CREATE)).toBe(-NOSPC);
      expect(await guest.call("path_create_directory", DIRECTORY_FD, ...guest.path("d"))).toBe(NOSPC);
      expect(await guest.call("path_symlink", ...guest.path("file"), DIRECTORY_FD, ...guest.path("s"))).toBe(
        NOSPC,
      );
      expect(await guest.call("path_unlink_file", DIRECTORY_FD, ...guest.path("name-0"))).toBe(0);
      expect(await guest.open("one-more", CREATE)).toBe(-NOSPC); // The guest still holds what it has unlinked.
      expect(await guest.call("fd_close", file + 1)).toBe(0);
      expect(await guest.open("one-more", CREATE)).toBeGreaterThan(3);
      await guest.process.stop();
    },
  );

  it.runIf(mountable)(
    "a disk that goes read-only is EROFS, and still read (needs root to mount)",
    async () => {
      mount("size=256k");
      writeFileSync(join(directory, "kept"), "kept");
      mkdirSync(join(directory, "empty"));
      const guest = await begin();
      const reader = await guest.open("kept", 0, 2n);
      expect(reader).toBeGreaterThan(3);
      execFileSync("mount", ["-o", "remount,ro", directory]);
      const found = await guest.changes();
      for (const [name, errno] of Object.entries(found)) expect([name, errno]).toEqual([name, ROFS]);
      expect(await guest.move("fd_read", reader)).toBe(4);
      expect(await guest.call("fd_readdir", DIRECTORY_FD, BUFFER, 1000, 0n, ANSWER)).toBe(0);
      expect(await guest.call("path_filestat_get", DIRECTORY_FD, 0, ...guest.path("kept"), 2048)).toBe(0);
      execFileSync("mount", ["-o", "remount,rw", directory]);
      const mended = await guest.changes();
      for (const name of ["create", "truncate", "mkdir", "rmdir", "unlink", "symlink"]) {
        expect([name, mended[name]]).toEqual([name, 0]);
      }
      await guest.process.stop();
    },
  );

  it("a directory that is removed under the guest is ENOENT; what is open stays so", async () => {
    const root = join(directory, "root");
    mkdirSync(root);
    writeFileSync(join(root, "kept"), "kept");
    mkdirSync(join(root, "empty"));
    symlinkSync("kept", join(root, "way"));
    const guest = await begin(root);
    const file = await guest.open("kept");
    rmSync(root, { recursive: true });
    for (const [name, errno] of Object.entries(await guest.changes()))
      expect([name, errno]).toEqual([name, NOENT]);
    expect(await guest.open("way")).toBe(-NOENT);
    expect(await guest.call("path_filestat_get", DIRECTORY_FD, 0, ...guest.path("kept"), 2048)).toBe(NOENT);
    expect([0, NOENT]).toContain(await guest.call("fd_readdir", DIRECTORY_FD, BUFFER, 1000, 0n, ANSWER));
    expect(await guest.move("fd_read", file)).toBe(4);
    expect(await guest.move("fd_write", file, 100)).toBe(100);
    expect(await guest.call("fd_filestat_set_size", file, 10n)).toBe(0);
    expect(await guest.call("fd_close", file)).toBe(0);
    await guest.process.stop();
  });

  it.runIf(limitable)(
    "a file past the host's bound is EFBIG, and the host stays up (needs prlimit)",
    async () => {
      const limit = (bytes: string) =>
        execFileSync("prlimit", ["--pid", String(process.pid), `--fsize=${bytes}:`], { encoding: "utf8" });
      // Without a handler the system ends the whole program at such a write, whoever writes.
      const handler = (): void => undefined;
      process.on("SIGXFSZ", handler);
      const guest = await begin();
      try {
        const file = await guest.open("file", CREATE);
        limit("100000");
        expect(await full(guest, file)).toBe(FBIG);
        expect(readFileSync(join(directory, "file")).length).toBe(100_000);
        expect(await guest.call("fd_filestat_set_size", file, 200_000n)).toBe(FBIG);
      } finally {
        limit("unlimited");
        process.removeListener("SIGXFSZ", handler);
      }
      expect(await guest.open("file")).toBeGreaterThan(3);
      await guest.process.stop();
    },
  );
});
