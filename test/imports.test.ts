import { describe, expect, expectTypeOf, test } from "vitest";
import * as Wasmex from "wasmex";
import { wat } from "./support/index.js";

const { fn } = Wasmex;

async function compile(text: string): Promise<Wasmex.Module> {
  return Wasmex.Module.compile(await wat(text));
}

async function make(text: string, imports?: Wasmex.Imports): Promise<Wasmex.Instance> {
  return Wasmex.Instance.create(await compile(text), { imports });
}

function failureOf(run: () => unknown): Error & { cause?: unknown } {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("it should have thrown");
}

async function linkFailure(text: string, imports?: Wasmex.Imports): Promise<string[]> {
  const module = await compile(text);
  const failure = failureOf(() => Wasmex.Instance.createSync(module, { imports }));
  expect(failure).toBeInstanceOf(Wasmex.LinkError);
  const rejection = await Wasmex.Instance.create(module, { imports }).catch((error: Error) => error);
  expect((rejection as Error).message).toBe(failure.message);
  return failure.message.split("\n");
}

const CALLER = (types: string, results = "i32"): string => {
  const params = types === "" ? [] : types.split(" ");
  const signature = `(param ${types}) (result ${results})`;
  const gets = params.map((_, index) => `(local.get ${index})`).join(" ");
  return `(module (import "env" "f" (func $f ${signature})) (memory (export "memory") 1)
    (func (export "run") ${signature} (call $f ${gets}))
    (func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))`;
};

describe("fn", () => {
  test("fn types its callback by the two lists", () => {
    fn(["i32", "i64", "f32", "f64", "externref"], ["i64"], (context, a, b, c, d, e) => {
      expectTypeOf(context).toEqualTypeOf<Wasmex.Context>();
      expectTypeOf(a).toEqualTypeOf<number>();
      expectTypeOf(b).toEqualTypeOf<bigint>();
      expectTypeOf(c).toEqualTypeOf<number>();
      expectTypeOf(d).toEqualTypeOf<number>();
      expectTypeOf(e).toEqualTypeOf<unknown>();
      return b;
    });
    fn([], [], (...rest) => {
      expectTypeOf(rest).toEqualTypeOf<[context: Wasmex.Context]>();
    });
    fn([], ["i32", "i64"], () => [1, 2n]);
    fn(["i32"], ["i32"], async (_context, a) => a);
    fn([], [], async () => {});
    // @ts-expect-error an i64 is a bigint
    fn([], ["i64"], () => 1);
    // @ts-expect-error two results are an array of two
    fn([], ["i32", "i32"], () => [1]);
    // @ts-expect-error there is no such type
    expect(() => fn(["int"], [], () => {})).toThrow("no value type");
    expectTypeOf<Wasmex.JsTypes<["i32", "i64"]>>().toEqualTypeOf<[number, bigint]>();
  });

  test("fn refuses what is no value type", () => {
    expect(() => fn(["i33" as never], [], () => undefined)).toThrow('"i33" is no value type');
    expect(() => fn([], ["(ref null func)", "funcref", "v128"], (() => undefined) as never)).not.toThrow();
  });

  test("fn keeps its signature, whatever becomes of the lists", () => {
    const [parameters, results]: Wasmex.ValueType[][] = [["i32"], ["i64"]];
    const host = fn(parameters as "i32"[], results as "i64"[], () => [1n]);
    parameters?.push("f32");
    results?.pop();
    expect([host.parameters, host.results]).toEqual([["i32"], ["i64"]]);
  });

  test("fn refuses what is no list or no function", () => {
    expect(() => fn("i32" as never, [], () => {})).toThrow(TypeError);
    expect(() => fn([], [], undefined as never)).toThrow(TypeError);
  });
});

describe("host functions", () => {
  test("a host function gets its context and params, in every number of them", async () => {
    for (let count = 0; count <= 6; count++) {
      const types = Array.from({ length: count }, () => "i32" as const);
      const seen: unknown[][] = [];
      const typed = fn(types, ["i32"], (context, ...params) => {
        expect(context.memory).toBeInstanceOf(Wasmex.Memory);
        seen.push(params);
        return params.length;
      });
      const plain = (...params: number[]): number => {
        seen.push(params);
        return params.length;
      };
      const given = types.map((_, index) => index * 7);
      for (const f of [typed, plain]) {
        const instance = await make(CALLER(types.join(" ")), { env: { f } });
        expect(instance.callFunction("run", given)).toEqual([count]);
        expect(instance.function("run")(...given)).toBe(count);
        expect(seen.splice(0)).toEqual([given, given]);
      }
    }
  });

  test("a host function's throw is the cause in every number of params", async () => {
    const oops = new Error("oops");
    for (let count = 0; count <= 6; count++) {
      const f = (): never => {
        throw oops;
      };
      const instance = await make(CALLER(Array(count).fill("i32").join(" ")), { env: { f } });
      const failure = failureOf(() => instance.callFunction("run", Array(count).fill(0)));
      expect(failure).toBeInstanceOf(Wasmex.HostFunctionError);
      expect(failure.message).toBe("host function `env::f` failed: oops");
      expect(failure.cause).toBe(oops);
      expect(instance.callFunction("twice", [4])).toEqual([8]);
    }
  });

  test("a host function may throw anything", async () => {
    for (const thrown of [undefined, null, "text", 7, { message: 1 }]) {
      const instance = await make(CALLER(""), {
        env: {
          f: () => {
            throw thrown;
          },
        },
      });
      const failure = failureOf(() => instance.callFunction("run"));
      expect(failure).toBeInstanceOf(Wasmex.HostFunctionError);
      expect(failure.cause).toBe(thrown);
    }
  });

  test.each([
    ["i32", [2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN, "1", undefined, 1n, null, true]],
    ["i64", [2n ** 63n, 2 ** 53, 0.5, "1", undefined]],
    ["f32", [3.5e38, "1", undefined, 1n]],
    ["f64", ["1", undefined, 1n]],
  ] as const)(
    "a result outside %s ends the call, and the instance can be called again",
    async (type, wrong) => {
      let result: unknown;
      for (const f of [fn([], [type], () => result as never), () => result]) {
        const instance = await make(CALLER("", type), { env: { f } });
        for (result of wrong) {
          const failure = failureOf(() => instance.callFunction("run"));
          expect(failure).toBeInstanceOf(Wasmex.HostFunctionError);
          expect(failure.message).toContain(`Cannot convert result #1 to a WebAssembly ${type} value.`);
          expect(failure.cause).toBeInstanceOf(Error);
        }
        result = 7;
        expect(instance.callFunction("run")).toEqual([type === "i64" ? 7n : 7]);
      }
    },
  );

  test("several results come as an array of just as many", async () => {
    let result: unknown = [1, 2n, 3.5];
    const instance = await make(CALLER("", "i32 i64 f64"), {
      env: { f: fn([], ["i32", "i64", "f64"], () => result as never) },
    });
    expect(instance.callFunction("run")).toEqual([1, 2n, 3.5]);
    for (result of [[1, 2n], [1, 2n, 3, 4], 1, undefined, "123", [1, "2", 3]]) {
      expect(failureOf(() => instance.callFunction("run"))).toBeInstanceOf(Wasmex.HostFunctionError);
    }
    result = [1, 2, 3];
    expect(instance.callFunction("run")).toEqual([1, 2n, 3]);
    result = [1, 2n];
    expect(() => instance.callFunction("run")).toThrow(
      "number of results does not match. expected 3, got 2 values",
    );
  });

  test("a host function without results may answer anything but a promise", async () => {
    const text = `(module (import "env" "f" (func $f)) (func (export "run") (call $f)))`;
    for (const result of [undefined, 7, "text", [1]]) {
      expect((await make(text, { env: { f: () => result } })).callFunction("run")).toEqual([]);
    }
  });

  test("an async host function is refused where the guest cannot wait, by the call and by name", async () => {
    for (const f of [
      fn([], ["i32"], async () => 1),
      async () => 1,
      async () => Promise.reject(new Error("unseen")),
    ]) {
      const instance = await make(CALLER(""), { env: { f } });
      const failure = failureOf(() => instance.callFunction("run"));
      expect(failure).toBeInstanceOf(Wasmex.UnsupportedError);
      expect(failure.message).toContain("env::f");
      // The step that would help: a thread, or what gives this page threads with shared memory.
      const { sharedMemory, reason } = Wasmex.capabilities();
      expect(failure.message).toContain(sharedMemory ? 'thread: "worker"' : reason);
      expect(instance.callFunction("twice", [4])).toEqual([8]);
    }
  });

  test("context.callFunction enters the instance again, errors of the inner call are the cause", async () => {
    let inner: () => unknown = () => 0;
    const f = fn(["i32"], ["i32"], (context, n) => {
      inner = () => context.callFunction("twice", [n]);
      return (context.callFunction(n < 0 ? "nowhere" : "twice", [n]) as number[])[0] as number;
    });
    const instance = await make(CALLER("i32"), { env: { f } });
    expect(instance.callFunction("run", [21])).toEqual([42]);
    expect(inner()).toEqual([42]);
    const failure = failureOf(() => instance.callFunction("run", [-1]));
    expect(failure).toBeInstanceOf(Wasmex.HostFunctionError);
    expect(failure.cause).toBeInstanceOf(Wasmex.CallError);
    expect(instance.callFunction("run", [4])).toEqual([8]);
  });

  test("a host error through nested calls keeps the first cause", async () => {
    const oops = new Error("oops");
    const f = fn(["i32"], ["i32"], (context, n) => {
      if (n === 0) throw oops;
      return (context.callFunction("run", [n - 1]) as number[])[0] as number;
    });
    const instance = await make(CALLER("i32"), { env: { f } });
    const failure = failureOf(() => instance.callFunction("run", [5]));
    expect(failure).toBeInstanceOf(Wasmex.HostFunctionError);
    expect(failure.cause).toBe(oops);
  });

  test("context.signal is a signal that is not aborted, context may be taken apart", async () => {
    const f = fn([], ["i32"], ({ signal, memory, callFunction }) => {
      memory.set(5, 6);
      return signal.aborted ? 0 : ((callFunction("twice", [memory.get(5)]) as number[])[0] as number);
    });
    const instance = await make(CALLER(""), { env: { f } });
    expect(instance.callFunction("run")).toEqual([12]);
  });

  test("a start function's host functions are told that there is no instance yet", async () => {
    const text = `(module (import "env" "f" (func $f)) (memory (export "memory") 1) (start $f))`;
    let ran = 0;
    await make(text, { env: { f: () => ran++ } });
    expect(ran).toBe(1);
    const failure = await make(text, { env: { f: fn([], [], ({ memory }) => memory.set(0, 1)) } }).catch(
      (e) => e,
    );
    expect(failure).toBeInstanceOf(Wasmex.HostFunctionError);
    expect(failure.message).toContain("still being made");
  });
});

describe("linking", () => {
  test("LinkError lists everything missing or incompatible at once, expected and given", async () => {
    const lines = await linkFailure(
      `(module
        (import "a" "missing" (func (param i32) (result i64)))
        (import "a" "signature" (func (param i32 i32)))
        (import "a" "number" (func))
        (import "b" "memory" (memory 2 4))
        (import "b" "table" (table 1 funcref))
        (import "b" "global" (global (mut i64)))
        (import "b" "fine" (func))
        (import "c" "nothing" (global i32)))`,
      {
        a: { signature: fn(["i32"], ["i32"], (_context, a) => a), number: 7 },
        b: {
          memory: new WebAssembly.Memory({ initial: 1, maximum: 1 }),
          table: new WebAssembly.Memory({ initial: 1 }),
          global: new WebAssembly.Global({ value: "i32", mutable: true }, 1),
          fine: () => {},
        },
      },
    );
    expect(lines).toEqual(
      expect.arrayContaining([
        "unknown import: `a::missing` has not been defined, expected a function (i32) -> (i64)",
        "incompatible import type for `a::signature`: expected a function (i32, i32) -> (), given a function (i32) -> (i32)",
        "incompatible import type for `a::number`: expected a function () -> (), given 7",
        "incompatible import type for `b::memory`: expected a memory of 2 to 4 pages, given a memory of 1 pages",
        "incompatible import type for `b::table`: expected a table of 1 funcref, given a memory of 1 pages",
        "incompatible import type for `b::global`: expected a mutable global i64, given a mutable global i32",
        "unknown import: `c::nothing` has not been defined, expected a global i32",
      ]),
    );
    expect(lines).toHaveLength(7);
  });

  test.each([
    ["global i32", "global i32", new WebAssembly.Global({ value: "i32" }, 1), undefined],
    ["global i32", "global i32", 1, undefined],
    ["global i32", "global i32", 2 ** 31, "2147483648"],
    ["global f32", "global f32", 1e39, "1e+39"],
    ["global i64", "global i64", 1n, undefined],
    ["global (mut i32)", "mutable global i32", new WebAssembly.Global({ value: "i32" }, 1), "a global i32"],
    [
      "global i32",
      "global i32",
      new WebAssembly.Global({ value: "i32", mutable: true }, 1),
      "a mutable global i32",
    ],
    ["global f32", "global f32", new WebAssembly.Global({ value: "f64" }, 1), "a global f64"],
    ["global i64", "global i64", 1, "1"],
    ["global (mut i32)", "mutable global i32", 1, "1"],
    ["memory 1", "memory of 1 pages", new WebAssembly.Memory({ initial: 1 }), undefined],
    ["memory 1", "memory of 1 pages", new WebAssembly.Memory({ initial: 2, maximum: 3 }), undefined],
    [
      "memory 1 2",
      "memory of 1 to 2 pages",
      new WebAssembly.Memory({ initial: 1 }),
      "a memory of 1 pages with another maximum",
    ],
    ["memory 1", "memory of 1 pages", {}, "[object Object]"],
    ["memory 1", "memory of 1 pages", () => 1, "a function"],
    [
      "table 1 externref",
      "table of 1 externref",
      new WebAssembly.Table({ element: "anyfunc", initial: 1 }),
      "a table of 1 funcref",
    ],
    ["func", "function () -> ()", new WebAssembly.Memory({ initial: 1 }), "a memory of 1 pages"],
  ])("an import of (%s) is checked", async (type, expected, value, given) => {
    const text = `(module (import "env" "it" (${type})))`;
    if (given === undefined) {
      await make(text, { env: { it: value } });
    } else {
      expect(await linkFailure(text, { env: { it: value } })).toEqual([
        `incompatible import type for \`env::it\`: expected a ${expected}, given ${given}`,
      ]);
    }
  });

  test("exported functions are linked as they are, and checked", async () => {
    const other = await make(`(module (func (export "add") (param i32) (result i32) (local.get 0)))`);
    const text = (types: string): string =>
      `(module (import "env" "f" (func $f ${types})) (export "f" (func $f)))`;
    const { add } = other.exports;
    const instance = await make(text("(param i32) (result i32)"), { env: { f: add as never } });
    expect(instance.exports.f).toBe(add);
    expect(await linkFailure(text("(param i64) (result i32)"), { env: { f: add as never } })).toEqual([
      "incompatible import type for `env::f`: expected a function (i64) -> (i32), given an exported function of another signature, with 1 params",
    ]);
  });

  test("memories, tables and globals are shared with the host", async () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const global = new WebAssembly.Global({ value: "i64", mutable: true }, 5n);
    const instance = await make(
      `(module (import "env" "memory" (memory 1)) (import "env" "global" (global $g (mut i64)))
        (export "memory" (memory 0)) (export "global" (global $g))
        (func (export "run") (i32.store (i32.const 0) (i32.const 77)) (global.set $g (i64.const 6))))`,
      { env: { memory, global } },
    );
    instance.callFunction("run");
    expect(new Uint8Array(memory.buffer)[0]).toBe(77);
    expect(instance.memory().get(0)).toBe(77);
    expect(global.value).toBe(6n);
    expect(instance.globals.get("global")).toBe(6n);
  });

  test("names that every object has are not found by accident, and can be given", async () => {
    const names = ["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf"];
    const imports = names.map((name) => `(import "${name}" "${name}" (func (result i32)))`).join("");
    const text = `(module ${imports} ${names.map((name, index) => `(export "${name}" (func ${index}))`).join("")})`;
    expect(await linkFailure(text, {})).toHaveLength(names.length);
    expect(await linkFailure(text)).toHaveLength(names.length);
    const given = Object.fromEntries(
      names.map((name, index) => [name, Object.fromEntries([[name, () => index]])]),
    );
    const instance = await make(text, given);
    for (const [index, name] of names.entries()) {
      expect(instance.functionExists(name)).toBe(true);
      expect(instance.callFunction(name)).toEqual([index]);
    }
    const empty = await make("(module)");
    for (const name of names) {
      expect(empty.functionExists(name)).toBe(false);
      expect(() => empty.callFunction(name)).toThrow(`exported function \`${name}\` not found`);
      expect(() => empty.globals.get(name)).toThrow(`exported global \`${name}\` not found`);
    }
  });

  test("inherited members of a namespace are found, as of a class instance", async () => {
    class Host {
      f(): number {
        return 5;
      }
    }
    expect((await make(CALLER(""), { env: new Host() })).callFunction("run")).toEqual([5]);
  });

  test("an import of two types under one name gets each its own", async () => {
    const instance = await make(
      `(module (import "env" "f" (func $a (result i32))) (import "env" "f" (func $b (result i64)))
        (func (export "a") (result i32) (call $a)) (func (export "b") (result i64) (call $b)))`,
      { env: { f: () => 7 } },
    );
    expect(instance.callFunction("a")).toEqual([7]);
    expect(instance.callFunction("b")).toEqual([7n]);
  });

  test("a missing import of WASI says how to get it", async () => {
    const lines = await linkFailure(
      `(module (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32))))`,
    );
    expect(lines[0]).toContain("is `wasi` set?");
    const module = await Wasmex.Module.compile(`(module (import "wasi_snapshot_preview1" "fd_none" (func)))`);
    const failing = Wasmex.Instance.create(module, { wasi: true });
    await expect(failing).rejects.toThrow(/^unknown import: `wasi_snapshot_preview1::fd_none`.* -> \(\)$/);
  });
});
