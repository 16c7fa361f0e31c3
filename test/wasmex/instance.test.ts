import { describe, expect, test } from "vitest";
import * as Wasmex from "wasmex";
import { fixture, wat } from "../support/index.js";
import { wasmexSuite } from "./suite.js";

describe("Wasmex 0.7 over Instance", () => {
  wasmexSuite(async (bytes, imports) => {
    const instance = await Wasmex.Instance.create(await Wasmex.Module.compile(bytes), { imports });
    return {
      callFunction: async (name, params) => instance.callFunction(name, params),
      functionExists: (name) => instance.functionExists(name),
      memory: (type, offset, name) => instance.memory(type, offset, name),
      stop: async () => {},
    };
  });

  test("globals.get and globals.set carry exported globals", async () => {
    const module = await Wasmex.Module.compile(await fixture("wasmex.wat"));
    const { globals } = await Wasmex.Instance.create(module);
    expect(() => globals.get("unknown_global")).toThrow("exported global `unknown_global` not found");
    expect(globals.get("meaning_of_life")).toBe(42);
    expect(globals.get("count_32")).toBe(-32);
    expect(globals.get("count_64")).toBe(-64n);
    expect(() => globals.set("unknown_global", 0)).toThrow("exported global `unknown_global` not found");
    expect(() => globals.set("meaning_of_life", 0)).toThrow(
      "Could not set global: immutable global cannot be set",
    );
    expect(() => globals.set("count_32", "abc")).toThrow("Cannot convert to a WebAssembly i32 value.");
    globals.set("count_32", 99);
    globals.set("count_64", 17);
    globals.set("bad_pi_32", 3.14);
    globals.set("bad_pi_64", 3.14);
    expect(globals.get("count_32")).toBe(99);
    expect(globals.get("count_64")).toBe(17n);
    expect(globals.get("bad_pi_32")).toBeCloseTo(3.14, 3);
    expect(globals.get("bad_pi_64")).toBe(3.14);
  });

  test("a host function sets the globals of its instance", async () => {
    const module = await Wasmex.Module.compile(
      await wat(`(module (import "env" "inspect" (func $inspect (result i32)))
        (global (export "count") (mut i32) (i32.const 1))
        (func (export "call_import") (result i32) (call $inspect)))`),
    );
    const instance: Wasmex.Instance = await Wasmex.Instance.create(module, {
      imports: {
        env: {
          inspect: () => {
            expect(instance.functionExists("call_import")).toBe(true);
            expect(instance.globals.get("count")).toBe(1);
            instance.globals.set("count", 42);
            return 42;
          },
        },
      },
    });
    expect(instance.callFunction("call_import")).toEqual([42]);
    expect(instance.globals.get("count")).toBe(42);
  });

  test("modules are linked by the exports of their instances", async () => {
    const compile = async (text: string) => Wasmex.Module.compile(await wat(text));
    const utils = await Wasmex.Instance.create(await Wasmex.Module.compile(await fixture("wasmex.wat")));
    const calculator = await Wasmex.Instance.create(
      await compile(`(module
        (import "utils" "sum" (func $sum (param i32 i32) (result i32)))
        (func (export "sum_range") (param $from i32) (param $to i32) (result i32) (local $total i32)
          (loop $next
            (local.set $total (call $sum (local.get $total) (local.get $from)))
            (local.set $from (i32.add (local.get $from) (i32.const 1)))
            (br_if $next (i32.le_s (local.get $from) (local.get $to))))
          (local.get $total)))`),
      { imports: { utils: utils.exports } },
    );
    expect(calculator.callFunction("sum_range", [1, 5])).toEqual([15]);
    const main = await Wasmex.Instance.create(
      await compile(`(module
        (import "calculator" "sum_range" (func $sum_range (param i32 i32) (result i32)))
        (func (export "calc_seq") (param i32 i32) (result i32) (call $sum_range (local.get 0) (local.get 1))))`),
      { imports: { calculator: calculator.exports } },
    );
    expect(main.callFunction("calc_seq", [1, 5])).toEqual([15]);
  });

  test("a deserialized module can be called", async () => {
    const module = await Wasmex.Module.compile(await fixture("wasmex.wat"));
    const again = await Wasmex.Module.deserialize(module.serialize());
    expect((await Wasmex.Instance.create(again)).callFunction("sum", [50, -8])).toEqual([42]);
  });
});
