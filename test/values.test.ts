import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import * as Wasmex from "wasmex";
import { fixture, wat } from "./support/index.js";

/** Runs a check over many values. */
function forAll<T>(values: fc.Arbitrary<T>, check: (value: T) => void): void {
  fc.assert(
    fc.property(values, (value) => {
      check(value);
    }),
  );
}

const F32_MAX = 3.4028234663852886e38;

describe("values of a call", () => {
  let instance: Wasmex.Instance;
  beforeAll(async () => {
    instance = await Wasmex.Instance.create(await Wasmex.Module.compile(await fixture("wasmex.wat")));
  });

  /** The same call by name and by bound function; both have to agree. */
  function give(name: string, value: unknown): unknown {
    const [listed] = instance.callFunction(name, [value]);
    expect(instance.function(name)(value)).toStrictEqual(listed);
    return listed;
  }

  function expectRefusal(name: string, value: unknown, type: string): void {
    const text = `Cannot convert argument #1 to a WebAssembly ${type} value.`;
    expect(() => instance.callFunction(name, [value])).toThrow(Wasmex.CallError);
    expect(() => instance.callFunction(name, [value])).toThrow(text);
    expect(() => instance.function(name)(value)).toThrow(text);
  }

  test("i32 takes every whole number of its range, and answers it", () => {
    forAll(fc.integer(), (value) => expect(give("i32_i32", value)).toBe(value));
    expect(give("i32_i32", -0)).toBe(0);
  });

  test("i32 refuses everything else", () => {
    const outside = fc.oneof(
      fc.integer({ min: 2 ** 31, max: Number.MAX_SAFE_INTEGER }),
      fc.integer({ min: Number.MIN_SAFE_INTEGER, max: -(2 ** 31) - 1 }),
      fc.double({ noInteger: true }),
      fc.anything().filter((value) => typeof value !== "number"),
    );
    forAll(outside, (value) => expectRefusal("i32_i32", value, "i32"));
    for (const value of [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      "1",
      true,
      null,
      undefined,
      1n,
      Symbol("s"),
      {},
    ]) {
      expectRefusal("i32_i32", value, "i32");
    }
  });

  test("i64 takes every bigint of its range and safe integers, and answers bigint", () => {
    forAll(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) =>
      expect(give("i64_i64", value)).toBe(value),
    );
    forAll(fc.maxSafeInteger(), (value) => expect(give("i64_i64", value)).toBe(BigInt(value)));
  });

  test("i64 refuses everything else", () => {
    const outside = fc.oneof(
      fc.bigInt({ min: 2n ** 63n }),
      fc.bigInt({ max: -(2n ** 63n) - 1n }),
      fc.double({ noInteger: true }),
      fc.constantFrom(2 ** 53, -(2 ** 53), 1e300),
      fc.anything().filter((value) => typeof value !== "number" && typeof value !== "bigint"),
    );
    forAll(outside, (value) => expectRefusal("i64_i64", value, "i64"));
  });

  test("f32 takes what fits after rounding, infinities and NaN, and answers the f32", () => {
    forAll(fc.float(), (value) => expect(give("f32_f32", value)).toBe(value));
    forAll(fc.double({ min: -F32_MAX, max: F32_MAX }), (value) =>
      expect(give("f32_f32", value)).toBe(Math.fround(value)),
    );
    for (const value of [-0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, F32_MAX]) {
      expect(give("f32_f32", value)).toBe(value);
    }
  });

  test("f32 refuses finite numbers that become infinite, and what is no number", () => {
    const outside = fc.oneof(
      fc.double({ min: 3.5e38, noDefaultInfinity: true, noNaN: true }),
      fc.double({ max: -3.5e38, noDefaultInfinity: true, noNaN: true }),
      fc.anything().filter((value) => typeof value !== "number"),
    );
    forAll(outside, (value) => expectRefusal("f32_f32", value, "f32"));
  });

  test("f64 takes every number and nothing else", () => {
    forAll(fc.double(), (value) => expect(give("f64_f64", value)).toBe(value));
    const outside = fc.anything().filter((value) => typeof value !== "number");
    forAll(outside, (value) => expectRefusal("f64_f64", value, "f64"));
  });

  test("v128 is refused, by every way in", async () => {
    expectRefusal("v128_v128", 1n, "v128");
    const module = await Wasmex.Module.compile(
      await wat(`(module (func (export "result") (result v128) (v128.const i64x2 0 0)))`),
    );
    const vector = await Wasmex.Instance.create(module);
    expect(() => vector.callFunction("result")).toThrow(Wasmex.UnsupportedError);
    expect(() => vector.function("result")()).toThrow("JavaScript has no v128 values");
  });

  test("a refusal says what was given", () => {
    const given = (value: unknown): string => {
      try {
        instance.callFunction("i32_i32", [value]);
        return "";
      } catch (error) {
        return (error as Error).message.replace(
          "Cannot convert argument #1 to a WebAssembly i32 value. ",
          "",
        );
      }
    };
    expect(given(3_000_000_000)).toBe("Given 3000000000.");
    expect(given(7n)).toBe("Given 7n.");
    expect(given("seven")).toBe('Given "seven".');
    expect(given("x".repeat(1000)).length).toBeLessThan(60);
    expect(given(null)).toBe("Given null.");
    expect(given([7])).toBe("Given [object Array].");
    expect(given(() => 7)).toBe("Given a function.");
    expect(given(Object.create(null))).toBe("Given [object Object].");
  });

  test("an argument's number counts from 1, in every signature", async () => {
    const types = ["i32", "i64", "f32", "f64", "i32", "f64"];
    for (let count = 1; count <= types.length; count++) {
      const params = types.slice(0, count).join(" ");
      const bytes = await wat(`(module (func (export "take") (param ${params})))`);
      const taker = await Wasmex.Instance.create(await Wasmex.Module.compile(bytes));
      const good = [1, 2n, 3, 4, 5, 6].slice(0, count);
      expect(taker.callFunction("take", good)).toEqual([]);
      expect(taker.function("take")(...good)).toBe(undefined);
      for (let bad = 0; bad < count; bad++) {
        const params = good.map((each, at) => (at === bad ? "no" : each));
        const text = `Cannot convert argument #${bad + 1} to a WebAssembly ${types[bad]} value.`;
        expect(() => taker.callFunction("take", params)).toThrow(text);
        expect(() => taker.function("take")(...params)).toThrow(text);
      }
      const wrong = `number of params does not match. expected ${count}, got ${count + 1}`;
      expect(() => taker.callFunction("take", [...good, 0])).toThrow(wrong);
      expect(() => taker.function("take")(...good, 0)).toThrow(wrong);
      expect(() => taker.callFunction("take")).toThrow(`expected ${count}, got 0`);
      expect(() => taker.function("take")()).toThrow(`expected ${count}, got 0`);
    }
  });

  test("externref carries any value, funcref just exported functions and null", async () => {
    const bytes = await wat(`(module
      (func (export "any") (param externref) (result externref) (local.get 0))
      (func (export "call") (param funcref) (result funcref) (local.get 0))
      (func (export "second") (param i32 funcref)))`);
    const references = await Wasmex.Instance.create(await Wasmex.Module.compile(bytes));
    const thing = { any: Symbol("thing") };
    for (const value of [thing, "text", 7, undefined, null, [thing]]) {
      expect(references.callFunction("any", [value])[0]).toBe(value);
      expect(references.function("any")(value)).toBe(value);
    }
    expect(references.callFunction("call", [null])).toEqual([null]);
    expect(references.callFunction("call", [references.exports.any])).toEqual([references.exports.any]);
    expect(() => references.callFunction("call", [() => 1])).toThrow(
      "Cannot convert argument #1 to a WebAssembly funcref value. Given a function.",
    );
    expect(() => references.function("second")(1, {})).toThrow(
      "Cannot convert argument #2 to a WebAssembly funcref value.",
    );
  });
});
