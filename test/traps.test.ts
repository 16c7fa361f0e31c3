import { describe, expect, test } from "vitest";
import * as Wasmex from "wasmex";
import { trapError } from "../src/traps.js";
import { wat } from "./support/index.js";

async function failureOf(body: string, rest = ""): Promise<Wasmex.TrapError> {
  const bytes = await wat(`(module ${rest} (func $f (export "f") ${body}))`);
  const instance = await Wasmex.Instance.create(await Wasmex.Module.compile(bytes));
  for (const call of [() => instance.callFunction("f"), instance.function("f")]) {
    try {
      call();
    } catch (error) {
      expect(error).toBeInstanceOf(Wasmex.TrapError);
      if (call === instance.function("f")) return error as Wasmex.TrapError;
    }
  }
  throw new Error("it should have trapped");
}

const TABLE = "(table 2 funcref) (func $g) (elem (i32.const 0) $g)";

describe("TrapError on this engine", () => {
  test.each([
    ["unreachable", "unreachable", ""],
    ["out_of_bounds_memory", "(drop (i32.load (i32.const -1)))", "(memory 1)"],
    ["out_of_bounds_memory", "(i64.store (i32.const 65529) (i64.const 0))", "(memory 1)"],
    ["out_of_bounds_memory", "(memory.fill (i32.const 65530) (i32.const 0) (i32.const 7))", "(memory 1)"],
    ["integer_divide_by_zero", "(drop (i32.div_u (i32.const 1) (i32.const 0)))", ""],
    ["integer_divide_by_zero", "(drop (i64.rem_s (i64.const 1) (i64.const 0)))", ""],
    ["integer_overflow", "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", ""],
    ["invalid_conversion_to_integer", "(drop (i32.trunc_f32_u (f32.const nan)))", ""],
    ["invalid_conversion_to_integer", "(drop (i64.trunc_f64_s (f64.const 1e30)))", ""],
    ["out_of_bounds_table", "(call_indirect (i32.const 9))", TABLE],
    ["out_of_bounds_table", "(drop (table.get 0 (i32.const 9)))", TABLE],
    ["out_of_bounds_table", "(table.copy (i32.const 0) (i32.const 1) (i32.const 9))", TABLE],
    ["indirect_call_type_mismatch", "(call_indirect (i32.const 1))", TABLE],
    ["indirect_call_type_mismatch", "(drop (call_indirect (result i32) (i32.const 0)))", TABLE],
    ["stack_overflow", "call $f", ""],
    ["uncaught_exception", "(throw $e)", "(tag $e)"],
  ] as const)("reason is %s for %s", async (reason, body, rest) => {
    const failure = await failureOf(body, rest);
    expect(failure.reason).toBe(reason);
    expect(failure.message).toContain(reason.replaceAll("_", " "));
    expect(failure.cause).toBeDefined();
  });

  test("reason is unaligned_atomic for an atomic access off its size", async () => {
    const text = `(module (memory 1 1 shared) (func (export "f") (drop (i32.atomic.load (i32.const 1)))))`;
    const module = await Wasmex.Module.compile(await wat(text)).catch(() => undefined);
    // Pages that are not isolated have no shared memory.
    if (module === undefined) return;
    const instance = await Wasmex.Instance.create(module).catch(() => undefined);
    expect(() => instance?.callFunction("f")).toThrow(
      expect.objectContaining({ reason: "unaligned_atomic" }),
    );
  });

  test("frames are the guest's functions, innermost first, by their names and places", async () => {
    const failure = await failureOf("call $outer", "(func $inner unreachable) (func $outer (call $inner))");
    expect(failure.frames.map(({ index, name }) => [index, name])).toEqual([
      [0, "inner"],
      [1, "outer"],
      [2, "f"],
    ]);
    expect(failure.message).toBe("wasm trap: unreachable in `inner`");
    // JavaScriptCore tells no offsets.
    for (const { offset } of failure.frames) expect(offset === undefined || offset > 0).toBe(true);
  });

  test("frames count imported functions, and do without names", async () => {
    const { default: parse } = await import("wabt").then((module) => module);
    const parsed = (await parse()).parseWat(
      "x",
      `(module (import "env" "f" (func)) (func (export "f") unreachable))`,
    );
    const bytes = new Uint8Array(parsed.toBinary({ write_debug_names: false }).buffer);
    const module = await Wasmex.Module.compile(bytes);
    const instance = await Wasmex.Instance.create(module, { imports: { env: { f: () => {} } } });
    try {
      instance.callFunction("f");
    } catch (error) {
      const trap = error as Wasmex.TrapError;
      expect(trap.frames.map(({ index, name }) => [index, name])).toEqual([[1, undefined]]);
      expect(trap.message).toBe("wasm trap: unreachable in `function 1`");
    }
    expect.assertions(2);
  });

  test("endless recursion through the host ends as a stack overflow or a host error, and calls go on", async () => {
    const bytes = await wat(`(module (import "env" "f" (func $f)) (func (export "run") (call $f))
      (func (export "fine") (result i32) (i32.const 1)))`);
    const instance: Wasmex.Instance = await Wasmex.Instance.create(await Wasmex.Module.compile(bytes), {
      imports: { env: { f: () => void instance.callFunction("run") } },
    });
    expect(() => instance.callFunction("run")).toThrow(Wasmex.WasmexError);
    expect(instance.callFunction("fine")).toEqual([1]);
  });
});

/** What Chromium 156, Firefox ESR 153, WebKitGTK 2.50 and Node 20 said for the same instructions. */
const MESSAGES: Record<string, string[]> = {
  unreachable: [
    "unreachable",
    "unreachable executed",
    "Unreachable code should not be executed (evaluating 'i.f()')",
  ],
  out_of_bounds_memory: [
    "memory access out of bounds",
    "index out of bounds",
    "Out of bounds memory access (evaluating 'i.f()')",
    "WebAssembly.Instance(): data segment 0 is out of bounds (offset 65535, length 3, memory size 65536)",
    "Invalid data segment initialization: segment of 3 bytes memory of 65536 bytes, at offset 65535, segment writes outside of memory",
  ],
  integer_divide_by_zero: [
    "divide by zero",
    "remainder by zero",
    "integer divide by zero",
    "Division by zero",
  ],
  integer_overflow: [
    "divide result unrepresentable",
    "integer overflow",
    "Integer overflow (evaluating 'i.f()')",
  ],
  invalid_conversion_to_integer: [
    "float unrepresentable in integer range",
    "invalid conversion to integer",
    "Out of bounds Trunc operation (evaluating 'i.f()')",
  ],
  out_of_bounds_table: [
    "table index is out of bounds",
    "table index out of bounds",
    "Out of bounds call_indirect (evaluating 'i.f()')",
    "Out of bounds table access (evaluating 'i.f()')",
    "Element is trying to set an out of bounds table index",
    "element segment out of bounds",
  ],
  indirect_call_type_mismatch: [
    "null function or function signature mismatch",
    "null function",
    "function signature mismatch",
    "indirect call to null",
    "indirect call signature mismatch",
    "call_indirect to a null table entry (evaluating 'i.f()')",
    "call_indirect to a signature that does not match (evaluating 'i.f()')",
  ],
  null_reference: [
    "dereferencing a null pointer",
    "dereferencing null pointer",
    "struct.get to a null reference (evaluating 'i.f()')",
    "array.get to a null reference (evaluating 'i.f()')",
    "call_ref to a null reference (evaluating 'i.f()')",
    "ref.as_non_null to a null reference (evaluating 'i.f()')",
  ],
  out_of_bounds_array: [
    "array element access out of bounds",
    "Out of bounds array.get (evaluating 'i.f()')",
    "Out of bounds array.fill (evaluating 'i.f()')",
  ],
  cast_failure: ["illegal cast", "bad cast", "ref.cast failed to cast reference to target heap type"],
  out_of_memory: [
    "requested new array is too large",
    "too many array elements",
    "Failed to allocate new array (evaluating 'i.f()')",
    "WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance",
  ],
  stack_overflow: [
    "Maximum call stack size exceeded",
    "too much recursion",
    "Maximum call stack size exceeded.",
  ],
  unaligned_atomic: [
    "operation does not support unaligned accesses",
    "unaligned memory access",
    "Unaligned memory access",
  ],
  unknown: ["Atomics.wait cannot be called in this context"],
};

const SHAPE = { compiled: {} as WebAssembly.Module, exports: new Map(), importEntries: [] };

describe("trapError over the words of every engine", () => {
  test.each(Object.entries(MESSAGES))("reason is %s", (reason, messages) => {
    for (const message of messages)
      expect([message, trapError(message, "", SHAPE, null).reason]).toEqual([message, reason]);
  });

  test.each([
    [
      "V8",
      `RuntimeError: unreachable
    at inner (wasm://wasm/c13f69be:wasm-function[1]:0x25)
    at wasm://wasm/c13f69be:wasm-function[2]:0x29
    at Instance.callFunction (file:///app/instance.js:7:3)`,
      [0x25, 0x29],
    ],
    [
      "SpiderMonkey",
      `inner@http://localhost/ line 370 > eval line 6 > WebAssembly.Module:wasm-function[1]:0x25
@http://localhost/app.js line 6 > WebAssembly.Module:wasm-function[2]:0x29
callFunction@http://localhost/app.js:7:3`,
      [0x25, 0x29],
    ],
    [
      "JavaScriptCore",
      "inner@<?>:wasm-function[1]\n2@<?>:wasm-function[2]\ncallFunction@http://localhost/app.js:7:3",
      [undefined, undefined],
    ],
  ])("frames are read from a stack of %s", (_engine, stack, offsets) => {
    const functionName = (index: number): string => `name${index}`;
    expect(trapError("unreachable", stack, { ...SHAPE, functionName }, null).frames).toEqual([
      { index: 1, name: "name1", offset: offsets[0] },
      { index: 2, name: "name2", offset: offsets[1] },
    ]);
  });

  test.each([
    ["index out of bounds", [0x28], "out_of_bounds_memory"],
    ["index out of bounds", [0xfc, 0x0a], "out_of_bounds_memory"],
    ["index out of bounds", [0x11], "out_of_bounds_table"],
    ["index out of bounds", [0xfc, 0x0e], "out_of_bounds_table"],
    ["index out of bounds", [0xfb, 0x0b], "out_of_bounds_array"],
    ["integer overflow", [0x7f], "integer_overflow"],
    ["integer overflow", [0xb0], "invalid_conversion_to_integer"],
  ])("SpiderMonkey's %s is told apart by the instruction %j", (message, bytes, reason) => {
    const byteAt = (offset: number): number | undefined => bytes[offset - 0x20];
    const stack = "f@http://localhost/ > WebAssembly.Module:wasm-function[0]:0x25";
    const trap = trapError(
      message,
      stack,
      { ...SHAPE, byteAt, originalOffset: (offset) => offset - 5 },
      null,
    );
    expect(trap.reason).toBe(reason);
    expect(trap.frames[0]?.offset).toBe(0x20);
  });
});
