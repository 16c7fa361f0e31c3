// A small app: what it imports, a bundler has to bring to the page.
import * as Wasmex from "wasmex";

const CALLS = `(module
  (import "env" "twice" (func $twice (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "hello")
  (func (export "quadruple") (param i32) (result i32) (call $twice (call $twice (local.get 0))))
  (func (export "forever") (loop br 0)))`;

/** Writes the file `greeting` of its first directory: its first bytes are those of `hello`. */
const WRITER = `(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "greeting")
  (data (i32.const 96) "hello")
  (func $check (param i32) (if (local.get 0) (then (call $exit (local.get 0)))))
  (func (export "_start")
    (call $check (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 8) (i32.const 9)
      (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 0)))
    (i32.store (i32.const 8) (i32.const 96))
    (i32.store (i32.const 12) (i32.const 5))
    (call $check (call $write (i32.load (i32.const 0)) (i32.const 8) (i32.const 1) (i32.const 16)))))`;

/** Set where the page forbids the worker that the package brings along. @type {string | undefined} */
const workerUrl = /** @type {any} */ (globalThis).workerUrl;
const options = workerUrl === undefined ? {} : { workerUrl };

/** What the app does, and what comes out of it: a plain object for whoever drives the page. */
async function work() {
  const imports = { env: { twice: Wasmex.fn(["i32"], ["i32"], (_context, value) => value * 2) } };
  const guest = await Wasmex.start({ bytes: CALLS, imports, ...options });
  const { thread } = guest;
  const results = await guest.callFunction("quadruple", [5]);
  const text = guest.memory().readString(8, 5);
  let timeout = "none";
  if (thread === "worker") {
    timeout = await guest.callFunction("forever", [], 100).then(
      () => "none",
      (error) => error.name,
    );
  }
  await guest.stop();
  const fs = new Wasmex.VirtualFileSystem({ "/home": {} });
  /** @type {import("wasmex").PreopenOptions} */
  const home = { flags: ["read", "write", "create"] };
  const { exitCode } = await Wasmex.run({
    bytes: WRITER,
    wasi: { fs, preopen: { "/home": home } },
    ...options,
  });
  return { thread, results, text, timeout, exitCode, file: fs.readFile("/home/greeting", "utf8") };
}

globalThis.outcome = work().then(
  (result) => JSON.stringify(result),
  (error) => `${error}\n${error.stack}\n${error.cause?.stack ?? error.cause ?? ""}`,
);
