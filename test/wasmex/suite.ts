/** What Wasmex 0.7 promises of calls, imports, memory and errors, over whatever can call: an instance or a process. */
import { describe, expect, test } from "vitest";
import * as Wasmex from "wasmex";
import { fixture, wat } from "../support/index.js";

/** What the suite needs of either. */
export interface Subject {
  callFunction(name: string, params?: readonly unknown[]): Promise<Wasmex.WasmValue[]>;
  functionExists(name: string): boolean;
  memory: Wasmex.MemoryOwner["memory"];
  stop(): Promise<void>;
}

export type MakeSubject = (bytes: Uint8Array<ArrayBuffer>, imports?: Wasmex.Imports) => Promise<Subject>;

const { fn } = Wasmex;

const ENV = {
  imported_sum3: fn(["i32", "i32", "i32"], ["i32"], (_context, a, b, c) => a + b + c),
  imported_sumf: fn(["f32", "f32"], ["f32"], (_context, a, b) => a + b),
  imported_void: fn([], [], () => {}),
};

const PAGE = 65536;

export function wasmexSuite(make: MakeSubject): void {
  async function using<T>(
    source: string,
    imports: Wasmex.Imports | undefined,
    use: (subject: Subject) => Promise<T>,
  ): Promise<T> {
    const bytes = source.startsWith("(") ? await wat(source) : await fixture(source);
    const subject = await make(bytes, imports);
    try {
      return await use(subject);
    } finally {
      await subject.stop();
    }
  }

  describe("without imports", () => {
    test("functionExists tells whether a function is exported", () =>
      using("wasmex.wat", undefined, async (subject) => {
        expect(subject.functionExists("arity_0")).toBe(true);
        expect(subject.functionExists("unknown_function")).toBe(false);
        expect(subject.functionExists("memory")).toBe(false);
      }));

    test("callFunction refuses an unknown function", () =>
      using("wasmex.wat", undefined, async (subject) => {
        await expect(subject.callFunction("unknown_function", [1])).rejects.toThrow(
          "exported function `unknown_function` not found",
        );
      }));

    test("callFunction refuses too many params", () =>
      using("wasmex.wat", undefined, async (subject) => {
        await expect(subject.callFunction("arity_0", [1])).rejects.toThrow(
          "number of params does not match. expected 0, got 1",
        );
      }));

    test("callFunction answers the results of each type as an array", () =>
      using("wasmex.wat", undefined, async (subject) => {
        expect(await subject.callFunction("arity_0")).toEqual([42]);
        expect(await subject.callFunction("sum", [50, -8])).toEqual([42]);
        expect(await subject.callFunction("i32_i32", [-3])).toEqual([-3]);
        expect(await subject.callFunction("i64_i64", [-3])).toEqual([-3n]);
        expect(await subject.callFunction("i64_i64", [3_000_000_000])).toEqual([3_000_000_000n]);
        expect((await subject.callFunction("f32_f32", [3.14]))[0]).toBeCloseTo(3.14, 3);
        expect((await subject.callFunction("f64_f64", [3.14]))[0]).toBe(3.14);
        expect(await subject.callFunction("f64_f64", [3.5e38])).toEqual([3.5e38]);
        expect((await subject.callFunction("i32_i64_f32_f64_f64", [3, 4, 5.6, 7.8]))[0]).toBeCloseTo(20.4, 3);
        expect(await subject.callFunction("bool_casted_to_i32")).toEqual([1]);
        expect(await subject.callFunction("void")).toEqual([]);
      }));

    test("callFunction refuses a value outside its type", () =>
      using("wasmex.wat", undefined, async (subject) => {
        await expect(subject.callFunction("i32_i32", [3_000_000_000])).rejects.toThrow(
          "Cannot convert argument #1 to a WebAssembly i32 value.",
        );
        await expect(subject.callFunction("f32_f32", [3.5e38])).rejects.toThrow(
          "Cannot convert argument #1 to a WebAssembly f32 value.",
        );
        await expect(subject.callFunction("sum", [1, "two"])).rejects.toThrow(
          "Cannot convert argument #2 to a WebAssembly i32 value.",
        );
        await expect(subject.callFunction("v128_v128", [-1])).rejects.toThrow(
          "Cannot convert argument #1 to a WebAssembly v128 value.",
        );
      }));

    test("memory carries strings both ways", () =>
      using("wasmex.wat", undefined, async (subject) => {
        const [pointer] = await subject.callFunction("string");
        const memory = subject.memory();
        expect(memory.readString(Number(pointer), 13)).toBe("Hello, World!");
        memory.writeBinary(42, "hello, world");
        expect(await subject.callFunction("string_first_byte", [42, 12])).toEqual([104]);
      }));
  });

  describe("with imports", () => {
    test("callFunction reaches host functions of each type", () =>
      using("wasmex-imports.wat", { env: ENV }, async (subject) => {
        expect(await subject.callFunction("using_imported_void")).toEqual([]);
        expect(await subject.callFunction("using_imported_sum3", [23, 19, 2])).toEqual([44]);
        expect(await subject.callFunction("using_imported_sum3", [100, -77, 5])).toEqual([28]);
        expect((await subject.callFunction("using_imported_sumf", [2.3, 1.9]))[0]).toBeCloseTo(4.2, 3);
        expect((await subject.callFunction("using_imported_sumf", [10, -7.7]))[0]).toBeCloseTo(2.3, 3);
      }));

    test("a host function reads and changes memory", async () => {
      const seen: number[] = [];
      const imported_sum3 = fn(["i32", "i32", "i32"], ["i32"], ({ memory }, a, b, c) => {
        seen.push(memory.get(0));
        memory.set(0, 23);
        return a + b + c;
      });
      await using("wasmex-imports.wat", { env: { ...ENV, imported_sum3 } }, async (subject) => {
        const memory = subject.memory();
        memory.set(0, 42);
        expect(await subject.callFunction("using_imported_sum3", [1, 2, 3])).toEqual([6]);
        expect(memory.get(0)).toBe(23);
        expect(seen).toEqual([42]);
      });
    });

    test("a host function that throws ends the call with its cause, and the guest can be called again", async () => {
      const oops = new Error("oops");
      const imported_sum3 = fn(["i32", "i32", "i32"], ["i32"], () => {
        throw oops;
      });
      await using("wasmex-imports.wat", { env: { ...ENV, imported_sum3 } }, async (subject) => {
        const failure = await subject.callFunction("using_imported_sum3", [1, 2, 3]).catch((error) => error);
        expect(failure).toBeInstanceOf(Wasmex.HostFunctionError);
        expect(failure.cause).toBe(oops);
        expect(failure.message).toContain("oops");
        expect(await subject.callFunction("using_imported_void")).toEqual([]);
      });
    });

    test("an instance without its imports is refused, all of them named", async () => {
      const failure = await using("wasmex-imports.wat", {}, async () => undefined).catch((error) => error);
      expect(failure).toBeInstanceOf(Wasmex.LinkError);
      for (const name of ["imported_sum3", "imported_sumf", "imported_void"]) {
        expect(failure.message).toContain(`unknown import: \`env::${name}\` has not been defined`);
      }
    });

    test.each([
      ["too few params", fn(["i32", "i32"], ["i32"], (_context, a, b) => a + b)],
      ["too many params", fn(["i32", "i32", "i32", "i32"], ["i32"], (_context, a) => a)],
      ["a wrong result", fn(["i32", "i32", "i32"], ["i64"], () => 1n)],
    ])("a host function with %s is refused", async (_what, imported_sum3) => {
      const env = { ...ENV, imported_sum3 };
      const failure = await using("wasmex-imports.wat", { env }, async () => undefined).catch(
        (error) => error,
      );
      expect(failure).toBeInstanceOf(Wasmex.LinkError);
      expect(failure.message).toContain("incompatible import type for `env::imported_sum3`");
    });
  });

  describe("several values", () => {
    test("callFunction takes and answers several values", () =>
      using(
        `(module (func (export "call") (param i32 i64) (result i64 i32) (local.get 1) (local.get 0)))`,
        undefined,
        async (subject) => expect(await subject.callFunction("call", [1, 2])).toEqual([2n, 1]),
      ));

    test("a host function takes and answers several values", () =>
      using(
        `(module
          (import "env" "reorder" (func $reorder (param i32 i64) (result i64 i32)))
          (func (export "call") (param i32 i64) (result i64 i32) (call $reorder (local.get 0) (local.get 1))))`,
        { env: { reorder: fn(["i32", "i64"], ["i64", "i32"], (_context, a, b) => [b, a]) } },
        async (subject) => expect(await subject.callFunction("call", [1, 2])).toEqual([2n, 1]),
      ));

    test("callFunction takes ten params and answers ten results", () => {
      const ten = Array.from({ length: 10 }, (_, index) => index);
      const types = ten.map(() => "i64").join(" ");
      const body = ten.map((index) => `(local.get ${9 - index})`).join(" ");
      return using(
        `(module (func (export "reverse") (param ${types}) (result ${types}) ${body}))`,
        undefined,
        async (subject) => {
          expect(await subject.callFunction("reverse", ten)).toEqual(ten.map((index) => BigInt(9 - index)));
        },
      );
    });

    test("a string's place and length come as two results", () =>
      using(
        `(module (memory (export "memory") 1) (data (i32.const 42) "Hello World!")
          (func (export "call") (result i32 i32) (i32.const 42) (i32.const 12)))`,
        undefined,
        async (subject) => {
          const [place, length] = (await subject.callFunction("call")) as [number, number];
          expect(subject.memory().readString(place, length)).toBe("Hello World!");
        },
      ));
  });

  describe("the instance inside a callback", () => {
    test("context.callFunction calls an export of the caller", () =>
      using(
        `(module
          (import "env" "add_import" (func $add_import (param i32 i32) (result i32)))
          (func (export "call_import") (param i32 i32) (result i32)
            (call $add_import (local.get 0) (local.get 1)))
          (func (export "call_add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))`,
        {
          env: {
            // An answer that is there at once is given at once: inline the guest need not be able to wait.
            add_import: fn(["i32", "i32"], ["i32"], ({ callFunction }, a, b) => {
              const sum = callFunction("call_add", [a, b]);
              return sum instanceof Promise ? sum.then(([value]) => value as number) : (sum[0] as number);
            }),
          },
        },
        async (subject) => expect(await subject.callFunction("call_import", [1, 2])).toEqual([3]),
      ));

    test("a host function makes an instance of another module", async () => {
      const child = await Wasmex.Module.compile(
        await wat(`(module (func (export "answer") (result i32) (i32.const 42)))`),
      );
      await using(
        `(module (import "env" "create_instance" (func $create (result i32)))
          (func (export "run") (result i32) (call $create)))`,
        {
          env: {
            create_instance: fn([], ["i32"], () => {
              const [answer] = Wasmex.Instance.createSync(child).callFunction("answer");
              return answer as number;
            }),
          },
        },
        async (subject) => expect(await subject.callFunction("run")).toEqual([42]),
      );
    });
  });

  describe("traps", () => {
    test("a trap says its reason and where it happened, and the guest can be called again", () =>
      using("wasmex.wat", undefined, async (subject) => {
        const failure = await subject.callFunction("divide", [1, 0]).catch((error) => error);
        expect(failure).toBeInstanceOf(Wasmex.TrapError);
        expect(failure.reason).toBe("unreachable");
        expect(failure.frames[0].name).toBe("divide");
        expect(await subject.callFunction("divide", [6, 3])).toEqual([2]);
      }));
  });

  describe("many calls", () => {
    test("a thousand calls at once are all answered", () =>
      using("wasmex.wat", undefined, async (subject) => {
        const numbers = Array.from({ length: 1000 }, (_, index) => index);
        const sums = await Promise.all(numbers.map((n) => subject.callFunction("sum", [n, n])));
        expect(sums).toEqual(numbers.map((n) => [n * 2]));
      }));
  });

  describe("memory", () => {
    test("Memory.length is the memory's size", () =>
      using("wasmex.wat", undefined, async (subject) => {
        expect(subject.memory().length).toBe(17 * PAGE);
        expect(Wasmex.Memory.fromInstance(subject).length).toBe(17 * PAGE);
      }));

    test("Memory.grow answers the former page count", () =>
      using("wasmex.wat", undefined, async (subject) => {
        const memory = subject.memory();
        expect(memory.grow(3)).toBe(17);
        expect(memory.length).toBe(20 * PAGE);
        expect(memory.grow(1)).toBe(20);
        expect(memory.length).toBe(21 * PAGE);
      }));

    test("Memory.grow refuses what is too large", () =>
      using("wasmex.wat", undefined, async (subject) => {
        expect(() => subject.memory().grow(999_999_999)).toThrow(
          "Failed to grow the memory: failed to grow memory by `999999999`.",
        );
      }));

    test("Memory.get and Memory.set carry bytes", () =>
      using("wasmex.wat", undefined, async (subject) => {
        const memory = subject.memory();
        expect(memory.get(0)).toBe(0);
        memory.set(0, 42);
        expect(memory.get(0)).toBe(42);
        expect(() => memory.get(-42)).toThrow(RangeError);
        expect(() => memory.set(-42, 0)).toThrow(RangeError);
        expect(() => memory.get(999_999_999_999)).toThrow(RangeError);
        expect(() => memory.set(999_999_999_999, 0)).toThrow(RangeError);
      }));

    test("Memory.writeBinary overwrites just what it is given", () =>
      using("wasmex.wat", undefined, async (subject) => {
        const memory = subject.memory();
        memory.writeBinary(0, "hello");
        expect(memory.readString(0, 6)).toBe("hello\0");
        memory.writeBinary(1, "abc");
        expect(memory.readString(0, 5)).toBe("habco");
        const bytes = Uint8Array.from({ length: 24 }, (_, index) => (index * 151) % 256);
        memory.writeBinary(0, bytes);
        expect(memory.readBinary(0, 24)).toEqual(bytes);
      }));

    test("Memory.readBinary and Memory.readString read parts and nothing", () =>
      using("wasmex.wat", undefined, async (subject) => {
        const memory = subject.memory();
        for (const [index, byte] of [104, 101, 108, 108, 111].entries()) memory.set(index, byte);
        expect(memory.readString(0, 5)).toBe("hello");
        expect(memory.readString(3, 2)).toBe("lo");
        expect(memory.readString(8, 0)).toBe("");
        expect(memory.readBinary(3, 2)).toEqual(Uint8Array.of(108, 111));
        expect(memory.readBinary(8, 0)).toEqual(new Uint8Array(0));
      }));
  });
}
