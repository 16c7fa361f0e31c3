import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as Wasmex from "wasmex";
import { fixture, wat } from "./support/index.js";

const TYPES = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;
type Type = keyof typeof TYPES;
const NAMES = Object.keys(TYPES) as Type[];
const PAGE = 65536;

/** Takes the ways of machines whose byte order is the other one. */
class Portable<T extends Wasmex.ElementType> extends Wasmex.Memory<T> {}

const hasShared = typeof SharedArrayBuffer === "function";
const KINDS = (
  [
    ["plain memory", false, Wasmex.Memory],
    ["shared memory", true, Wasmex.Memory],
    ["plain memory of any byte order", false, Portable],
  ] as const
).filter(([, shared]) => hasShared || !shared);

function values(type: Type): fc.Arbitrary<number | bigint> {
  const bits = TYPES[type].BYTES_PER_ELEMENT * 8;
  if (type === "float32") return fc.float();
  if (type === "float64") return fc.double();
  const signed = type.startsWith("i");
  const min = signed ? -(2n ** BigInt(bits - 1)) : 0n;
  const max = 2n ** BigInt(signed ? bits - 1 : bits) - 1n;
  const wide = fc.bigInt({ min, max });
  return bits === 64 ? wide : wide.map(Number);
}

function outside(type: Type): fc.Arbitrary<unknown> {
  const other = fc.anything().filter((value) => typeof value !== "number" && typeof value !== "bigint");
  if (type === "float64") return fc.oneof(other, fc.bigInt());
  if (type === "float32") {
    return fc.oneof(other, fc.bigInt(), fc.double({ min: 3.5e38, noDefaultInfinity: true, noNaN: true }));
  }
  const bits = TYPES[type].BYTES_PER_ELEMENT * 8;
  const signed = type.startsWith("i");
  const above = 2n ** BigInt(signed ? bits - 1 : bits);
  const below = signed ? -above - 1n : -1n;
  const wide = fc.oneof(fc.bigInt({ min: above }), fc.bigInt({ max: below }));
  const narrow = fc.oneof(
    fc.bigInt(),
    wide.map(Number).filter((value) => Number.isFinite(value)),
  );
  return fc.oneof(other, bits === 64 ? wide : narrow, fc.double({ noInteger: true }));
}

/** `toEqual` of some ten thousand bytes takes a hundred milliseconds. */
function expectSame(left: Uint8Array, right: Uint8Array): void {
  expect(left.length).toBe(right.length);
  expect(left.findIndex((byte, index) => byte !== right[index])).toBe(-1);
}

describe.each(KINDS)("Memory over %s", (_kind, shared, MemoryClass) => {
  const engineMemory = (initial = 1, maximum = 4) => new WebAssembly.Memory({ initial, maximum, shared });

  test.each(NAMES)("Memory.set and Memory.get carry every %s, little-endian", (type) => {
    const memory = engineMemory();
    const view = new MemoryClass(memory, type, 3);
    const array = new TYPES[type](8);
    fc.assert(
      fc.property(fc.nat({ max: 1000 }), values(type), (index, value) => {
        view.set(index, value as never);
        expect(view.get(index)).toStrictEqual(value);
        array[0] = value as never;
        const at = (index + 3) * array.BYTES_PER_ELEMENT;
        const stored = new Uint8Array(memory.buffer).slice(at, at + array.BYTES_PER_ELEMENT);
        // The tests' machines are little-endian themselves.
        expect(stored).toEqual(new Uint8Array(array.buffer, 0, array.BYTES_PER_ELEMENT));
      }),
    );
  });

  test.each(NAMES)("Memory.set refuses what is no %s, and writes nothing", (type) => {
    const view = new MemoryClass(engineMemory(), type);
    const seven = type.endsWith("int64") ? 7n : 7;
    fc.assert(
      fc.property(outside(type), (value) => {
        view.set(1, seven as never);
        expect(() => view.set(1, value as never)).toThrow(RangeError);
        expect(view.get(1)).toBe(seven);
      }),
    );
  });

  test("Memory.set takes safe integers for 64-bit integers, and infinities for floats", () => {
    const memory = engineMemory();
    new MemoryClass(memory, "uint64").set(0, 5);
    expect(new MemoryClass(memory, "uint64").get(0)).toBe(5n);
    expect(() => new MemoryClass(memory, "uint64").set(0, -1)).toThrow(RangeError);
    new MemoryClass(memory, "int64").set(0, Number.MIN_SAFE_INTEGER);
    expect(new MemoryClass(memory, "int64").get(0)).toBe(BigInt(Number.MIN_SAFE_INTEGER));
    for (const type of ["float32", "float64"] as const) {
      for (const value of [Number.NEGATIVE_INFINITY, Number.NaN, -0]) {
        const view = new MemoryClass(memory, type);
        view.set(0, value);
        expect(view.get(0)).toBe(value);
      }
    }
  });

  test.each(NAMES)("Memory.get and Memory.set of %s refuse every other index", (type) => {
    const size = TYPES[type].BYTES_PER_ELEMENT;
    const view = new MemoryClass(engineMemory(), type, PAGE / size - 8);
    expect(view.length).toBe(8);
    view.set(7, 1 as never);
    expect(Number(view.get(7))).toBe(1);
    expect(() => view.get(9)).toThrow("Out of bound: Given index 9 is larger than the memory size 8.");
    expect(() => view.set(9, 1 as never)).toThrow(
      "Out of bound: Given index 9 is larger than the memory size 8.",
    );
    for (const index of [
      8,
      -1,
      0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 53,
      "1",
      "length",
      null,
      undefined,
    ]) {
      expect(() => view.get(index as number)).toThrow(RangeError);
      expect(() => view.get(index as number)).toThrow("Out of bound: Given index");
      expect(() => view.set(index as number, 1 as never)).toThrow(RangeError);
    }
  });

  test("Memory follows growth, its own and the engine's", () => {
    const memory = engineMemory();
    const views = NAMES.map((type) => new MemoryClass(memory, type, 1));
    for (const view of views) {
      expect(Number(view.get(0))).toBe(0);
      expect(view.length).toBe(PAGE / view.bytesPerElement - 1);
    }
    memory.grow(1);
    for (const view of views) {
      expect(view.length).toBe((2 * PAGE) / view.bytesPerElement - 1);
      view.set(view.length - 1, 1 as never);
      expect(Number(view.get(view.length - 1))).toBe(1);
    }
    const text = new MemoryClass(memory, "uint8");
    text.writeBinary(2 * PAGE - 5, "hello");
    expect(text.grow(2)).toBe(2);
    expect(text.readString(2 * PAGE - 5, 5)).toBe("hello");
    text.writeBinary(4 * PAGE - 5, "again");
    expect(text.readString(4 * PAGE - 5, 5)).toBe("again");
    expect(text.readBinary(4 * PAGE - 1, 1)).toEqual(Uint8Array.of(110));
    expect(text.buffer.byteLength).toBe(4 * PAGE);
    expect(text.buffer).toBe(memory.buffer);
  });

  test("Memory.readCString finds a NUL that lies beyond what was there before", () => {
    const memory = engineMemory();
    const view = new MemoryClass(memory, "uint8");
    view.writeBinary(0, new Uint8Array(PAGE).fill(97));
    expect(() => view.readCString(PAGE - 3)).toThrow(RangeError);
    memory.grow(1);
    expect(view.readCString(PAGE - 3)).toBe("aaa");
  });

  test("Memory of a view that begins past the end is empty until the memory has grown", () => {
    const memory = engineMemory();
    const view = new MemoryClass(memory, "int32", PAGE / 4 + 2);
    expect(view.length).toBe(0);
    expect(() => view.get(0)).toThrow("Out of bound: Given index 0 is larger than the memory size 0.");
    memory.grow(1);
    expect(view.length).toBe(PAGE / 4 - 2);
    view.set(0, 5);
    expect(view.get(0)).toBe(5);
  });

  test("Memory.grow refuses what is too much and what is no count", () => {
    const view = new MemoryClass(engineMemory(), "uint8");
    expect(() => view.grow(4)).toThrow("Failed to grow the memory: failed to grow memory by `4`.");
    expect(() => view.grow(4)).toThrow(RangeError);
    for (const pages of [-1, 1.5, Number.NaN, "1", 1n]) {
      expect(() => view.grow(pages as number)).toThrow(RangeError);
    }
    expect(view.grow(0)).toBe(1);
    expect(view.length).toBe(PAGE);
    expect(view.grow(3)).toBe(1);
  });

  test("Memory.writeBinary takes every kind of bytes, all of them or none", () => {
    const view = new MemoryClass(engineMemory(), "int16", 4);
    fc.assert(
      fc.property(fc.nat({ max: PAGE }), fc.uint8Array({ maxLength: 300 }), (index, bytes) => {
        const size = PAGE - 8;
        const before = view.readBinary(0, size);
        if (index + bytes.length > size) {
          expect(() => view.writeBinary(index, bytes)).toThrow(RangeError);
          expectSame(view.readBinary(0, size), before);
        } else {
          view.writeBinary(index, bytes);
          expect(view.readBinary(index, bytes.length)).toEqual(bytes);
          before.set(bytes, index);
          expectSame(view.readBinary(0, size), before);
        }
      }),
      { numRuns: 30 },
    );
    view.writeBinary(0, Uint16Array.of(0x0201, 0x0403).buffer);
    view.writeBinary(4, new DataView(Uint8Array.of(9, 5, 6, 9).buffer, 1, 2));
    expect(view.readBinary(0, 6)).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
    for (const none of [null, undefined, 5, [7], {}]) {
      expect(() => view.writeBinary(0, none as never)).toThrow(TypeError);
    }
    expect(view.readBinary(0, 1)).toEqual(Uint8Array.of(1));
  });

  test("Memory.readBinary answers a copy", () => {
    const view = new MemoryClass(engineMemory(), "uint8");
    const copy = view.readBinary(0, 4);
    view.set(0, 1);
    copy[1] = 1;
    expect([copy[0], view.get(1)]).toEqual([0, 0]);
    expect(copy.buffer).toBeInstanceOf(ArrayBuffer);
    expect(copy.buffer.byteLength).toBe(4);
  });

  test("Memory.writeBinary and Memory.readString carry every text as UTF-8", () => {
    const view = new MemoryClass(engineMemory(), "uint8");
    const texts = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.constantFrom(
        "",
        "\0",
        "\ufeffmark",
        "ß".repeat(12),
        "😀".repeat(30),
        "a".repeat(24),
        "a".repeat(25),
      ),
    );
    fc.assert(
      fc.property(fc.nat({ max: PAGE }), texts, (index, text) => {
        const bytes = new TextEncoder().encode(text);
        if (index + bytes.length > PAGE) {
          const before = view.readBinary(index, PAGE - index);
          expect(() => view.writeBinary(index, text)).toThrow(RangeError);
          expectSame(view.readBinary(index, PAGE - index), before);
        } else {
          view.writeBinary(index, text);
          expect(view.readBinary(index, bytes.length)).toEqual(bytes);
          expect(view.readString(index, bytes.length)).toBe(text);
        }
      }),
    );
    // To the last byte, where there is no room for the longest that the text could have become.
    for (const text of ["end", "ünd", "ende".repeat(20)]) {
      const { length } = new TextEncoder().encode(text);
      view.writeBinary(PAGE - length, text);
      expect(view.readString(PAGE - length, length)).toBe(text);
      expect(() => view.writeBinary(PAGE - length + 1, text)).toThrow(RangeError);
    }
  });

  test("Memory.readString decodes any bytes as a TextDecoder does", () => {
    const view = new MemoryClass(engineMemory(), "uint8");
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        view.writeBinary(7, bytes);
        expect(view.readString(7, bytes.length)).toBe(decoder.decode(bytes));
      }),
    );
    view.writeBinary(0, "x\ud800y");
    expect(view.readString(0, 5)).toBe("x\ufffdy");
  });

  test("Memory.readBinary, readString, readCString refuse what ends past the end", () => {
    const view = new MemoryClass(engineMemory(), "uint8", PAGE - 8);
    const text = "Out of bound: Given index 9 is larger than the memory size 8.";
    expect(() => view.readBinary(4, 5)).toThrow(text);
    expect(() => view.readString(4, 5)).toThrow(text);
    expect(() => view.writeBinary(4, "12345")).toThrow(text);
    expect(() => view.readCString(9)).toThrow(text);
    expect(view.readString(8, 0)).toBe("");
    for (const [index, length] of [
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [0, 0.5],
      [Number.NaN, 1],
      [0, Number.MAX_VALUE],
    ] as const) {
      expect(() => view.readBinary(index, length)).toThrow(RangeError);
      expect(() => view.readString(index, length)).toThrow(RangeError);
    }
    view.writeBinary(0, "abc\0defg");
    expect(view.readCString(0)).toBe("abc");
    expect(view.readCString(3)).toBe("");
    expect(() => view.readCString(4)).toThrow(RangeError);
  });

  test("Memory.view sees the same bytes as another type, from the memory's first", () => {
    const view = new MemoryClass(engineMemory(), "uint32", 2);
    view.set(0, 0x01020304);
    const bytes = view.view("uint8", 8);
    expect([bytes.get(0), bytes.get(3)]).toEqual([4, 1]);
    expect(bytes.offset).toBe(8);
    expect(view.view("int16").get(4)).toBe(0x0304);
    expect(view.view("int16").offset).toBe(0);
  });
});

describe("Memory", () => {
  test("Memory.bytesPerElement is that of the type", () => {
    for (const type of NAMES) {
      expect(Wasmex.Memory.bytesPerElement(type)).toBe(TYPES[type].BYTES_PER_ELEMENT);
      const view = new Wasmex.Memory(new WebAssembly.Memory({ initial: 1 }), type, 1);
      expect(view).toBeInstanceOf(Wasmex.Memory);
      expect([view.type, view.offset, view.bytesPerElement]).toEqual([
        type,
        1,
        TYPES[type].BYTES_PER_ELEMENT,
      ]);
    }
    for (const type of ["uint128", "toString", "__proto__", 8]) {
      expect(() => Wasmex.Memory.bytesPerElement(type as Type)).toThrow(RangeError);
      expect(() => new Wasmex.Memory(new WebAssembly.Memory({ initial: 1 }), type as Type)).toThrow(
        "Unknown memory type",
      );
    }
  });

  test("Memory refuses an offset that is no whole number from 0 on", () => {
    for (const offset of [-1, 0.5, Number.NaN, "1"]) {
      expect(
        () => new Wasmex.Memory(new WebAssembly.Memory({ initial: 1 }), "uint8", offset as number),
      ).toThrow(RangeError);
    }
  });

  test("Memory of a memory without pages has no elements", () => {
    const view = new Wasmex.Memory(new WebAssembly.Memory({ initial: 0, maximum: 1 }));
    expect(view.length).toBe(0);
    expect(view.readString(0, 0)).toBe("");
    expect(() => view.get(0)).toThrow("is larger than the memory size 0");
    view.grow(1);
    expect(view.get(0)).toBe(0);
  });

  test("Memory.fromInstance is the instance's first memory", async () => {
    const module = await Wasmex.Module.compile(await fixture("wasmex.wat"));
    const instance = await Wasmex.Instance.create(module);
    const [pointer] = instance.callFunction("string") as [number];
    expect(Wasmex.Memory.fromInstance(instance).readString(pointer, 13)).toBe("Hello, World!");
    expect(Wasmex.Memory.fromInstance(instance, "uint16", 512).get(0)).toBe(0x6548);
  });

  test("Memory follows growth by the guest during a call", async () => {
    const module = await Wasmex.Module.compile(
      await wat(`(module (import "env" "see" (func $see)) (memory (export "memory") 1)
        (func (export "run") (drop (memory.grow (i32.const 1))) (i32.store (i32.const 65536) (i32.const 77)) (call $see)))`),
    );
    const seen: number[] = [];
    const see = Wasmex.fn([], [], ({ memory }) => {
      seen.push(memory.length, memory.get(65536));
    });
    const instance = await Wasmex.Instance.create(module, { imports: { env: { see } } });
    const memory = instance.memory("int32");
    expect(memory.get(0)).toBe(0);
    instance.callFunction("run");
    expect(seen).toEqual([2 * PAGE, 77]);
    expect(memory.get(16384)).toBe(77);
  });
});
