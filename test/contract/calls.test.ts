import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as Wasmex from "wasmex";
import { binary, section, vec } from "../binary/build.js";
import { thread } from "../support/thread.js";
import { COUNTING_IMPORT, GUEST } from "./guest.js";

describe(`Process calls (${thread})`, () => {
  let guest: Wasmex.Process;
  beforeAll(async () => {
    guest = await Wasmex.start({
      module: await Wasmex.Module.compile(GUEST),
      imports: { env: COUNTING_IMPORT },
      thread,
    });
  });
  afterAll(() => guest.stop());

  test("start takes a promise of a module, Module.compile a module as it is", async () => {
    const imports = { env: COUNTING_IMPORT };
    const module = await Wasmex.Module.compile(GUEST);
    expect(await Wasmex.Module.compile(module)).toBe(module);
    const started = await Wasmex.start({ module: Wasmex.Module.compile(GUEST), imports, thread });
    expect(await started.callFunction("sum", [50, -8])).toEqual([42]);
    await started.stop();
    const bad = Wasmex.Module.compile("(module (bad))");
    await expect(Wasmex.start({ module: bad, imports, thread })).rejects.toThrow(Wasmex.CompileError);
    const never = new Promise<Wasmex.Module>(() => undefined);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(Wasmex.start({ module: never, thread, signal })).rejects.toThrow("enough");
    const later = new AbortController();
    const starting = Wasmex.start({ module: never, thread, signal: later.signal });
    later.abort(new Error("later"));
    await expect(starting).rejects.toThrow("later");
  });

  test("Process.callFunction answers arrays of the contract's values", async () => {
    expect(await guest.callFunction("sum", [50, -8])).toEqual([42]);
    expect(await guest.callFunction("nothing")).toEqual([]);
    expect(await guest.callFunction("wide", [2n ** 62n])).toEqual([2n ** 62n + 1n]);
    expect(await guest.callFunction("wide", [41])).toEqual([42n]);
    expect(await guest.callFunction("half", [3])).toEqual([1.5]);
    expect(await guest.callFunction("double", [Number.MAX_VALUE])).toEqual([Number.POSITIVE_INFINITY]);
    expect(await guest.callFunction("pair", [3])).toEqual([3, 9n]);
    expect(await guest.callFunction("__proto__")).toEqual([77]);
    expect(await guest.callFunction("call_host", [1, 2n])).toEqual([3n]);
  });

  test("Process.callFunction refuses with the contract's words", async () => {
    const refused = (name: string, params: unknown[]) =>
      expect(guest.callFunction(name, params as Wasmex.WasmValue[])).rejects;
    await refused("sun", []).toThrow("exported function `sun` not found");
    await refused("memory", []).toThrow("exported function `memory` not found");
    await refused("nothing", [1]).toThrow("number of params does not match. expected 0, got 1");
    await refused("sum", [1]).toThrow("number of params does not match. expected 2, got 1");
    await refused("sum", ["a", 1]).toThrow("Cannot convert argument #1 to a WebAssembly i32 value.");
    await refused("sum", [1, 2 ** 31]).toThrow("Cannot convert argument #2 to a WebAssembly i32 value.");
    await refused("sum", [1, 1.5]).toThrow("Cannot convert argument #2 to a WebAssembly i32 value.");
    await refused("wide", [2n ** 63n]).toThrow("Cannot convert argument #1 to a WebAssembly i64 value.");
    await refused("wide", [2 ** 53]).toThrow("Cannot convert argument #1 to a WebAssembly i64 value.");
    await refused("half", [1e39]).toThrow("Cannot convert argument #1 to a WebAssembly f32 value.");
    await refused("double", [1n]).toThrow("Cannot convert argument #1 to a WebAssembly f64 value.");
    await refused("sum", [1]).toThrow(Wasmex.CallError);
  });

  test("Process.functionExists tells exports that are functions", () => {
    expect(guest.functionExists("sum")).toBe(true);
    expect(guest.functionExists("memory")).toBe(false);
    expect(guest.functionExists("constructor")).toBe(false);
    expect(guest.thread).toBe(thread);
  });

  test("TrapError has the same reason on every engine, and frames with names", async () => {
    const reason = (name: string, params: Wasmex.WasmValue[] = []) =>
      guest.callFunction(name, params).then(
        () => "none",
        (e: unknown) => (e instanceof Wasmex.TrapError ? e.reason : String(e)),
      );
    expect(await reason("trap")).toBe("unreachable");
    expect(await reason("oob")).toBe("out_of_bounds_memory");
    expect(await reason("divide", [1, 0])).toBe("integer_divide_by_zero");
    expect(await reason("divide", [-(2 ** 31), -1])).toBe("integer_overflow");
    expect(await reason("deep")).toBe("stack_overflow");
    const trap = (await guest.callFunction("trap").catch((e: unknown) => e)) as Wasmex.TrapError;
    expect(trap.frames[0]?.name).toBe("boom");
    expect(await guest.callFunction("sum", [1, 1])).toEqual([2]);
  });

  test("Process.memory is one synchronous view that both sides see", async () => {
    const memory = guest.memory("uint8", 0);
    expect(memory.readString(16, 5)).toBe("hello");
    expect(memory.readCString(22)).toBe("world");
    memory.writeBinary(100, "hello, world");
    expect(await guest.callFunction("first_byte", [100, 12])).toEqual([104]);
    await guest.callFunction("poke", [101, 90]);
    expect(memory.get(101)).toBe(90);
    expect(memory.length).toBe(131072);
    expect(await guest.callFunction("grow", [1])).toEqual([2]);
    expect(memory.length).toBe(3 * 65536);
    expect(memory.grow(1)).toBe(3);
    expect(guest.memory("uint32", 4).length).toBe(65536 - 4);
    expect(() => memory.set(0, 256)).toThrow(RangeError);
    expect(() => memory.get(4 * 65536)).toThrow(
      "Out of bound: Given index 262144 is larger than the memory size 262144.",
    );
  });

  test("Process.memory without an exported memory throws the contract's words", async () => {
    const bare = await Wasmex.start({ bytes: "(module)", thread });
    expect(() => bare.memory()).toThrow("The WebAssembly module has no exported memory.");
    await bare.stop();
  });

  test("Process.callFunction serves calls in order", async () => {
    const order: number[] = [];
    await Promise.all(
      [0, 1, 2, 3, 4].map((n) =>
        guest.callFunction("sum", [n, 0]).then(([value]) => order.push(Number(value))),
      ),
    );
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });
});

describe(`Process ends (${thread})`, () => {
  test("Process.stop rejects what comes later with StoppedError", async () => {
    const guest = await Wasmex.start({ bytes: GUEST, imports: { env: COUNTING_IMPORT }, thread });
    await guest.stop();
    await guest.stop();
    await expect(guest.callFunction("nothing")).rejects.toThrow(Wasmex.StoppedError);
    await guest.exited;
  });

  test.runIf(thread === "worker")(
    "TimeoutError comes within 50 ms of the deadline and stops the guest",
    async () => {
      const guest = await Wasmex.start({ bytes: GUEST, imports: { env: COUNTING_IMPORT }, thread });
      const begin = performance.now();
      const running = guest.callFunction("spin", [], 100);
      const queued = guest.callFunction("nothing", [], 10_000);
      await expect(running).rejects.toThrow(Wasmex.TimeoutError);
      expect(performance.now() - begin).toBeLessThan(1000);
      await expect(queued).rejects.toThrow(Wasmex.WasmexError);
      await expect(guest.callFunction("nothing")).rejects.toThrow(Wasmex.StoppedError);
      await guest.exited;
    },
  );

  test.runIf(thread === "worker")("Process.callFunction is aborted by its signal", async () => {
    const guest = await Wasmex.start({ bytes: GUEST, imports: { env: COUNTING_IMPORT }, thread });
    const controller = new AbortController();
    const running = guest.callFunction("spin", [], { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(running).rejects.toThrow();
    await guest.exited;
  });

  test("start lists every missing and mistyped import at once", async () => {
    const source = `(module (import "env" "one" (func (param i32) (result i32))) (import "env" "two" (global i32)) (import "env" "three" (func)))`;
    const failure = await Wasmex.start({
      bytes: source,
      imports: { env: { one: Wasmex.fn(["i64"], ["i32"], () => 0) } },
      thread,
    }).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(Wasmex.LinkError);
    for (const name of ["one", "two", "three"]) expect((failure as Error).message).toContain(name);
  });
});

/** Makes an object of the guest's own (WebAssembly GC), and hands one to the host. */
const GC = binary(
  section(
    1,
    vec([0x5f, vec([0x7f, 1])], [0x60, vec(), vec(0x6e)], [0x60, vec(0x6e), vec()], [0x60, vec(), vec()]),
  ),
  section(2, vec(["env", "see", 0, 2])),
  section(3, vec(1, 3)),
  section(7, vec(["make", 0, 1], ["pass", 0, 2])),
  section(10, vec([7, 0, 0x41, 7, 0xfb, 0, 0, 0x0b], [9, 0, 0x41, 7, 0xfb, 0, 0, 0x10, 0, 0x0b])),
);

test.runIf(WebAssembly.validate(GC))(
  `an object of the guest's own crosses no thread (${thread})`,
  async () => {
    const seen: unknown[] = [];
    const imports = { env: { see: (value: unknown) => void seen.push(value) } };
    const guest = await Wasmex.start({ bytes: GC, thread, imports });
    if (thread === "inline") {
      const [object] = await guest.callFunction("make");
      expect(Object.getPrototypeOf(object)).toBe(null);
      await guest.callFunction("pass");
      expect(seen).toHaveLength(1);
    } else {
      for (const name of ["make", "pass"]) {
        await expect(guest.callFunction(name)).rejects.toThrow(Wasmex.UnsupportedError);
        await expect(guest.callFunction(name)).rejects.toThrow(
          /WebAssembly GC cannot cross .* thread: "inline"/,
        );
      }
      expect(seen).toEqual([]);
    }
    await guest.stop();
  },
);
