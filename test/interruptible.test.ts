import { describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { failure } from "./support/index.js";

/** Loops, recurses and calls its host without an end; and works. */
const GUEST = `(module
  (import "env" "again" (func $again (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "spin") (i32.store (i32.const 0) (i32.const 7)) (loop $on (br $on)))
  (func $wide (param i32)
    (if (local.get 0) (then
      (call $wide (i32.sub (local.get 0) (i32.const 1)))
      (call $wide (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "recurse") (call $wide (i32.const 60)))
  (func (export "sum") (param i32) (result i64) (local $sum i64)
    (loop $next
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get 0))))
      (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $sum))
  (func (export "nested") (param i32) (result i32) (call $again (local.get 0)))
  (func $fails (param i32) (result i32)
    (loop $next (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.load (i32.const -8)))
  (func (export "fails") (result i32) (call $fails (i32.const 10))))`;

const options: Wasmex.StartOptions = {
  bytes: GUEST,
  thread: "inline",
  interruptible: true,
  imports: {
    env: {
      again: Wasmex.fn(["i32"], ["i32"], (context, what) => {
        if (what === 1) context.callFunction("spin");
        return what;
      }),
    },
  },
};

describe("start with interruptible", () => {
  it.each(["spin", "recurse"])("a call of %s is ended at its deadline on this thread", async (name) => {
    const guest = await Wasmex.start(options);
    expect(guest.thread).toBe("inline");
    const began = performance.now();
    const call = failure(guest.callFunction(name, [], 60));
    const queued = failure(guest.callFunction("add", [1, 2]));
    const error = await call;
    expect(performance.now() - began).toBeLessThan(1000);
    expect(error).toBeInstanceOf(Wasmex.TimeoutError);
    expect(error.message).toBe(`the call of \`${name}\` took longer than 60 ms: the guest was stopped`);
    expect(await queued).toBeInstanceOf(Wasmex.StoppedError);
    expect(await guest.exited).toEqual({ kind: "timeout", error });
    expect(await failure(guest.callFunction("add", [1, 2]))).toBeInstanceOf(Wasmex.StoppedError);
  });

  it.each(["work", "sleep"])("a loop that calls the host for a %s is ended at its deadline", async (name) => {
    const guest = await Wasmex.start({
      ...options,
      wasi: true,
      bytes: `(module
        (import "env" "work" (func $work))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "work") (loop $on (call $work) (br $on)))
        (func (export "sleep")
          (i32.store (i32.const 16) (i32.const 1))
          (i64.store (i32.const 24) (i64.const 40_000_000))
          (loop $on (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))) (br $on))))`,
      imports: {
        env: {
          work() {
            const end = performance.now() + 20;
            while (performance.now() < end);
          },
        },
      },
    });
    const began = performance.now();
    const error = await failure(guest.callFunction(name, [], 60));
    expect(performance.now() - began).toBeLessThan(1000);
    expect(error).toBeInstanceOf(Wasmex.TimeoutError);
    expect(await guest.exited).toEqual({ kind: "timeout", error });
  });

  it("a guest that sleeps for long, or waits for input, is ended at its deadline where this thread may sleep", async () => {
    const stdin = new Wasmex.Pipe({ blocking: true });
    const start = () =>
      Wasmex.start({
        thread: "inline",
        interruptible: true,
        wasi: { stdin },
        bytes: `(module
          (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (func (export "sleep") (result i32)
            (i32.store (i32.const 16) (i32.const 1))
            (i64.store (i32.const 24) (i64.const 3_000_000_000))
            (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))
          (func (export "read") (result i32)
            (i32.store (i32.const 0) (i32.const 64))
            (i32.store (i32.const 4) (i32.const 64))
            (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 32))))`,
      });
    if (globalThis.process === undefined) return;
    // Another thread could write to it from now on.
    (stdin as unknown as { share(): void }).share();
    for (const name of ["sleep", "read"]) {
      const guest = await start();
      const began = performance.now();
      expect(await failure(guest.callFunction(name, [], 60))).toBeInstanceOf(Wasmex.TimeoutError);
      expect(performance.now() - began).toBeLessThan(1000);
    }
  });

  it("what the guest wrote before it was ended can be read", async () => {
    const guest = await Wasmex.start(options);
    const memory = guest.memory("int32");
    await failure(guest.callFunction("spin", [], 30));
    expect(memory.get(0)).toBe(7);
  });

  it("a call from a host function is ended with the call that led to it", async () => {
    const guest = await Wasmex.start(options);
    expect(await guest.callFunction("nested", [2])).toEqual([2]);
    const error = await failure(guest.callFunction("nested", [1], 60));
    expect(error).toBeInstanceOf(Wasmex.TimeoutError);
    expect(error.message).toBe("the call of `nested` took longer than 60 ms: the guest was stopped");
  });

  it("a guest that ends in time answers as ever, and its exports are those of the module", async () => {
    await using guest = await Wasmex.start(options);
    expect(await guest.callFunction("sum", [100_000])).toEqual([5_000_050_000n]);
    expect(await guest.callFunction("sum", [100_000], Number.POSITIVE_INFINITY)).toEqual([5_000_050_000n]);
    expect(guest.functionExists("add")).toBe(true);
  });

  it("a trap has the same reason, names and places as without checks", async () => {
    await using plain = await Wasmex.start({ ...options, interruptible: false });
    await using guest = await Wasmex.start(options);
    const expected = (await failure(plain.callFunction("fails"))) as Wasmex.TrapError;
    const trap = (await failure(guest.callFunction("fails"))) as Wasmex.TrapError;
    expect(trap.reason).toBe("out_of_bounds_memory");
    expect(trap.message).toBe(expected.message);
    const [first, second] = trap.frames;
    expect([first, second]).toEqual(expected.frames.slice(0, 2));
  });

  it("run ends a program at its timeout", async () => {
    const bytes = `(module (memory (export "memory") 1) (func (export "_start") (loop $on (br $on))))`;
    const error = await failure(Wasmex.run({ bytes, thread: "inline", interruptible: true, timeout: 200 }));
    expect(error).toBeInstanceOf(Wasmex.TimeoutError);
    expect(error.message).toContain("took longer than 200 ms: the guest was stopped");
  });

  it("a supervised guest on this thread comes back after its timeout", async () => {
    await using supervisor = await Wasmex.Supervisor.start([Wasmex.childSpec({ id: "child", ...options })]);
    const first = supervisor.child("child");
    await failure(first.callFunction("spin", [], 30));
    await first.exited;
    await expect.poll(() => supervisor.child("child") !== first).toBe(true);
    expect(await supervisor.child("child").callFunction("add", [1, 2])).toEqual([3]);
  });

  it("a module whose bytes are unknown is refused, as no checks can be put into it", async () => {
    const module = new WebAssembly.Module(
      Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 4, 1, 2, 0, 0x0b),
    );
    const error = await failure(Wasmex.start({ module, thread: "inline", interruptible: true }));
    expect(error).toBeInstanceOf(Wasmex.UnsupportedError);
    expect(error.message).toMatch(/^interruptible: /);
  });

  it("a start function runs before everything else, and what it ends with is told as ever", async () => {
    const counts = (body: string) => `(module (global $g (mut i32) (i32.const 0))
      (func $spin (loop $next (br_if $next (i32.lt_u (global.get $g) (i32.const 5000))
        (global.set $g (i32.add (global.get $g) (i32.const 1))))))
      (func $start (call $spin) ${body}) (start $start)
      (func (export "count") (result i32) (global.get $g)))`;
    await using guest = await Wasmex.start({ ...options, imports: {}, bytes: counts("") });
    expect(await guest.callFunction("count")).toEqual([5001]);
    for (const interruptible of [true, false]) {
      const error = await failure(
        Wasmex.start({ ...options, imports: {}, bytes: counts("unreachable"), interruptible }),
      );
      expect(error).toBeInstanceOf(Wasmex.TrapError);
      expect(error.message).toBe("wasm trap: unreachable in `start`");
    }
  });
});
