import { describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { inNode, thread } from "./support/index.js";

const GUEST = `(module
  (import "env" "ask" (func $ask (param i32) (result i32)))
  (import "env" "mixed" (func $mixed (param i32 i64 f32 f64) (result f64)))
  (import "env" "refs" (func $refs (param externref) (result externref)))
  (memory (export "memory") 1 10)
  (global $count (mut i32) (i32.const 0))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "next") (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count))
  (func (export "ask") (param i32) (result i32) (call $ask (local.get 0)))
  (func (export "mixed") (param i32 i64 f32 f64) (result f64)
    (call $mixed (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "echo") (param i32 i64 f32 f64) (result i32 i64 f32 f64)
    (local.get 0) (local.get 1) (local.get 2) (local.get 3))
  (func (export "many") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32 i32)
    (local.get 15) (local.get 0))
  (func (export "refs") (param externref) (result externref) (call $refs (local.get 0)))
  (func (export "same") (param externref) (result externref) (local.get 0))
  (func (export "spin") (loop $again (br $again)))
  (func (export "count") (param i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (call $ask (local.get 0))))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $sum))
  (func (export "deep") (param i32) (result i32)
    (if (result i32) (local.get 0) (then (call $ask (local.get 0))) (else (i32.const 1000))))
  (func (export "trap") unreachable)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))`;

const compiled = Wasmex.Module.compile(GUEST);

async function begin(
  env: Record<string, Wasmex.ImportValue> = {},
  options: Partial<Wasmex.StartOptions> = {},
): Promise<Wasmex.Process> {
  return Wasmex.start({
    module: await compiled,
    thread,
    imports: {
      env: {
        ask: (n: number) => n,
        mixed: (a: number, b: bigint, c: number, d: number) => a + Number(b) + c + d,
        refs: (value: unknown) => value,
        ...env,
      },
    },
    ...options,
  });
}

const inWorker = thread === "worker";
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "resolved",
    (error: unknown) => error,
  );

describe(`Process (${thread})`, () => {
  it("Process.callFunction serves calls in order, whatever their number", async () => {
    await using guest = await begin();
    const all = await Promise.all(Array.from({ length: 500 }, () => guest.callFunction("next")));
    expect(all.map(([value]) => value)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
  });

  it("Process.callFunction carries every numeric type both ways", async () => {
    await using guest = await begin();
    const values = [-(2 ** 31), -(2n ** 63n), Math.fround(0.1), -0];
    expect(await guest.callFunction("echo", values)).toEqual(values);
    const odd = [2 ** 31 - 1, 2n ** 63n - 1n, Number.NaN, Number.NEGATIVE_INFINITY];
    expect(await guest.callFunction("echo", odd)).toEqual(odd);
    expect(await guest.callFunction("mixed", [1, 2n, 0.5, 0.25])).toEqual([3.75]);
  });

  it("Process.callFunction takes more values than fit a record", async () => {
    await using guest = await begin();
    const values = Array.from({ length: 16 }, (_, index) => index);
    const all = await Promise.all([
      guest.callFunction("many", values),
      guest.callFunction("next"),
      guest.callFunction("many", [...values].reverse()),
      guest.callFunction("next"),
    ]);
    expect(all).toEqual([[15, 0], [1], [0, 15], [2]]);
  });

  it("Process.callFunction carries references that structured clone takes", async () => {
    const seen: unknown[] = [];
    await using guest = await begin({
      refs: (value: unknown) => {
        seen.push(value);
        return { got: value };
      },
    });
    const value = {
      text: "ü",
      list: [1, 2n, null, undefined, true],
      map: new Map([["k", new Set([1])]]),
      date: new Date(5),
      bytes: new Uint16Array([1, 2]),
      ["__proto__x"]: 1,
    };
    expect(await guest.callFunction("refs", [value])).toEqual([{ got: value }]);
    expect(seen).toEqual([value]);
    expect(await guest.callFunction("same", ["x".repeat(100_000)])).toEqual(["x".repeat(100_000)]);
    const circular: unknown[] = [1];
    circular.push(circular);
    const [back] = (await guest.callFunction("same", [circular])) as [unknown[]];
    expect(back[1]).toBe(back);
    expect(await guest.callFunction("same", [null])).toEqual([null]);
    expect(await guest.callFunction("same", [undefined])).toEqual([undefined]);
  });

  it.runIf(inWorker)("Process.callFunction refuses references that can't cross", async () => {
    await using guest = await begin({ refs: () => () => 1 });
    const refused = await failure(guest.callFunction("same", [() => 1]));
    expect(refused).toBeInstanceOf(Wasmex.UnsupportedError);
    expect((refused as Error).message).toContain('thread: "inline"');
    expect(await failure(guest.callFunction("refs", [1]))).toBeInstanceOf(Wasmex.HostFunctionError);
    expect(await guest.callFunction("add", [1, 2])).toEqual([3]);
  });

  it.runIf(inWorker)("Process.callFunction sends references as they are when it is called", async () => {
    await using guest = await begin();
    const counted = { at: 0 };
    const calls = Array.from({ length: 20 }, (_, at) => {
      counted.at = at;
      return guest.callFunction("same", [counted]);
    });
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 20 }, (_, at) => [{ at }]));
  });

  it("Process.callFunction rejects, never throws, and serves what comes after", async () => {
    await using guest = await begin();
    const wrong = guest.callFunction("add", [1.5, 2]);
    const right = guest.callFunction("add", [1, 2]);
    expect(await failure(wrong)).toBeInstanceOf(Wasmex.CallError);
    expect(await right).toEqual([3]);
    expect(await failure(guest.callFunction("add", [1, 2], -1))).toBeInstanceOf(Wasmex.CallError);
    expect(await failure(guest.callFunction("trap"))).toBeInstanceOf(Wasmex.TrapError);
    expect(await guest.callFunction("add", [1, 2], Number.POSITIVE_INFINITY)).toEqual([3]);
    expect(await guest.callFunction("add", [1, 2], {})).toEqual([3]);
  });

  it("host functions in a row keep their order and lose nothing", async () => {
    const seen: number[] = [];
    await using guest = await begin({
      ask: (n: number) => {
        seen.push(n);
        return n;
      },
    });
    expect(await guest.callFunction("count", [2000])).toEqual([2_001_000]);
    expect(seen).toEqual(Array.from({ length: 2000 }, (_, index) => 2000 - index));
  });

  it("context.callFunction may be called at any depth", async () => {
    const env = {
      ask: inWorker
        ? Wasmex.fn(["i32"], ["i32"], async (context, n) => {
            const [below] = await context.callFunction("deep", [n - 1]);
            return (below as number) + 1;
          })
        : Wasmex.fn(["i32"], ["i32"], (context, n) => {
            const [below] = context.callFunction("deep", [n - 1]) as Wasmex.WasmValue[];
            return (below as number) + 1;
          }),
    };
    await using guest = await begin(env);
    expect(await guest.callFunction("deep", [30])).toEqual([1030]);
  });

  it.runIf(inWorker)(
    "context.callFunction may be called many times at once, and answered out of order",
    async () => {
      await using guest = await begin({
        ask: Wasmex.fn(["i32"], ["i32"], async (context, n) => {
          if (n < 0) {
            await new Promise<void>((resolve) => setTimeout(resolve, n === -1 ? 5 : 0));
            return -n;
          }
          const calls = Array.from({ length: n }, (_, index) => context.callFunction("add", [index, 1]));
          // These wait for host functions in their turn, the first of them longest.
          const nested = [-1, -2, -3].map((each) => context.callFunction("ask", [each]));
          const all = await Promise.all([...calls, ...nested]);
          return all.reduce((sum, [value]) => sum + (value as number), 0);
        }),
      });
      expect(await guest.callFunction("ask", [100])).toEqual([5050 + 6]);
      // Left alone, these are served before the answer.
      let left: Promise<unknown> = Promise.resolve();
      await using other = await begin({
        ask: Wasmex.fn(["i32"], ["i32"], (context, n) => {
          left = Promise.all(Array.from({ length: 60 }, () => context.callFunction("next")));
          return n;
        }),
      });
      expect(await other.callFunction("ask", [7])).toEqual([7]);
      expect(await left).toHaveLength(60);
    },
  );

  it("context.callFunction of a host function that has answered is a call like any other", async () => {
    let late: Wasmex.Context | undefined;
    await using guest = await begin({
      ask: Wasmex.fn(["i32"], ["i32"], (context, n) => {
        late = context;
        return n;
      }),
    });
    await guest.callFunction("ask", [1]);
    expect(await late?.callFunction("add", [2, 3])).toEqual([5]);
    expect(late?.memory.get(0)).toBe(0);
  });

  it("context.callFunction hands on the errors of nested calls with their identity", async () => {
    const cause = new RangeError("deep down");
    await using guest = await begin({
      ask: Wasmex.fn(["i32"], ["i32"], async (context, n) => {
        if (n === 0) throw cause;
        await context.callFunction("ask", [n - 1]);
        return n;
      }),
      ...(!inWorker && {
        ask: Wasmex.fn(["i32"], ["i32"], (context, n) => {
          if (n === 0) throw cause;
          void context.callFunction("ask", [n - 1]);
          return n;
        }),
      }),
    });
    const error = (await failure(guest.callFunction("ask", [4]))) as Error;
    expect(error).toBeInstanceOf(Wasmex.HostFunctionError);
    expect(error.cause).toBe(cause);
    expect(await guest.callFunction("add", [1, 2])).toEqual([3]);
  });

  it("host functions may throw and reject with anything", async () => {
    const strike = (): never => {
      throw new Error("a trap of a proxy");
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const evil = new Error("evil");
    Object.defineProperty(evil, "message", { get: strike });
    const things: unknown[] = [
      undefined,
      null,
      0,
      "text",
      Symbol("s"),
      { a: 1 },
      Object.create(null),
      strike,
    ];
    // Objects that strike when they are looked at.
    things.push(
      {
        get message() {
          return strike();
        },
        toString: strike,
      },
      evil,
      { [Symbol.toPrimitive]: strike },
    );
    things.push(
      {
        get [Symbol.toStringTag]() {
          return strike();
        },
      },
      revoked.proxy,
    );
    things.push(new Proxy(new Error("x"), { get: strike, has: strike, getPrototypeOf: strike }));
    things.push(Object.assign(new Error("x"), { message: Symbol("message") }));
    const asks = things.flatMap((thrown) => {
      const throws = () => {
        throw thrown;
      };
      return [{ thrown, ask: throws }, ...(inWorker ? [{ thrown, ask: () => Promise.reject(thrown) }] : [])];
    });
    for (const [place, { thrown, ask }] of asks.entries()) {
      await using guest = await begin({ ask: (n: number) => (n === 1 ? ask() : n) as number });
      const error = (await failure(guest.callFunction("ask", [1]))) as Error;
      expect([place, error.name, Object.is(error.cause, thrown)]).toEqual([place, "HostFunctionError", true]);
      expect(error.message).toMatch(/^host function `env::ask` failed: /);
      expect(await guest.callFunction("ask", [2])).toEqual([2]);
    }
  });

  it("host functions may answer anything", async () => {
    const strike = (): never => {
      throw new Error("struck");
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const things: unknown[] = [undefined, null, {}, "1", 1n, 1.5, Symbol("s"), strike, revoked.proxy];
    things.push(
      {
        // biome-ignore lint/suspicious/noThenProperty: it is what is tried
        get then() {
          return strike();
        },
      },
      { [Symbol.toPrimitive]: strike },
    );
    things.push(
      {
        get [Symbol.toStringTag]() {
          return strike();
        },
      },
      new Proxy({}, { get: strike }),
    );
    const thenable = (then: (resolve: unknown, reject: (error: unknown) => void) => void) => ({ then });
    if (inWorker)
      things.push(
        thenable(strike),
        thenable((_, reject) => reject(null)),
      );
    for (const [place, thing] of things.entries()) {
      await using guest = await begin({ ask: (n: number) => (n === 1 ? thing : n) as number });
      const error = (await failure(guest.callFunction("ask", [1]))) as Error;
      expect([place, error.name]).toEqual([place, "HostFunctionError"]);
      expect(await guest.callFunction("ask", [2])).toEqual([2]);
    }
  });

  it("references that can't cross end their call alone, both ways", async () => {
    const strike = (): never => {
      throw new Error("struck");
    };
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const things: unknown[] = [
      () => 1,
      Symbol("s"),
      new WeakMap(),
      revoked.proxy,
      {
        get a() {
          return strike();
        },
      },
    ];
    things.push(new Proxy([], { get: strike }), new Proxy({}, { ownKeys: strike }), {
      deep: [{ f: strike }],
    });
    for (const [place, thing] of things.entries()) {
      await using guest = await begin({
        refs: (value: unknown) => (value === "give" ? thing : value) as object,
      });
      if (inWorker) {
        expect([place, await failure(guest.callFunction("refs", [thing as object]))]).toEqual([
          place,
          expect.any(Error),
        ]);
        expect([place, await failure(guest.callFunction("refs", ["give"]))]).toEqual([
          place,
          expect.any(Error),
        ]);
      } else if (thing === revoked.proxy || place === 5) {
        // Nobody can ask these whether they are promises.
        expect(await failure(guest.callFunction("refs", [thing as object]))).toBeInstanceOf(
          Wasmex.HostFunctionError,
        );
      } else {
        const [same] = (await guest.callFunction("refs", [thing as object])) as unknown[];
        expect([place, Object.is(same, thing)]).toEqual([place, true]);
      }
      expect(await guest.callFunction("refs", ["well"])).toEqual(["well"]);
      expect(await guest.callFunction("ask", [2])).toEqual([2]);
    }
  });

  it.runIf(inWorker)(
    "references that can't cross end their call alone, also where many wait before them",
    async () => {
      const nested: Promise<unknown>[] = [];
      await using guest = await begin({
        refs: Wasmex.fn(["externref"], ["externref"], (context, value) => {
          if (value !== "many") return value;
          for (let n = 0; n < 100; n++) nested.push(Promise.resolve(context.callFunction("add", [n, 1])));
          nested.push(failure(Promise.resolve(context.callFunction("same", [() => 1]))));
          return () => 1;
        }),
      });
      expect(await failure(guest.callFunction("refs", ["many"]))).toBeInstanceOf(Wasmex.HostFunctionError);
      const answers = await Promise.all(nested);
      expect(answers.pop()).toBeInstanceOf(Wasmex.UnsupportedError);
      expect(answers).toEqual(Array.from({ length: 100 }, (_, n) => [n + 1]));
      expect(await guest.callFunction("refs", ["well"])).toEqual(["well"]);
    },
  );

  it("Process.callFunction from inside a host function stands in line", async () => {
    const late: Promise<unknown>[] = [];
    const guest: Wasmex.Process = await begin({
      ask: (n: number) => {
        late.push(guest.callFunction("next"));
        return n;
      },
    });
    const [first, second] = await Promise.all([guest.callFunction("ask", [5]), guest.callFunction("next")]);
    expect(first).toEqual([5]);
    // Inline the host function runs before the second call is even made.
    expect([second, ...(await Promise.all(late))]).toEqual(inWorker ? [[1], [2]] : [[2], [1]]);
    await guest.stop();
  });

  it("Process.callFunction takes the params as they are when it is called", async () => {
    let late: Promise<unknown> | undefined;
    const params: unknown[] = [1, 2];
    const guest: Wasmex.Process = await begin({
      ask: (n: number) => {
        late = guest.callFunction("add", params);
        params[0] = "changed";
        params.pop();
        return n;
      },
    });
    await guest.callFunction("ask", [5]);
    expect(await late).toEqual([3]);
    await guest.stop();
  });

  it("Process.memory is the guest's own memory and follows its growth", async () => {
    await using guest = await begin();
    const memory = guest.memory();
    memory.set(9, 200);
    expect(await guest.callFunction("load", [9])).toEqual([200]);
    expect(await guest.callFunction("grow", [2])).toEqual([1]);
    memory.set(3 * 65536 - 1, 1);
    expect(await guest.callFunction("load", [3 * 65536 - 1])).toEqual([1]);
    expect(() => guest.memory("uint8", 0, "none")).toThrow(Wasmex.CallError);
    expect(() => guest.memory("uint8", 0, "add")).toThrow(Wasmex.CallError);
  });

  it("limits.memoryPages bounds the memory's growth", async () => {
    await using guest = await begin({}, { limits: { memoryPages: 2 } });
    expect(await guest.callFunction("grow", [1])).toEqual([1]);
    expect(await guest.callFunction("grow", [1])).toEqual([-1]);
    expect(await failure(begin({}, { limits: { memory: 1 } as Wasmex.Limits }))).toBeInstanceOf(
      Wasmex.WasmexError,
    );
    expect(await failure(begin({}, { limits: { openFiles: -1 } }))).toBeInstanceOf(Wasmex.WasmexError);
  });

  it("Process.stop rejects calls under way and later ones, twice is once", async () => {
    const guest = await begin({ ask: () => new Promise<number>(() => {}) });
    const calls = inWorker ? [guest.callFunction("ask", [1]), guest.callFunction("next")].map(failure) : [];
    await Promise.all([guest.stop(), guest.stop()]);
    for (const call of calls) expect(await call).toBeInstanceOf(Wasmex.StoppedError);
    expect(await failure(guest.callFunction("next"))).toBeInstanceOf(Wasmex.StoppedError);
    expect(await guest.exited).toEqual({ kind: "stopped" });
    await guest.stop();
  });

  it("Process.stop may be called by a host function", async () => {
    const guest: Wasmex.Process = await begin({
      ask: (n: number) => {
        void guest.stop();
        return n;
      },
    });
    expect(await failure(guest.callFunction("ask", [1]))).toBeInstanceOf(Wasmex.StoppedError);
    expect((await guest.exited).kind).toBe("stopped");
  });

  it("Process[Symbol.asyncDispose] stops", async () => {
    const guest = await begin();
    await guest[Symbol.asyncDispose]();
    expect((await guest.exited).kind).toBe("stopped");
  });

  it.runIf(inWorker)(
    "Process.callFunction times out within 50 ms of its deadline, with what waits behind",
    async () => {
      const guest = await begin();
      const began = performance.now();
      const bare = new Promise<number>((resolve) => setTimeout(() => resolve(performance.now() - began), 80));
      const spinning = failure(guest.callFunction("spin", [], 80));
      const behind = failure(guest.callFunction("next", [], 10_000));
      const error = await spinning;
      const took = performance.now() - began;
      expect(error).toBeInstanceOf(Wasmex.TimeoutError);
      expect((error as Error).message).toContain("`spin`");
      expect(took).toBeGreaterThanOrEqual(79);
      // On a machine that is busy even a bare timer is late.
      expect(took - (await bare)).toBeLessThan(50);
      expect(await behind).toBeInstanceOf(Wasmex.StoppedError);
      const reason = await guest.exited;
      expect(reason).toEqual({ kind: "timeout", error });
      expect(await failure(guest.callFunction("next"))).toBeInstanceOf(Wasmex.StoppedError);
    },
  );

  it.runIf(inWorker)("Process.callFunction times out while it stands in line", async () => {
    const guest = await begin();
    const spinning = failure(guest.callFunction("spin", [], Number.POSITIVE_INFINITY));
    const error = await failure(guest.callFunction("next", [], 40));
    expect(error).toBeInstanceOf(Wasmex.TimeoutError);
    expect(await spinning).toBeInstanceOf(Wasmex.StoppedError);
  });

  it.runIf(inWorker)(
    "Process.callFunction times out where a host function never answers, and aborts its signal",
    async () => {
      let signal: AbortSignal | undefined;
      const guest = await begin({
        ask: Wasmex.fn(["i32"], ["i32"], (context) => {
          signal = context.signal;
          return new Promise<number>(() => {});
        }),
      });
      // Long enough for the function to be reached on a machine with much else to do.
      const error = await failure(guest.callFunction("ask", [1], 300));
      expect(error).toBeInstanceOf(Wasmex.TimeoutError);
      expect(signal?.aborted).toBe(true);
      expect(signal?.reason).toBe(error);
    },
  );

  it.runIf(inWorker)("Process.callFunction ends with its signal, which stops the guest", async () => {
    const guest = await begin();
    const controller = new AbortController();
    const spinning = failure(guest.callFunction("spin", [], { timeout: 10_000, signal: controller.signal }));
    const behind = failure(guest.callFunction("next"));
    setTimeout(() => controller.abort(new Error("enough")), 20);
    expect(await spinning).toBe(controller.signal.reason);
    expect(await behind).toBeInstanceOf(Wasmex.StoppedError);
    expect((await guest.exited).kind).toBe("aborted");
  });

  it("Process.callFunction with an aborted signal never reaches the guest", async () => {
    await using guest = await begin();
    const signal = AbortSignal.abort(new Error("before"));
    expect(await failure(guest.callFunction("next", [], { signal }))).toBe(signal.reason);
    const controller = new AbortController();
    expect(await guest.callFunction("next", [], { signal: controller.signal })).toEqual([1]);
    controller.abort();
    expect(await guest.callFunction("next")).toEqual([2]);
  });

  it("Process.callFunction with no time at all times out", async () => {
    for (let turn = 0; turn < 5; turn++) {
      const guest = await begin();
      expect(await failure(guest.callFunction("next", [], 0))).toBeInstanceOf(Wasmex.TimeoutError);
    }
  });

  it.runIf(inWorker)(
    "Process.callFunction times out where a host function has taken the time that it had",
    async () => {
      for (let turn = 0; turn < 8; turn++) {
        const guest = await begin({
          ask: (n: number) => {
            for (const until = performance.now() + 30; performance.now() < until; );
            return n;
          },
        });
        expect(await failure(guest.callFunction("ask", [1], 20))).toBeInstanceOf(Wasmex.TimeoutError);
        expect((await guest.exited).kind).toBe("timeout");
      }
    },
  );

  it("Process.callFunction is answered where a test fakes queueMicrotask", async () => {
    await using guest = await begin();
    const { queueMicrotask } = globalThis;
    globalThis.queueMicrotask = () => undefined;
    try {
      expect(await guest.callFunction("next")).toEqual([1]);
    } finally {
      globalThis.queueMicrotask = queueMicrotask;
    }
  });

  it.runIf(!inWorker)(
    "Process.callFunction inline says that it ran to its end where it overran",
    async () => {
      const guest = await begin({
        ask: (n: number) => {
          for (const until = performance.now() + 20; performance.now() < until; );
          return n;
        },
      });
      const error = await failure(guest.callFunction("ask", [1], 5));
      expect(error).toBeInstanceOf(Wasmex.TimeoutError);
      expect((error as Error).message).toMatch(/could not be cut short/);
      expect(await guest.callFunction("add", [1, 2])).toEqual([3]);
    },
  );

  it.runIf(!inWorker && Wasmex.capabilities().jspi)(
    "async host functions are waited for inline where there is JSPI",
    async () => {
      const guest = await begin({
        ask: async (n: number) => {
          await new Promise<void>((resolve) => setTimeout(resolve, n));
          return n + 1;
        },
      });
      const all = await Promise.all([
        guest.callFunction("ask", [5]),
        guest.callFunction("next"),
        guest.callFunction("ask", [0]),
      ]);
      expect(all).toEqual([[6], [1], [1]]);
      const waiting = failure(guest.callFunction("ask", [100_000], 20));
      const behind = failure(guest.callFunction("next"));
      expect(await waiting).toBeInstanceOf(Wasmex.TimeoutError);
      expect(await behind).toBeInstanceOf(Wasmex.StoppedError);
      expect((await guest.exited).kind).toBe("timeout");
      const failing = await begin({
        ask: async () => {
          throw new RangeError("no");
        },
      });
      const error = (await failure(failing.callFunction("ask", [1]))) as Error;
      expect(error).toBeInstanceOf(Wasmex.HostFunctionError);
      expect((error.cause as Error).message).toBe("no");
      expect(await failing.callFunction("next")).toEqual([1]);
    },
  );

  it.runIf(!inWorker && Wasmex.capabilities().jspi)(
    "Process.callFunction inline runs a call once that is made as soon as the one before is answered",
    async () => {
      let asked = 0;
      await using guest = await begin({ ask: async (n: number) => n + ++asked });
      for (const count of [1, 2, 3]) expect(await guest.callFunction("ask", [0])).toEqual([count]);
      expect(asked).toBe(3);
    },
  );

  it("start refuses what it can't use, and leaves nothing behind", async () => {
    expect(await failure(Wasmex.start({}))).toBeInstanceOf(Wasmex.WasmexError);
    expect(await failure(Wasmex.start({ bytes: new Uint8Array([1, 2]), thread }))).toBeInstanceOf(
      Wasmex.CompileError,
    );
    expect(await failure(Wasmex.start({ bytes: GUEST, thread: "x" as "auto" }))).toBeInstanceOf(
      Wasmex.WasmexError,
    );
    const missing = (await failure(
      Wasmex.start({ bytes: GUEST, thread, imports: { env: { ask: Wasmex.fn(["i64"], [], () => {}) } } }),
    )) as Error;
    expect(missing).toBeInstanceOf(Wasmex.LinkError);
    for (const word of ["env::ask", "env::mixed", "env::refs"]) expect(missing.message).toContain(word);
    const trapped = await failure(
      Wasmex.start({ bytes: `(module (func $f unreachable) (start $f))`, thread }),
    );
    expect(trapped).toBeInstanceOf(Wasmex.TrapError);
  });

  it("start lists what the engine would refuse in the same words on every thread", async () => {
    const bytes = `(module
      (import "env" "number" (func (param i32)))
      (import "env" "text" (func))
      (import "env" "none" (func))
      (import "env" "bits" (global i64))
      (import "env" "host" (global i32))
      (import "env" "typed" (global i32))
      (import "env" "memory" (memory 1))
      (import "env" "missing" (func)))`;
    const typed = Wasmex.fn([], ["i32"], () => 1);
    const env = { number: 5, text: "text", none: null, bits: 5, host: () => 1, typed, memory: 7n };
    const refused = (await failure(
      Wasmex.start({ bytes, thread, imports: { env: env as unknown as Wasmex.Imports["env"] } }),
    )) as Error;
    expect(refused).toBeInstanceOf(Wasmex.LinkError);
    expect(refused.message.split("\n").sort()).toEqual([
      "incompatible import type for `env::bits`: expected a global i64, given 5",
      "incompatible import type for `env::host`: expected a global i32, given a function",
      "incompatible import type for `env::memory`: expected a memory of 1 pages, given 7n",
      "incompatible import type for `env::none`: expected a function () -> (), given null",
      "incompatible import type for `env::number`: expected a function (i32) -> (), given 5",
      'incompatible import type for `env::text`: expected a function () -> (), given "text"',
      "incompatible import type for `env::typed`: expected a global i32, given a function () -> (i32)",
      "unknown import: `env::missing` has not been defined, expected a function () -> ()",
    ]);
  });

  it("start lets a start function call the host", async () => {
    const cause = new Error("no");
    const source = `(module (import "env" "hello" (func $hello)) (start $hello))`;
    let calls = 0;
    const guest = await Wasmex.start({
      bytes: source,
      thread,
      imports: { env: { hello: () => void calls++ } },
    });
    expect(calls).toBe(1);
    await guest.stop();
    const error = (await failure(
      Wasmex.start({
        bytes: source,
        thread,
        imports: {
          env: {
            hello: () => {
              throw cause;
            },
          },
        },
      }),
    )) as Error;
    expect(error).toBeInstanceOf(Wasmex.HostFunctionError);
    expect(error.cause).toBe(cause);
  });

  it.runIf(inWorker)(
    "start takes a shared memory to import, and no engine object that can't cross",
    async () => {
      const source = `(module (import "env" "memory" (memory 1 2)) (export "memory" (memory 0))
      (func (export "load") (result i32) (i32.load8_u (i32.const 5))))`;
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
      const guest = await Wasmex.start({ bytes: source, thread, imports: { env: { memory } } });
      new Uint8Array(memory.buffer)[5] = 9;
      expect(await guest.callFunction("load")).toEqual([9]);
      expect(guest.memory().get(5)).toBe(9);
      await guest.stop();
      const own = new WebAssembly.Memory({ initial: 1, maximum: 2 });
      const error = (await failure(
        Wasmex.start({ bytes: source, thread, imports: { env: { memory: own } } }),
      )) as Error;
      expect(error).toBeInstanceOf(Wasmex.UnsupportedError);
      expect(error.message).toContain('thread: "inline"');
    },
  );

  it.runIf(inNode)("capabilities tells which thread auto takes, and it does", async () => {
    const { thread: auto, reason, threads, sharedMemory } = Wasmex.capabilities();
    expect(auto).toBe("worker");
    expect(reason).not.toBe("");
    expect(threads && sharedMemory).toBe(true);
    await using guest = await begin({}, { thread: "auto" });
    expect(guest.thread).toBe(auto);
  });

  it("start runs a module of unknown types where it runs others, and calls it", async () => {
    const { buffer } = Uint8Array.of(
      0,
      97,
      115,
      109,
      1,
      0,
      0,
      0,
      1,
      7,
      1,
      96,
      2,
      127,
      127,
      1,
      127,
      3,
      2,
      1,
      0,
      7,
      7,
      1,
      3,
      97,
      100,
      100,
      0,
      0,
      10,
      9,
      1,
      7,
      0,
      32,
      0,
      32,
      1,
      106,
      11,
    );
    await using guest = await Wasmex.start({ module: await WebAssembly.compile(buffer) });
    expect(guest.thread).toBe(Wasmex.capabilities().thread);
    expect(await guest.callFunction("add", [2, 3])).toEqual([5]);
  });
});
