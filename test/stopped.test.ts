// What becomes of a guest after it was stopped: an engine may let its thread run on for seconds, and nobody is to notice.
import { describe, expect, test } from "vitest";
import * as Wasmex from "wasmex";
import { thread } from "./support/index.js";

/** Reads its input for ever and writes it back; or sleeps and then writes; or writes, or calls its host, for ever. */
const GUEST = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "env" "ask" (func $ask))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\40\\00\\00\\00\\10\\00\\00\\00")
  (data (i32.const 8) "\\40\\00\\00\\00\\02\\00\\00\\00")
  (data (i32.const 64) "x\\n")
  (func (export "echo")
    (loop $again
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 32)))
      (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 36)))
      (br $again)))
  (func (export "nap") (param $nanoseconds i64)
    (i32.store (i32.const 144) (i32.const 1))
    (i64.store (i32.const 152) (local.get $nanoseconds))
    (drop (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 32)))
    (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 36))))
  (func (export "write")
    (loop $again
      (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 36)))
      (br $again)))
  (func (export "ask")
    (loop $again
      (call $ask)
      (i32.store (i32.const 512) (i32.add (i32.load (i32.const 512)) (i32.const 1)))
      (br $again))))`;

const isShared = thread === "worker" && Wasmex.capabilities().sharedMemory;

async function open(ask: () => unknown = () => undefined) {
  const stdin = new Wasmex.Pipe({ blocking: true });
  const stdout = new Wasmex.Pipe();
  const module = await Wasmex.Module.compile(GUEST);
  const imports = { env: { ask } };
  const start = () => Wasmex.start({ module, imports, thread, wasi: { stdin, stdout } });
  return { stdin, stdout, start, guest: await start() };
}

/** Takes as long as a few threads take to come and go. */
async function meanwhile(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await (await Wasmex.start({ bytes: "(module)", thread })).stop();
}

describe.runIf(isShared)(`a Process that was stopped (${thread})`, () => {
  test("takes nothing from its stdin that is written afterwards", async () => {
    const { stdin, stdout, guest, start } = await open();
    const ended = guest.callFunction("echo", [], 30).catch((error: unknown) => error);
    expect(await ended).toBeInstanceOf(Wasmex.TimeoutError);
    stdin.write("one\n");
    await meanwhile();
    expect([stdin.size, stdout.size]).toEqual([4, 0]);
    const next = await start();
    const echoed = next.callFunction("echo", [], Infinity).catch((error: unknown) => error);
    const { value } = await stdout[Symbol.asyncIterator]().next();
    expect(new TextDecoder().decode(value as Uint8Array)).toBe("on");
    await next.stop();
    expect(await echoed).toBeInstanceOf(Wasmex.StoppedError);
  });

  test("writes nothing more to its stdout", async () => {
    const { stdout, guest } = await open();
    const ended = guest.callFunction("write", [], 30).catch((error: unknown) => error);
    expect(await ended).toBeInstanceOf(Wasmex.TimeoutError);
    // What was being written when it was stopped may still come.
    await meanwhile();
    stdout.read();
    await meanwhile();
    expect(stdout.size).toBe(0);
  });

  test("does not wake from its sleep", async () => {
    const { stdout, guest } = await open();
    const napping = guest.callFunction("nap", [40_000_000n]).catch((error: unknown) => error);
    await guest.stop();
    expect(await napping).toBeInstanceOf(Wasmex.StoppedError);
    await meanwhile();
    expect(stdout.size).toBe(0);
  });

  test.each(["answers", "never answers"])("calls no host function that %s any more", async (kind) => {
    let asked = 0;
    const never = new Promise(() => undefined);
    const { guest } = await open(() => {
      asked++;
      return kind === "answers" ? undefined : never;
    });
    const memory = guest.memory("uint32");
    const ended = guest.callFunction("ask", [], 30).catch((error: unknown) => error);
    expect(await ended).toBeInstanceOf(Wasmex.TimeoutError);
    const before = asked;
    await meanwhile();
    const count = memory.get(128);
    await meanwhile();
    expect([asked, memory.get(128)]).toEqual([before, count]);
  });
});
