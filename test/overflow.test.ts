import { Directory, File } from "@bjorn3/browser_wasi_shim";
import { describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { thread } from "./support/index.js";

/** `recurse` makes and closes a file at every depth until the stack is used up; `move` renames, over and over. */
const GUEST = `(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $path_rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "note.txt")
  (data (i32.const 48) "m/ay")
  (func $touch (export "touch") (result i32) (local $errno i32)
    (local.set $errno
      (call $path_open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 8)
        (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16)))
    (drop (call $fd_close (i32.load (i32.const 16))))
    (local.get $errno))
  (func $on (drop (call $touch)) (call $on))
  (func $down (param i32)
    (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1)))) (else (call $on))))
  (func (export "recurse") (param i32) (call $down (local.get 0)))
  (func (export "move") (param $times i32) (result i32) (local $errno i32)
    (loop $again
      (local.set $errno
        (call $path_rename (i32.const 3) (i32.const 48) (i32.const 3) (i32.const 3) (i32.const 51) (i32.const 1)))
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
    (local.get $errno)))`;

const compiled = Wasmex.Module.compile(GUEST);

describe(`a file system that a guest shares (${thread})`, () => {
  it("stays free for others when the guest's stack overflows anywhere in WASI", {
    timeout: 60_000,
  }, async () => {
    const fs = new Wasmex.VirtualFileSystem({ "/home": {} });
    const wasi: Wasmex.WasiOptions = {
      fs,
      stdin: "null",
      preopen: { "/home": { flags: ["read", "write", "create"] } },
    };
    const module = await compiled;
    await using reckless = await Wasmex.start({ module, thread, wasi });
    await using other = await Wasmex.start({ module, thread, wasi });
    for (let offset = 0; offset < 24; offset++) {
      const error = await reckless.callFunction("recurse", [1000 + offset], 20_000).catch((thrown) => thrown);
      expect(error).toMatchObject({ name: "TrapError", reason: "stack_overflow" });
      expect(fs.exists("/home/note.txt")).toBe(true);
      expect(await other.callFunction("touch")).toEqual([0]);
    }
    expect(await reckless.callFunction("touch")).toEqual([0]);
  });

  it("stays free while the guest renames out of a mounted directory of browser_wasi_shim", async () => {
    const shim = new Directory([["a", new File([])]]);
    const fs = new Wasmex.VirtualFileSystem({ "/w": { m: shim as never } });
    await using guest = await Wasmex.start({
      module: await compiled,
      thread,
      wasi: { fs, stdin: "null", preopen: { "/w": { flags: ["read", "write", "create"] } } },
    });
    let over = false;
    const moving = guest.callFunction("move", [200], 20_000).finally(() => {
      over = true;
    });
    while (!over) {
      for (let looks = 0; looks < 10; looks++) expect(fs.exists("/w/m/a")).toBe(true);
      await new Promise((resolve) => setTimeout(resolve));
    }
    // WASI preview 1, `errno.xdev`.
    expect(await moving).toEqual([75]);
    expect(fs.readdir("/w")).toEqual(["m"]);
  });
});
