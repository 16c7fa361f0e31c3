import { describe, expect, test } from "vitest";
import * as Wasmex from "wasmex";
import { thread } from "../support/thread.js";

const SOURCE = `(module
  (import "env" "sum3" (func $sum3 (param i32 i32 i32) (result i32)))
  (import "env" "peek" (func $peek (param i32 i32) (result i32)))
  (import "env" "again" (func $again (param i32) (result i32)))
  (import "env" "two" (func $two (result i32 i64)))
  (memory (export "memory") 1)
  (func (export "sum") (result i32) (call $sum3 (i32.const 1) (i32.const 2) (i32.const 3)))
  (func (export "peek") (param i32 i32) (result i32) (call $peek (local.get 0) (local.get 1)))
  (func (export "again") (param i32) (result i32) (call $again (local.get 0)))
  (func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func (export "two") (result i32 i64) (call $two))
  (data (i32.const 8) "abc"))`;

describe(`host functions (${thread})`, () => {
  const make = (overrides: Record<string, Wasmex.ImportValue> = {}) =>
    Wasmex.start({
      bytes: SOURCE,
      thread,
      imports: {
        env: {
          sum3: Wasmex.fn(["i32", "i32", "i32"], ["i32"], (_context, a, b, c) => a + b + c),
          peek: Wasmex.fn(
            ["i32", "i32"],
            ["i32"],
            ({ memory }, at, length) => memory.readString(at, length).length,
          ),
          again: Wasmex.fn(["i32"], ["i32"], (_context, n) => n),
          two: Wasmex.fn([], ["i32", "i64"], () => [1, 2n]),
          ...overrides,
        },
      },
    });

  test("fn gets its arguments, memory and several results", async () => {
    const guest = await make();
    expect(await guest.callFunction("sum")).toEqual([6]);
    expect(await guest.callFunction("peek", [8, 3])).toEqual([3]);
    expect(await guest.callFunction("two")).toEqual([1, 2n]);
    await guest.stop();
  });

  const early = (entry: string) => `(module
    (import "env" "ask" (func $ask (result i32)))
    (memory (export "memory") 1)
    (global $got (mut i32) (i32.const 0))
    (data (i32.const 8) "abc")
    (func (export "seven") (result i32) (i32.const 7))
    (func (export "got") (result i32) (global.get $got))
    (func $s (global.set $got (call $ask))) ${entry})`;

  test("_initialize's host functions reach the memory and the exports", async () => {
    // Inline, a function that is called while the instance is made can't be waited for.
    const call = (context: Wasmex.Context) => context.callFunction("seven");
    const ask = Wasmex.fn(
      [],
      ["i32"],
      (thread === "worker"
        ? async (context) => (await call(context))[0]
        : (context) => (call(context) as Wasmex.WasmValue[])[0]) as (context: Wasmex.Context) => number,
    );
    const peek = Wasmex.fn([], ["i32"], ({ memory }) => memory.readString(8, 3).length);
    for (const [asked, got] of [
      [ask, 7],
      [peek, 3],
    ] as const) {
      const bytes = early(`(export "_initialize" (func $s))`);
      const guest = await Wasmex.start({ bytes, thread, imports: { env: { ask: asked } } });
      expect(await guest.callFunction("got")).toEqual([got]);
      expect(guest.memory().readString(8, 3)).toBe("abc");
      await guest.stop();
    }
  });

  test("a start function's host functions are told that there are no exports yet", async () => {
    const reach: ((context: Wasmex.Context) => unknown)[] = [({ memory }) => memory.length];
    if (thread === "worker") reach.push(async ({ callFunction }) => callFunction("seven"));
    for (const callback of reach) {
      const ask = Wasmex.fn([], ["i32"], callback as () => number);
      const error = await Wasmex.start({
        bytes: early("(start $s)"),
        thread,
        imports: { env: { ask } },
      }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Wasmex.HostFunctionError);
      expect((error as Error).cause).toBeInstanceOf(Wasmex.CallError);
      expect((error as Error).message).toContain("the instance is still being made");
    }
  });

  test("a throw becomes HostFunctionError with its cause, and the guest can be called again", async () => {
    const cause = new TypeError("on purpose");
    const guest = await make({
      again: Wasmex.fn(["i32"], ["i32"], (_context, n) => {
        if (n === 1) throw cause;
        return n === 2 ? ("text" as unknown as number) : n;
      }),
    });
    const failure = await guest.callFunction("again", [1]).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(Wasmex.HostFunctionError);
    expect((failure as Error).cause).toBe(cause);
    await expect(guest.callFunction("again", [2])).rejects.toThrow(Wasmex.HostFunctionError);
    expect(await guest.callFunction("again", [3])).toEqual([3]);
    await guest.stop();
  });

  test("context.callFunction re-enters the guest", async () => {
    const again =
      thread === "worker"
        ? Wasmex.fn(["i32"], ["i32"], async (context, n) => {
            const [twice] = await context.callFunction("twice", [n]);
            return (twice as number) + 1;
          })
        : Wasmex.fn(["i32"], ["i32"], (context, n) => {
            const [twice] = context.callFunction("twice", [n]) as Wasmex.WasmValue[];
            return (twice as number) + 1;
          });
    const guest = await make({ again });
    expect(await guest.callFunction("again", [20])).toEqual([41]);
    await guest.stop();
  });

  test.runIf(thread === "worker")("an async host function is waited for", async () => {
    const guest = await make({
      again: Wasmex.fn(["i32"], ["i32"], async (_context, n) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return n + 1;
      }),
    });
    expect(await guest.callFunction("again", [1])).toEqual([2]);
    await guest.stop();
  });

  test.runIf(thread === "worker")(
    "a host function that never answers is timed out, its signal aborted",
    async () => {
      let seen: AbortSignal | undefined;
      const guest = await make({
        again: Wasmex.fn(["i32"], ["i32"], (context) => {
          seen = context.signal;
          return new Promise<number>(() => {});
        }),
      });
      await expect(guest.callFunction("again", [1], 60)).rejects.toThrow(Wasmex.TimeoutError);
      expect(seen?.aborted).toBe(true);
      await guest.exited;
    },
  );

  test.runIf(thread === "worker")(
    "an engine object that cannot cross is refused with the way out",
    async () => {
      await expect(
        Wasmex.start({
          bytes: `(module (import "env" "limit" (global i32)))`,
          imports: { env: { limit: new WebAssembly.Global({ value: "i32" }, 10) } },
          thread,
        }),
      ).rejects.toThrow(/thread: "inline"/);
    },
  );

  test("a name imported twice as two types is called as both", async () => {
    const got: unknown[] = [];
    const guest = await Wasmex.start({
      bytes: `(module
        (import "env" "note" (func $narrow (param i32)))
        (import "env" "other" (func $other (result f64)))
        (import "env" "note" (func $wide (param i64)))
        (func (export "run") (result f64) (call $narrow (i32.const 1)) (call $wide (i64.const 2)) (call $other)))`,
      imports: { env: { note: (value: unknown) => void got.push(value), other: () => 0.5 } },
      thread,
    });
    expect(await guest.callFunction("run")).toEqual([0.5]);
    expect(got).toEqual([1, 2n]);
    await guest.stop();
  });

  test.each([
    ["(memory 1)", () => 1, "expected a memory of 1 pages, given a function"],
    ["(global i32)", "x", 'expected a global i32, given "x"'],
    ["(func)", 5, "expected a function () -> (), given 5"],
    ["(func)", null, "expected a function () -> (), given null"],
    ["(table 1 funcref)", {}, "expected a table of 1 funcref, given [object Object]"],
  ])("an import that is none of %s is told in the same words on every thread", async (type, value, text) => {
    const started = Wasmex.start({
      bytes: `(module (import "env" "x" ${type}))`,
      imports: { env: { x: value as never } },
      thread,
    });
    await expect(started).rejects.toThrow(Wasmex.LinkError);
    await expect(started).rejects.toThrow(`\`env::x\`: ${text}`);
  });

  test.runIf(thread === "worker")("another instance's export cannot cross to a thread", async () => {
    const other = await Wasmex.Module.compile(`(module (func (export "f") (result i32) (i32.const 1)))`);
    const { exports } = await Wasmex.Instance.create(other);
    const started = Wasmex.start({
      bytes: `(module (import "env" "f" (func (result i32))))`,
      imports: { env: exports },
      thread,
    });
    await expect(started).rejects.toThrow(Wasmex.UnsupportedError);
    await expect(started).rejects.toThrow(/`env::f`.*thread: "inline"/);
  });

  test("a thenable is waited for, or refused as what can't be", async () => {
    // biome-ignore lint/suspicious/noThenProperty: what a promise of another library is
    const guest = await make({ again: () => ({ then: (resolve: (value: number) => void) => resolve(9) }) });
    const call = guest.callFunction("again", [1]);
    if (thread === "worker") expect(await call).toEqual([9]);
    else await expect(call).rejects.toThrow(Wasmex.UnsupportedError);
    await guest.stop();
  });
});

describe(`programs that host functions run (${thread})`, () => {
  const TOOL = `(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "env" "fail" (func $fail))
    (memory (export "memory") 1)
    (func (export "exit") (param i32) (call $exit (local.get 0)))
    (func (export "fail") (call $fail)))`;
  const OUTER = `(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "env" "tool" (func $tool (param i32) (result i32)))
    (memory (export "memory") 1)
    (table (export "table") 1 funcref)
    (elem (i32.const 0) $leave)
    (func $leave (export "leave") (param i32) (call $exit (local.get 0)))
    (func (export "again") (param i32) (drop (call $tool (local.get 0))))
    (func (export "_start") (drop (call $tool (i32.const 3)))))`;
  const cause = new Error("on purpose");
  const fail = (): never => {
    throw cause;
  };

  /** What the call of the host function comes to, given as a plain function, and as an async one where the guest can wait. */
  async function ends(
    call: (context: Wasmex.Context, value: number) => unknown,
    value: number,
    name = "again",
  ): Promise<unknown[]> {
    const tools = [Wasmex.fn(["i32"], ["i32"], call as () => number)];
    if (thread === "worker" || Wasmex.capabilities().jspi) {
      tools.push(
        Wasmex.fn(["i32"], ["i32"], async (context, given) => (await call(context, given)) as number),
      );
    }
    const ends: unknown[] = [];
    for (const tool of tools) {
      const guest = await Wasmex.start({ bytes: OUTER, thread, wasi: true, imports: { env: { tool } } });
      ends.push(
        await guest.callFunction(name, name === "again" ? [value] : []).catch((error: unknown) => error),
      );
      await guest.stop();
    }
    return ends;
  }

  test("another program's exit and its host function's error are the HostFunctionError of the outer one", async () => {
    const module = await Wasmex.Module.compile(TOOL);
    const inner = await Wasmex.Instance.create(module, { wasi: true, imports: { env: { fail } } });
    const exits = () => inner.callFunction("exit", [3]);
    for (const name of ["again", "_start"]) {
      for (const error of await ends(exits, 0, name)) {
        expect(error).toBeInstanceOf(Wasmex.HostFunctionError);
        expect(error).toMatchObject({ cause: { name: "ExitError", code: 3 } });
      }
    }
    for (const error of await ends(() => inner.callFunction("fail"), 0)) {
      expect(error).toMatchObject({
        message: expect.stringContaining("`env::tool`"),
        cause: { name: "HostFunctionError", message: expect.stringContaining("`env::fail`"), cause },
      });
    }
    for (const code of [0, 3]) {
      const leaves = () => {
        throw new Wasmex.ExitError(code);
      };
      for (const error of await ends(leaves, 0)) {
        expect(error).toMatchObject({ name: "HostFunctionError", cause: { name: "ExitError", code } });
      }
    }
  });

  test("a nested call's own exit and host error end the outer call as they are", async () => {
    const leaves = (context: Wasmex.Context, code: number) => context.callFunction("leave", [code]);
    for (const error of await ends(leaves, 7)) {
      expect(error).toBeInstanceOf(Wasmex.ExitError);
      expect(error).toMatchObject({ code: 7 });
    }
    let depth = 0;
    const descends = (context: Wasmex.Context): unknown =>
      ++depth % 3 === 0 ? fail() : context.callFunction("again", [0]);
    for (const error of await ends(descends, 0).then(([plain]) => [plain])) {
      expect(error).toMatchObject({ name: "HostFunctionError", cause });
    }
  });

  test.runIf(thread === "inline")(
    "an exit that comes through the engine's own functions stays one",
    async () => {
      const module = await Wasmex.Module.compile(OUTER);
      const instance: Wasmex.Instance = await Wasmex.Instance.create(module, {
        wasi: true,
        imports: {
          env: { tool: (code: number) => (instance.exports.table as WebAssembly.Table).get(0)(code) },
        },
      });
      expect(() => instance.callFunction("again", [5])).toThrow(Wasmex.ExitError);
      expect(instance.callFunction("again", [0])).toEqual([]);
    },
  );
});
