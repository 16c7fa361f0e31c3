import { describe, expect, test } from "vitest";
import * as Wasmex from "wasmex";
import { wat } from "../support/index.js";
import { thread } from "../support/thread.js";

const inWorker = thread === "worker";

describe(`misuse (${thread})`, () => {
  test.each([
    ["wasi.stdin", { stdin: "abc" }],
    ["wasi.stdin", { stdin: () => 1 }],
    ["wasi.stdout", { stdout: "x" }],
    ["wasi.stderr", { stderr: 5 }],
    ["wasi.bogus is unknown", { bogus: 1 }],
    ["wasi.fs", { fs: {} }],
    ["wasi: pass true or an object", 5],
  ])("start names what is wrong: %s", async (text, wasi) => {
    const started = Wasmex.start({ bytes: "(module)", thread, wasi: wasi as never });
    await expect(started).rejects.toThrow(Wasmex.WasmexError);
    await expect(started).rejects.toThrow(text);
  });

  test("start without anything asks for a module", async () => {
    await expect(Wasmex.start()).rejects.toThrow("pass a `module`");
  });

  test("Process.callFunction names what is wrong, and the process goes on", async () => {
    const guest = await Wasmex.start({
      bytes: `(module (func (export "f") (result i32) (i32.const 7)))`,
      thread,
    });
    for (const [args, text] of [
      [["f", null], "params: pass an array, not null"],
      [["f", 5], "params: pass an array, not 5"],
      [["f", [], null], "timeout: pass milliseconds from 0 on, or Infinity for none, not null"],
      [["f", [], "5"], 'timeout: pass milliseconds from 0 on, or Infinity for none, not "5"'],
      [["f", [], { signal: 5 }], "signal: pass an AbortSignal, not 5"],
      [[Symbol("x")], "exported function `Symbol(x)` not found"],
    ] as const) {
      const failure = await guest.callFunction(...(args as unknown as [string])).catch((error) => error);
      expect(failure).toBeInstanceOf(Wasmex.CallError);
      expect(failure.message).toBe(text);
    }
    expect(await guest.callFunction("f")).toEqual([7]);
    await guest.stop();
  });

  test("a module compiled elsewhere takes as many params as its functions have", async () => {
    const bytes = await wat(`(module (func (export "f") (param i32) (result i32) (local.get 0)))`);
    const module = await Wasmex.Module.compile(await WebAssembly.compile(bytes));
    const guest = await Wasmex.start({ module, thread });
    expect(await guest.callFunction("f", [3])).toEqual([3]);
    await expect(guest.callFunction("f", [])).rejects.toThrow("expected 1, got 0");
    await expect(guest.callFunction("f", [1, 2])).rejects.toThrow("expected 1, got 2");
    await guest.stop();
  });

  test.each([
    ["the start function", "(start $s)"],
    ["_initialize", `(export "_initialize" (func $s))`],
  ])("a trap in %s has the frames and places of the module as it was given", async (_what, entry) => {
    const text = `(module (memory (export "memory") 1) (func $deep unreachable) (func $s (call $deep)) ${entry})`;
    const trap = await Wasmex.start({ bytes: text, thread, wasi: true }).catch((error) => error);
    expect(trap).toBeInstanceOf(Wasmex.TrapError);
    expect(trap.frames.map(({ name }: Wasmex.Frame) => name)).toEqual(["deep", "s"]);
    const bytes = new Uint8Array(await wat(text));
    const [{ offset }] = trap.frames;
    // JavaScriptCore tells no offsets.
    if (offset !== undefined) expect(bytes[offset]).toBe(0x00);
  });

  test("a trap's place and reason are those of the module as it was given, whatever its memory is made to", async () => {
    const text = `(module (memory (export "memory") 1) (table 1 funcref)
      (func (export "load") (drop (i32.load (i32.const -4))))
      (func (export "table") (drop (table.get 0 (i32.const 9))))
      (func (export "call") (call_indirect (i32.const 9))))`;
    const guest = await Wasmex.start({ bytes: text, thread });
    const reason = async (name: string) =>
      (await guest.callFunction(name).catch((error: Wasmex.TrapError) => error)) as Wasmex.TrapError;
    expect((await reason("load")).reason).toBe("out_of_bounds_memory");
    expect((await reason("table")).reason).toBe("out_of_bounds_table");
    expect((await reason("call")).reason).toBe("out_of_bounds_table");
    const [frame] = (await reason("load")).frames;
    if (frame?.offset !== undefined) expect(new Uint8Array(await wat(text))[frame.offset]).toBe(0x28);
    await guest.stop();
  });

  test.runIf(inWorker)("calls that stop ends before anybody waits for them are handled", async () => {
    const guest = await Wasmex.start({ bytes: `(module (func (export "spin") (loop (br 0))))`, thread });
    const calls = [guest.callFunction("spin"), guest.callFunction("spin")];
    await guest.stop();
    for (const call of calls) await expect(call).rejects.toThrow(Wasmex.StoppedError);
  });

  test.runIf(inWorker)("run tells the timeout that it was given", async () => {
    const run = Wasmex.run({
      bytes: `(module (func (export "_start") (loop (br 0))))`,
      timeout: 500,
      thread,
    });
    await expect(run).rejects.toThrow(Wasmex.TimeoutError);
    await expect(run).rejects.toThrow("took longer than 500 ms");
  });

  test("run refuses a timeout that is none", async () => {
    await expect(Wasmex.run({ bytes: "(module)", timeout: -1, thread })).rejects.toThrow(
      "timeout: pass milliseconds",
    );
  });

  test.each([null, 5, {}, { aborted: true }])(
    "start, run and compile refuse %j as a signal",
    async (signal) => {
      const options = { signal: signal as never };
      // A source that fails later may leave no rejection that nobody handles.
      for (const bytes of ["(module)", "(bogus"]) {
        await expect(Wasmex.start({ bytes, thread, ...options })).rejects.toThrow(
          "signal: pass an AbortSignal",
        );
        for (const timeout of [undefined, 1000]) {
          await expect(Wasmex.run({ bytes, thread, timeout, ...options })).rejects.toThrow(
            "signal: pass an AbortSignal",
          );
        }
        await expect(Wasmex.Module.compile(bytes, options)).rejects.toThrow("signal: pass an AbortSignal");
      }
    },
  );
});
