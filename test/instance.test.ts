import { beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import * as Wasmex from "wasmex";
import { fixture, wat } from "./support/index.js";

async function make(text: string, options?: Wasmex.InstanceOptions): Promise<Wasmex.Instance> {
  return Wasmex.Instance.create(await Wasmex.Module.compile(await wat(text)), options);
}

describe("Instance", () => {
  let module: Wasmex.Module;
  let instance: Wasmex.Instance;
  beforeAll(async () => {
    module = await Wasmex.Module.compile(await fixture("wasmex.wat"));
    instance = Wasmex.Instance.createSync(module);
  });

  test("Instance.create and createSync make instances that share nothing", async () => {
    const other = await Wasmex.Instance.create(module);
    other.memory().set(0, 7);
    expect(instance.memory().get(0)).toBe(0);
    expect(instance.callFunction("sum", [1, 2])).toEqual([3]);
    expect(other.callFunction("sum", [1, 2])).toEqual([3]);
  });

  test("Instance.create fixes the module's name", async () => {
    const fresh = await Wasmex.Module.compile(await fixture("wasmex.wat"));
    fresh.setName("before");
    await Wasmex.Instance.create(fresh);
    expect(() => fresh.setName("after")).toThrow(
      "Could not change module name. Maybe it is already instantiated?",
    );
    expect(fresh.name).toBe("before");
  });

  test("Instance.callFunction called by turns keeps the functions apart", () => {
    for (let turn = 0; turn < 3; turn++) {
      expect(instance.callFunction("sum", [turn, 1])).toEqual([turn + 1]);
      expect(instance.callFunction("i32_i32", [turn])).toEqual([turn]);
      expect(instance.callFunction("void")).toEqual([]);
      expect(() => instance.callFunction("unknown")).toThrow("exported function `unknown` not found");
    }
  });

  test("Instance.callFunction answers a fresh array each time", () => {
    const first = instance.callFunction("void");
    first.push(1);
    expect(instance.callFunction("void")).toEqual([]);
  });

  test("Instance.callFunction refuses what is not callable", () => {
    for (const name of ["memory", "meaning_of_life", "", "sum ", "length", "then"]) {
      expect(() => instance.callFunction(name)).toThrow(`exported function \`${name}\` not found`);
      expect(() => instance.function(name)).toThrow(Wasmex.CallError);
      expect(instance.functionExists(name)).toBe(false);
    }
  });

  test("Instance.function answers as the engine does", async () => {
    expect(instance.function("sum")(50, -8)).toBe(42);
    expect(instance.function("void")()).toBe(undefined);
    expect(instance.function("i64_i64")(3)).toBe(3n);
    expect(instance.function("sum")).toBe(instance.function("sum"));
    const two = await make(`(module (func (export "two") (result i32 i64) (i32.const 1) (i64.const 2)))`);
    expect(two.function("two")()).toEqual([1, 2n]);
    expect(() => instance.function("divide")(1, 0)).toThrow(Wasmex.TrapError);
    const exit = `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1) (func (export "exit") (param i32) (call $exit (local.get 0))))`;
    const program = (await make(exit, { wasi: true })).function("exit");
    expect(program(0)).toBe(undefined);
    expect(() => program(3)).toThrow(Wasmex.ExitError);
    expectTypeOf(instance.callFunction("void")).toEqualTypeOf<Wasmex.WasmValue[]>();
  });

  test("Instance.memory is the first exported memory, or the named one", async () => {
    const several = await make(`(module (memory $a 1) (memory $b 2)
      (func (export "f")) (export "second" (memory $b)) (export "first" (memory $a)))`).catch(
      (error) => error,
    );
    // Not every engine has several memories.
    if (several instanceof Wasmex.Instance) {
      expect(several.memory().length).toBe(2 * 65536);
      expect(several.memory("uint8", 0, "first").length).toBe(65536);
    }
    expect(instance.memory("int32", 4).offset).toBe(4);
    expect(instance.memory("int32", 0, "memory").type).toBe("int32");
    expect(() => instance.memory("uint8", 0, "sum")).toThrow("exported memory `sum` not found");
    expect(() => instance.memory("uint8", 0, "none")).toThrow("exported memory `none` not found");
    const none = await make("(module)");
    expect(() => none.memory()).toThrow("The WebAssembly module has no exported memory.");
    expect(() => none.memory("uint8", 0, "memory")).toThrow(Wasmex.WasmexError);
    expectTypeOf(instance.memory("int64").get(0)).toEqualTypeOf<bigint>();
    expectTypeOf(instance.memory().get(0)).toEqualTypeOf<number>();
  });

  test("Instance.exports is the engine's own export object", () => {
    expect(Object.isFrozen(instance.exports)).toBe(true);
    expect(instance.exports).toBe(instance.exports);
    expect((instance.exports.sum as (a: number, b: number) => number)(2 ** 32 + 1, 1)).toBe(2);
    expect(instance.exports.memory).toBeInstanceOf(WebAssembly.Memory);
  });

  test("globals refuse what JavaScript cannot hold", async () => {
    const { globals } = await make(`(module (global (export "v") (mut v128) (v128.const i64x2 1 2)))`);
    expect(() => globals.get("v")).toThrow(Wasmex.UnsupportedError);
    expect(() => globals.set("v", 1n)).toThrow("Cannot convert to a WebAssembly v128 value.");
  });

  test("globals carry references, and check them", async () => {
    const { globals } = await make(
      `(module (global (export "any") (mut externref) (ref.null extern)) (global (export "f") (mut funcref) (ref.null func)))`,
    );
    const thing = {};
    globals.set("any", thing);
    expect(globals.get("any")).toBe(thing);
    expect(globals.get("f")).toBe(null);
    expect(() => globals.set("f", () => 1)).toThrow(Wasmex.CallError);
  });

  test("a reactor's _initialize is called once, a command's _start is not", async () => {
    const counter = (name: string): string => `(module (global $n (export "n") (mut i32) (i32.const 0))
      (func (export "${name}") (global.set $n (i32.add (global.get $n) (i32.const 1)))))`;
    const module = await Wasmex.Module.compile(await wat(counter("_initialize")));
    expect((await Wasmex.Instance.create(module)).globals.get("n")).toBe(1);
    expect(Wasmex.Instance.createSync(module).globals.get("n")).toBe(1);
    expect((await make(counter("_start"))).globals.get("n")).toBe(0);
  });

  test("a trap in _initialize or the start function fails the creation", async () => {
    for (const text of [
      `(module (func $bad (export "_initialize") unreachable))`,
      `(module (func $bad unreachable) (start $bad))`,
    ]) {
      const module = await Wasmex.Module.compile(await wat(text));
      const failure = await Wasmex.Instance.create(module).catch((error) => error);
      expect(failure).toBeInstanceOf(Wasmex.TrapError);
      expect(failure.reason).toBe("unreachable");
      expect(failure.frames[0].name).toBe("bad");
      expect(() => Wasmex.Instance.createSync(module)).toThrow(Wasmex.TrapError);
    }
  });

  test("data that does not fit the memory fails the creation", async () => {
    const failure = await make(`(module (memory 1) (data (i32.const 65535) "abc"))`).catch((error) => error);
    expect(failure).toBeInstanceOf(Wasmex.TrapError);
    expect(failure.reason).toBe("out_of_bounds_memory");
  });

  test("an instance of a WebAssembly.Module compiled elsewhere can be called", async () => {
    const compiled = await WebAssembly.compile(await fixture("wasmex.wat"));
    const foreign = await Wasmex.Instance.create(await Wasmex.Module.compile(compiled));
    expect(foreign.callFunction("sum", [50, -8])).toEqual([42]);
    const { exports, imports, importEntries } = await Wasmex.Module.compile(compiled);
    expect(exports["sum"]?.kind).toBe("function");
    expect(Object.keys(exports)).toEqual(WebAssembly.Module.exports(compiled).map(({ name }) => name));
    expect(Object.keys(imports)).toEqual([]);
    expect(importEntries).toEqual([]);
    expect(() => (exports["sum"] as Wasmex.FunctionType).parameters).toThrow(
      "pass the bytes to Module.compile",
    );
    expect(foreign.callFunction("void")).toEqual([]);
    expect(foreign.callFunction("i64_i64", [5n])).toEqual([5n]);
    expect(foreign.function("sum")(1, 2)).toBe(3);
    expect(() => foreign.callFunction("sum", [1])).toThrow(
      "number of params does not match. expected 2, got 1",
    );
    expect(() => foreign.function("sum")(1)).toThrow("number of params does not match. expected 2, got 1");
    expect(() => foreign.callFunction("i64_i64", ["x"])).toThrow(Wasmex.WasmexError);
    expect(foreign.memory().readString(1024, 5)).toBe("Hello");
    expect(foreign.globals.get("meaning_of_life")).toBe(42);
    expect(() => foreign.globals.set("meaning_of_life", 1)).toThrow(Wasmex.CallError);
    foreign.globals.set("count_64", 9n);
    expect(foreign.globals.get("count_64")).toBe(9n);
    const hosted = await Wasmex.Instance.create(
      await Wasmex.Module.compile(
        await WebAssembly.compile(
          await wat(`(module (import "env" "f" (func $f (param i32) (result i32)))
            (func (export "run") (param i32) (result i32) (call $f (local.get 0))))`),
        ),
      ),
      { imports: { env: { f: Wasmex.fn(["i32"], ["i32"], (_context, n) => n * 2) } } },
    );
    expect(hosted.callFunction("run", [4])).toEqual([8]);
  });
});
