import { describe, expect, test } from "vitest";
import * as Wasmex from "wasmex";
import { thread } from "../support/thread.js";

/** Copies stdin to stdout until the end, then exits with the number of arguments. */
const CAT = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (loop $more
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 4096))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
      (br_if $more (i32.load (i32.const 8))))
    (drop (call $args (i32.const 16) (i32.const 20)))
    (call $exit (i32.sub (i32.load (i32.const 16)) (i32.const 1)))))`;

/** Opens "in.txt" in the first preopen for reading and writing as asked; answers the errno. */
const FILES = `(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "in.txt")
  (data (i32.const 96) "out.txt")
  (data (i32.const 128) "../secret")
  (data (i32.const 160) "written by the guest")
  (func (export "open") (param $path i32) (param $length i32) (param $oflags i32) (param $rights i64) (result i32)
    (call $open (i32.const 3) (i32.const 1) (local.get $path) (local.get $length)
      (local.get $oflags) (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 0)))
  (func (export "write") (result i32) (local $errno i32)
    (local.set $errno (call $open (i32.const 3) (i32.const 1) (i32.const 96) (i32.const 7)
      (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 0)))
    (if (local.get $errno) (then (return (local.get $errno))))
    (i32.store (i32.const 8) (i32.const 160))
    (i32.store (i32.const 12) (i32.const 20))
    (local.set $errno (call $write (i32.load (i32.const 0)) (i32.const 8) (i32.const 1) (i32.const 16)))
    (drop (call $close (i32.load (i32.const 0))))
    (local.get $errno))
  (func (export "read") (result i32)
    (drop (call $open (i32.const 3) (i32.const 1) (i32.const 64) (i32.const 6)
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)))
    (i32.store (i32.const 8) (i32.const 512))
    (i32.store (i32.const 12) (i32.const 256))
    (drop (call $read (i32.load (i32.const 0)) (i32.const 8) (i32.const 1) (i32.const 16)))
    (drop (call $close (i32.load (i32.const 0))))
    (i32.load (i32.const 16))))`;

const EACCES = 2;
const EPERM = 63;
const ENOTCAPABLE = 76;
const RIGHT_READ = 2n;
const RIGHT_WRITE = 64n;
const CREATE = 1;
const TRUNCATE = 8;

describe(`WASI (${thread})`, () => {
  test("stdin reaches the guest and stdout comes back through pipes", async () => {
    const stdin = new Wasmex.Pipe();
    const stdout = Wasmex.Pipe.create();
    expect(stdin.write("höllo")).toBe(6);
    const guest = await Wasmex.start({ bytes: CAT, wasi: { stdin, stdout }, thread });
    expect(await guest.callFunction("_start")).toEqual([]);
    expect(stdout.readString()).toBe("höllo");
    expect(stdout.size).toBe(0);
    expect(stdin.size).toBe(0);
    await guest.stop();
  });

  test("an exit code other than 0 rejects with ExitError", async () => {
    const guest = await Wasmex.start({
      bytes: CAT,
      wasi: { args: ["a", "b"], stdin: "null", stdout: "null" },
      thread,
    });
    await expect(guest.callFunction("_start")).rejects.toMatchObject({ name: "ExitError", code: 2 });
    await guest.stop();
  });

  test("one pipe serves as stdin, stdout and stderr at once", async () => {
    const pipe = new Wasmex.Pipe();
    pipe.write("round");
    const guest = await Wasmex.start({
      bytes: CAT.replace("(br_if $more (i32.load (i32.const 8)))", ""),
      wasi: { stdin: pipe, stdout: pipe, stderr: pipe },
      thread,
    });
    await guest.callFunction("_start");
    expect(pipe.readString()).toBe("round");
    await guest.stop();
  });

  test("a callback gets the chunks before the call resolves", async () => {
    const chunks: string[] = [];
    const stdin = new Wasmex.Pipe();
    stdin.write("to the callback");
    const guest = await Wasmex.start({
      bytes: CAT,
      wasi: { stdin, stdout: (chunk: Uint8Array) => chunks.push(new TextDecoder().decode(chunk)) },
      thread,
    });
    await guest.callFunction("_start");
    expect(chunks.join("")).toBe("to the callback");
    await guest.stop();
  });

  test("run captures the text of stdout and the exit code", async () => {
    const stdin = new Wasmex.Pipe();
    stdin.write("captured");
    expect(await Wasmex.run({ bytes: CAT, wasi: { stdin, args: ["x"] }, thread })).toEqual({
      exitCode: 1,
      stdout: "captured",
      stderr: "",
    });
  });

  const withFlags = async (flags: ("read" | "write" | "create")[]) => {
    const fs = new Wasmex.VirtualFileSystem({ "/data": { "in.txt": "from the host" }, "/secret": "hidden" });
    const guest = await Wasmex.start({
      bytes: FILES,
      wasi: { fs, preopen: { "/data": { flags, alias: "/" } } },
      thread,
    });
    return { fs, guest };
  };

  test("what the guest wrote is there when its call resolves, and the other way round", async () => {
    const { fs, guest } = await withFlags(["read", "write", "create"]);
    expect(await guest.callFunction("write")).toEqual([0]);
    expect(fs.readFile("/data/out.txt", "utf8")).toBe("written by the guest");
    fs.writeFile("/data/in.txt", "changed meanwhile");
    expect(await guest.callFunction("read")).toEqual([17]);
    expect(guest.memory().readString(512, 17)).toBe("changed meanwhile");
    await guest.stop();
  });

  test("the rights of a preopen hold", async () => {
    const open = async (
      flags: ("read" | "write" | "create")[],
      path: number,
      length: number,
      oflags: number,
      rights: bigint,
    ) => {
      const { guest } = await withFlags(flags);
      const [errno] = await guest.callFunction("open", [path, length, oflags, rights]);
      await guest.stop();
      return errno;
    };
    expect(await open(["read"], 64, 6, 0, RIGHT_READ)).toBe(0);
    expect(await open(["write"], 64, 6, 0, RIGHT_READ)).toBe(EACCES);
    expect(await open(["create"], 64, 6, 0, RIGHT_READ)).toBe(EACCES);
    expect(await open(["read"], 64, 6, 0, RIGHT_WRITE)).toBe(EACCES);
    expect(await open(["write"], 64, 6, 0, RIGHT_WRITE)).toBe(0);
    expect(await open(["read"], 64, 6, TRUNCATE, RIGHT_READ)).toBe(EACCES);
    expect(await open(["read"], 96, 7, CREATE, RIGHT_READ)).toBe(EACCES);
    expect(await open(["write"], 96, 7, CREATE, RIGHT_WRITE)).toBe(EACCES);
    expect(await open(["create"], 96, 7, CREATE, RIGHT_WRITE)).toBe(0);
    expect(await open(["create"], 64, 6, CREATE, RIGHT_WRITE)).toBe(EACCES);
    expect([EPERM, ENOTCAPABLE]).toContain(await open(["read", "write", "create"], 128, 9, 0, RIGHT_READ));
  });
});
