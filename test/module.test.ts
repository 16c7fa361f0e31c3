import { describe, expect, test } from "vitest";
import type * as Wasmex from "wasmex";
import { CompileError, Module, UnsupportedError, WasmexError } from "wasmex";
import { binary, custom, section, vec } from "./binary/build.js";
import { features } from "./binary/features.js";
import { wat } from "./support/index.js";

const SIMPLE = `(module $simple
  (import "env" "host" (func $host (param i32) (result i64)))
  (memory (export "memory") 1)
  (func $inner (export "inner") (param i32 f64))
  (func (export "outer") (result i32 i32) i32.const 1 i32.const 2))`;

describe("Module", () => {
  test("Module.exports and Module.imports are frozen records without a prototype", async () => {
    const { exports, imports, importEntries } = await Module.compile(SIMPLE);
    expect(Object.keys(exports)).toEqual(["memory", "inner", "outer"]);
    expect(exports["memory"]).toEqual({ kind: "memory", minimum: 1, shared: false });
    expect(exports["outer"]).toEqual({ kind: "function", parameters: [], results: ["i32", "i32"] });
    expect(imports["env"]?.["host"]).toEqual({ kind: "function", parameters: ["i32"], results: ["i64"] });
    expect(importEntries).toEqual([{ module: "env", name: "host", type: imports["env"]?.["host"] }]);
    for (const record of [exports, imports, imports["env"]]) {
      expect(Object.getPrototypeOf(record)).toBe(null);
      expect(Object.isFrozen(record)).toBe(true);
    }
    expect(Object.isFrozen(importEntries)).toBe(true);
    expect(exports["constructor"]).toBe(undefined);
  });

  test("Module.exports and Module.imports take names that meet prototypes as names", () => {
    const feature = features.find(({ title }) => title.startsWith("names that meet"));
    const { exports, imports } = Module.compileSync(feature?.bytes ?? new Uint8Array());
    expect(Object.keys(exports).slice(0, 3)).toEqual(["__proto__", "hasOwnProperty", ""]);
    expect(Object.keys(imports)).toEqual(["__proto__", "constructor", ""]);
    expect(imports["__proto__"]?.["constructor"]?.kind).toBe("function");
    expect(imports["toString"]).toBe(undefined);
  });

  test("Module.imports takes the last of duplicates, importEntries all", async () => {
    const module = await Module.compile(`(module (import "a" "f" (func)) (import "a" "f" (global i32)))`);
    expect(module.imports["a"]?.["f"]?.kind).toBe("global");
    expect(module.importEntries.map(({ type }) => type.kind)).toEqual(["function", "global"]);
  });

  test("Module.name is the name section's, then what was set, until an instance exists", async () => {
    const module = await Module.compile(SIMPLE);
    expect(module.name).toBe("simple");
    module.setName("other");
    expect(module.name).toBe("other");
    module.markInstantiated();
    expect(() => module.setName("third")).toThrow(WasmexError);
    expect(() => module.setName("third")).toThrow(
      "Could not change module name. Maybe it is already instantiated?",
    );
    expect(module.name).toBe("other");
    expect((await Module.compile("(module)")).name).toBe(undefined);
    expect((await Module.compile(SIMPLE, { name: "given" })).name).toBe("given");
  });

  test("Module.serialize and deserialize keep the bytes and the name", async () => {
    const module = await Module.compile(SIMPLE);
    for (const name of ["simple", "näme", ""]) {
      module.setName(name);
      const back = await Module.deserialize(module.serialize());
      expect(back.name).toBe(name);
      expect(back.byteLength).toBe(module.byteLength);
      expect(back.exports).toEqual(module.exports);
    }
    const nameless = await Module.deserialize((await Module.compile("(module)")).serialize());
    expect(nameless.name).toBe(undefined);
  });

  test("Module.deserialize refuses what is altered, cut or foreign and never runs it", async () => {
    const container = Module.compileSync(binary()).serialize();
    const altered = container.slice();
    altered[20] = (altered[20] as number) ^ 1;
    for (const bytes of [
      altered,
      container.slice(1),
      container.slice(0, -1),
      binary(),
      new Uint8Array(0),
      altered.buffer,
    ]) {
      await expect(Module.deserialize(bytes)).rejects.toThrow(CompileError);
    }
    await expect(Module.compile(container)).rejects.toThrow("pass it to Module.deserialize");
  });

  test("Module says how modules are made to those who call its constructor", () => {
    const Constructor = Module as unknown as new (...given: unknown[]) => Module;
    for (const given of [[], [new Uint8Array(8)]]) {
      expect(() => new Constructor(...given)).toThrow("new Module: use Module.compile or Module.compileSync");
    }
  });

  test("Module keeps its own copy of the bytes", async () => {
    const bytes = await wat(SIMPLE);
    const module = await Module.compile(bytes);
    const size = bytes.length;
    bytes.fill(0);
    expect(Object.keys(module.exports)).toEqual(["memory", "inner", "outer"]);
    expect(module.byteLength).toBe(size);
    expect(WebAssembly.Module.exports(module.compiled)).toHaveLength(3);
    module.serialize().fill(0);
    expect((await Module.deserialize(module.serialize())).name).toBe("simple");
  });

  test("Module.customSections gives copies of every section of that name, in order", () => {
    const module = Module.compileSync(
      binary(custom("a", 1, 2), section(1, vec()), custom("b"), custom("a"), custom("__proto__", 7)),
    );
    const read = (name: string) => module.customSections(name).map((content) => [...new Uint8Array(content)]);
    expect(read("a")).toEqual([[1, 2], []]);
    expect(read("__proto__")).toEqual([[7]]);
    expect(read("none")).toEqual([]);
  });

  test("Module.validate answers for every kind of bytes and for text", async () => {
    const bytes = await wat(SIMPLE);
    expect(Module.validate(bytes)).toBe(true);
    expect(Module.validate(bytes.buffer)).toBe(true);
    expect(Module.validate(new DataView(bytes.buffer))).toBe(true);
    expect(Module.validate(bytes.slice(0, -1))).toBe(false);
    expect(Module.validate(new Uint8Array(0))).toBe(false);
    expect(Module.validate(new TextEncoder().encode("(module)"))).toBe(false);
    expect(Module.validate("(module)" as unknown as Uint8Array)).toBe(false);
  });

  test("Module.compileSync compiles bytes, and refuses text and damage with one sentence", async () => {
    const bytes = await wat(SIMPLE);
    expect(Module.compileSync(bytes).name).toBe("simple");
    expect(() => Module.compileSync(new TextEncoder().encode("(module)"))).toThrow("takes Module.compile");
    expect(() => Module.compileSync("(module)" as never)).toThrow('pass bytes, not "(module)"');
    expect(() => Module.compileSync(bytes.slice(0, -1))).toThrow(CompileError);
    expect(() => Module.compileSync(new Uint8Array(0))).toThrow("the module is empty");
    expect(() => Module.compileSync(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0))).toThrow(
      "it begins with 7f 45 4c 46",
    );
  });

  test("Module.compile of a module of our own knows its bytes", async () => {
    const module = await Module.compile(SIMPLE);
    const again = await Module.compile(module.compiled);
    expect(again.exports).toEqual(module.exports);
    expect(again.byteLength).toBe(module.byteLength);
    expect(again.compiled).toBe(module.compiled);
  });

  test("Module.compile of a foreign WebAssembly.Module asks for bytes where it needs them", async () => {
    const foreign = new WebAssembly.Module(await wat(SIMPLE));
    const module = await Module.compile(foreign);
    expect(module.compiled).toBe(foreign);
    expect(module.name).toBe("simple");
    expect(module.shape().functionName?.(1)).toBe("inner");
    for (const use of [() => module.byteLength, () => module.serialize()]) {
      expect(use).toThrow(UnsupportedError);
      expect(use).toThrow("pass the bytes to Module.compile");
    }
    const { exports, importEntries } = module.shape();
    expect([...exports.keys()]).toEqual(["memory", "inner", "outer"]);
    expect(importEntries.map(({ module, name }) => [module, name])).toEqual([["env", "host"]]);
    if (exports.get("inner")?.kind === "untyped") {
      expect(exports.get("inner")).toEqual({ kind: "untyped", of: "function" });
      expect(Object.keys(module.exports)).toEqual(["memory", "inner", "outer"]);
      expect(module.imports).toEqual({ env: { host: { kind: "function" } } });
      expect(() => (module.exports["memory"] as Wasmex.MemoryType).minimum).toThrow(UnsupportedError);
      const [host] = module.importEntries as readonly [Wasmex.ImportEntry];
      expect(() => (host.type as Wasmex.FunctionType).parameters).toThrow("pass the bytes to Module.compile");
    }
  });

  test("Module.variant compiles each rewriting once; what needs none is the plain module", async () => {
    const module = await Module.compile(SIMPLE, { thread: "inline" });
    const clamped = await module.variant({ memoryPages: 3 });
    expect(clamped).not.toBe(module.compiled);
    expect(await module.variant({ memoryPages: 3 })).toBe(clamped);
    expect(await module.variant({ tableElements: 3 })).toBe(module.compiled);
    expect(await module.variant({})).toBe(module.compiled);
    const { exports } = new WebAssembly.Instance(clamped, { env: { host: () => 0n } });
    const memory = exports["memory"] as WebAssembly.Memory;
    memory.grow(2);
    expect(() => memory.grow(1)).toThrow(RangeError);
    await expect(module.variant({ memoryPages: 0 })).rejects.toThrow("the module needs 1 memory pages");
    expect(module.exports["memory"]).toEqual({ kind: "memory", minimum: 1, shared: false });
  });

  test("Module.variant keeps the few that were asked for last", async () => {
    const module = await Module.compile(SIMPLE, { thread: "inline" });
    const first = await module.variant({ memoryPages: 2 });
    for (let pages = 3; pages < 6; pages++) {
      const next = await module.variant({ memoryPages: pages });
      expect(await module.variant({ memoryPages: pages })).toBe(next);
      expect(await module.variant({ memoryPages: 2 })).toBe(first);
    }
    for (let pages = 6; pages < 10; pages++) await module.variant({ memoryPages: pages });
    expect(await module.variant({ memoryPages: 2 })).not.toBe(first);
  });

  test("Module.variant leaves the bytes as they were", async () => {
    const module = await Module.compile(SIMPLE);
    const before = module.serialize();
    await module.variant({ memoryPages: 9 });
    expect(module.serialize()).toEqual(before);
    const many = Module.compileSync(
      binary(section(2, vec(["a", "m", 2, 0, 1])), custom("pad", ...new Array(99).fill(1))),
    );
    const copy = many.serialize();
    await many.variant({ memoryPages: 5, tableElements: 1 });
    expect(many.serialize()).toEqual(copy);
  });

  test("Module.shape is plain data that can be posted", async () => {
    const module = await Module.compile(SIMPLE);
    const shape = module.shape();
    const { exports, importEntries } = structuredClone({
      exports: shape.exports,
      importEntries: shape.importEntries,
    });
    expect([...exports]).toEqual(Object.entries(module.exports));
    expect(importEntries).toEqual(module.importEntries);
    expect(module.shape().compiled).toBe(module.compiled);
  });

  test("Module.functionName counts imports", async () => {
    const module = await Module.compile(SIMPLE);
    expect([0, 1, 2, 99].map((index) => module.shape().functionName?.(index))).toEqual([
      "host",
      "inner",
      undefined,
      undefined,
    ]);
  });
});
