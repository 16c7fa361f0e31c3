import { describe, expect, test } from "vitest";
import * as Wasmex from "wasmex";
import { GUEST } from "./guest.js";

const compiled = Wasmex.Module.compile(GUEST);

describe("Module", () => {
  test("Module.exports lists every export with its type, in order, frozen and without a prototype", async () => {
    const { exports } = await compiled;
    expect(Object.keys(exports).slice(0, 5)).toEqual(["memory", "table", "counter", "answer", "sum"]);
    expect(exports["memory"]).toEqual({ kind: "memory", minimum: 2, maximum: 16, shared: false });
    expect(exports["table"]).toMatchObject({ kind: "table", minimum: 3, element: "funcref" });
    expect(exports["counter"]).toEqual({ kind: "global", value: "i32", mutable: true });
    expect(exports["answer"]).toEqual({ kind: "global", value: "i64", mutable: false });
    expect(exports["sum"]).toEqual({ kind: "function", parameters: ["i32", "i32"], results: ["i32"] });
    expect(exports["pair"]).toEqual({ kind: "function", parameters: ["i32"], results: ["i32", "i64"] });
    expect(Object.getPrototypeOf(exports)).toBe(null);
    expect(Object.isFrozen(exports)).toBe(true);
    expect(Object.hasOwn(exports, "__proto__")).toBe(true);
  });

  test("Module.imports keys namespaces, importEntries lists them in order with duplicates", async () => {
    const module = await compiled;
    expect(Object.getPrototypeOf(module.imports)).toBe(null);
    expect(Object.isFrozen(module.imports)).toBe(true);
    expect(module.imports["env"]?.["host"]).toEqual({
      kind: "function",
      parameters: ["i32", "i64"],
      results: ["i64"],
    });
    const twice = await Wasmex.Module.compile(
      `(module (import "a" "f" (func)) (import "a" "f" (func (param i32))))`,
    );
    expect(twice.importEntries).toHaveLength(2);
  });

  test("Module.name reads the name section; setName is refused once an instance exists", async () => {
    const module = await Wasmex.Module.compile(`(module $named (func (export "f")))`);
    expect(module.name).toBe("named");
    module.setName("other");
    expect(module.name).toBe("other");
    Wasmex.Instance.createSync(module);
    expect(() => module.setName("third")).toThrow(
      "Could not change module name. Maybe it is already instantiated?",
    );
    expect((await Wasmex.Module.compile("(module)")).name).toBe(undefined);
  });

  test("Module.serialize goes round, and any altered or cut container is refused", async () => {
    const module = await Wasmex.Module.compile(
      `(module $round (func (export "f") (result i32) i32.const 5))`,
    );
    module.setName("renamed");
    const container = module.serialize();
    const back = await Wasmex.Module.deserialize(container);
    expect(back.name).toBe("renamed");
    expect(Wasmex.Instance.createSync(back).callFunction("f")).toEqual([5]);
    for (let at = 0; at < container.length; at++) {
      const altered = container.slice();
      altered[at] = (altered[at] as number) ^ (1 << (at % 8));
      await expect(Wasmex.Module.deserialize(altered)).rejects.toThrow(Wasmex.WasmexError);
    }
    for (const length of [0, 1, 8, container.length - 1]) {
      await expect(Wasmex.Module.deserialize(container.slice(0, length))).rejects.toThrow(Wasmex.WasmexError);
    }
  });

  test("Module.compile takes every kind of source", async () => {
    const bytes = (await Wasmex.Module.deserialize((await compiled).serialize())).compiled;
    const again = await Wasmex.Module.compile(bytes);
    expect(again.compiled).toBeInstanceOf(WebAssembly.Module);
    const wasm = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
    const sources = [
      wasm,
      wasm.buffer,
      new DataView(wasm.buffer),
      new Blob([wasm]),
      new Response(wasm, { headers: { "content-type": "application/wasm" } }),
      Promise.resolve(new Response(wasm, { headers: { "content-type": "application/wasm" } })),
      new Blob([wasm]).stream(),
      "(module)",
      new TextEncoder().encode("(module)"),
    ];
    for (const source of sources) {
      const module = await Wasmex.Module.compile(source as Uint8Array);
      expect(Object.keys(module.exports)).toEqual([]);
      expect(module.byteLength).toBeGreaterThanOrEqual(8);
    }
    expect(Wasmex.Module.compileSync(wasm).byteLength).toBe(8);
    expect(Wasmex.Module.validate(wasm)).toBe(true);
    expect(Wasmex.Module.validate(wasm.subarray(0, 6))).toBe(false);
  });

  test("Module.compile refuses what is no module with one CompileError", async () => {
    for (const source of [
      "",
      new Uint8Array(),
      "(module",
      Uint8Array.of(0, 97, 115, 109, 1, 0, 0),
      "<!doctype html>",
    ]) {
      await expect(Wasmex.Module.compile(source)).rejects.toThrow(Wasmex.CompileError);
    }
    const failure = await Wasmex.Module.compile("(module\n  (func (result i32) (i32.bogus)))").catch(
      (e: unknown) => e,
    );
    expect(failure).toMatchObject({ name: "CompileError", line: 2 });
    expect((failure as Error).message).toContain("i32.bogus");
  });
});
