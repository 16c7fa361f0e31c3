import { describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { failure } from "./support/index.js";

/** Asks its host, then goes on: tells it, takes long, and notes in its memory that it came to its end. */
const GUEST = `(module
  (import "env" "ask" (func $ask (param i32) (result i32)))
  (import "env" "tell" (func $tell))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $note (i32.store (i32.const 0) (i32.const 1)))
  (func (export "tells") (param i32) (drop (call $ask (local.get 0))) (call $tell) (call $note))
  (func (export "works") (param $rounds i32) (drop (call $ask (local.get $rounds)))
    (loop $on (br_if $on (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (call $note))
  (func (export "writes")
    (i32.store (i32.const 16) (i32.const 32)) (i32.store (i32.const 20) (i32.const 1))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))
    (call $note))
  (func (export "asks") (param i32) (result i32) (call $ask (local.get 0)))
  (func (export "same") (param i32) (result i32) (local.get 0)))`;

/** So many rounds of a loop take long enough for many checks. */
const ROUNDS = 50_000_000;

const compiled = Wasmex.Module.compile(GUEST);
const { jspi } = Wasmex.capabilities();

type Host = (context: Wasmex.Context, n: number) => number | Promise<number>;

async function begin(ask: Host, options: Partial<Wasmex.StartOptions> = {}) {
  const told: string[] = [];
  const guest = await Wasmex.start({
    module: await compiled,
    thread: "inline",
    imports: { env: { ask: Wasmex.fn(["i32"], ["i32"], ask), tell: () => void told.push("told") } },
    wasi: { stdout: "null" },
    ...options,
  });
  return { guest, told, memory: guest.memory("int32") };
}

/** Settles when all is done that has no more to wait for. */
const idle = () => new Promise((resolve) => setTimeout(resolve));

/** How a process comes to its end while a call is under way. */
const ENDS = ["stop", "abort", "timeout"] as const;

describe("the end of a process on this thread", () => {
  it
    .runIf(jspi)
    .each(
      ENDS.flatMap((end) =>
        ["tells", "works"].flatMap((name) => [true, false].map((checks) => ({ end, name, checks }))),
      ),
    )(
    "$end unwinds a guest that is suspended in $name, with checks: $checks",
    async ({ end, name, checks }) => {
      let answer: (value: number) => void = () => undefined;
      const answered = new Promise<number>((resolve) => {
        answer = resolve;
      });
      const { guest, told, memory } = await begin(async () => answered, { interruptible: checks });
      const controller = new AbortController();
      const timeout = end === "timeout" ? 20 : 100_000;
      const call = failure(guest.callFunction(name, [ROUNDS], { timeout, signal: controller.signal }));
      if (end === "stop") await guest.stop();
      if (end === "abort") controller.abort(new Error("enough"));
      const error = await call;
      await guest.exited;
      if (end === "abort") expect(error).toBe(controller.signal.reason);
      else expect(error).toBeInstanceOf(end === "stop" ? Wasmex.StoppedError : Wasmex.TimeoutError);
      answer(1);
      await idle();
      expect(told).toEqual([]);
      expect(memory.get(0)).toBe(0);
    },
  );

  it.runIf(jspi)("a guest isn't called by a host function that goes on after it", async () => {
    let goOn: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let late: unknown;
    const { guest } = await begin(async (context) => {
      await waiting;
      try {
        return (context.callFunction("same", [7]) as number[])[0] as number;
      } catch (error) {
        late = error;
        throw error;
      }
    });
    const call = failure(guest.callFunction("asks", [1]));
    await guest.stop();
    expect(await call).toBeInstanceOf(Wasmex.StoppedError);
    goOn();
    await idle();
    expect(late).toBeInstanceOf(Wasmex.StoppedError);
  });

  it.runIf(jspi)(
    "start gives up a guest that is suspended in its _initialize when it is aborted",
    async () => {
      let answer: () => void = () => undefined;
      const answered = new Promise<void>((resolve) => {
        answer = resolve;
      });
      const controller = new AbortController();
      const told: string[] = [];
      const starting = failure(
        Wasmex.start({
          thread: "inline",
          signal: controller.signal,
          bytes: `(module (import "env" "ask" (func $ask)) (import "env" "tell" (func $tell))
          (func (export "_initialize") (call $ask) (call $tell)))`,
          imports: {
            env: {
              async ask() {
                setTimeout(() => controller.abort(new Error("enough")));
                await answered;
              },
              tell: () => void told.push("told"),
            },
          },
        }),
      );
      expect(await starting).toBe(controller.signal.reason);
      answer();
      await idle();
      expect(told).toEqual([]);
    },
  );

  it.each(["stop", "abort"])("%s by a host function ends a guest with checks in its loop", async (end) => {
    const controller = new AbortController();
    const { guest, memory } = await begin(
      (_context, n) => {
        if (end === "stop") void guest.stop();
        else controller.abort(new Error("enough"));
        return n;
      },
      { interruptible: true },
    );
    const call = failure(
      guest.callFunction("works", [ROUNDS], { timeout: 100_000, signal: controller.signal }),
    );
    expect(memory.get(0)).toBe(0);
    const error = await call;
    if (end === "abort") expect(error).toBe(controller.signal.reason);
    else expect(error).toBeInstanceOf(Wasmex.StoppedError);
    expect((await guest.exited).kind).toBe(end === "stop" ? "stopped" : "aborted");
  });

  it.each(["stop", "abort"])("%s by a host function ends a guest without checks", async (end) => {
    const controller = new AbortController();
    const nested: unknown[] = [];
    const { guest, told, memory } = await begin((context, n) => {
      const callBack = () => {
        try {
          nested.push(context.callFunction("same", [n]));
        } catch (error) {
          nested.push((error as Error).name);
        }
      };
      context.signal.addEventListener("abort", callBack);
      if (end === "stop") void guest.stop();
      else controller.abort(new Error("enough"));
      callBack();
      return n;
    });
    const call = failure(guest.callFunction("tells", [1], { signal: controller.signal }));
    expect(nested).toEqual(["StoppedError", "StoppedError"]);
    const error = await call;
    if (end === "abort") expect(error).toBe(controller.signal.reason);
    else expect(error).toBeInstanceOf(Wasmex.StoppedError);
    expect(told).toEqual([]);
    expect(memory.get(0)).toBe(0);
  });

  it("stop by what gets the guest's output ends it", async () => {
    const { guest, memory } = await begin((_context, n) => n, {
      wasi: { stdout: () => void guest.stop() },
    });
    expect(await failure(guest.callFunction("writes"))).toBeInstanceOf(Wasmex.StoppedError);
    expect(memory.get(0)).toBe(0);
  });
});

describe("an async host function where the guest can't be suspended", () => {
  it("says that a function which answers a promise is to be declared async, where that would do", async () => {
    const { guest } = await begin((() => Promise.resolve(1)) as unknown as Host);
    const error = await failure(guest.callFunction("asks", [0]));
    expect(error).toBeInstanceOf(Wasmex.UnsupportedError);
    expect(error.message.endsWith(": declare it `async`")).toBe(jspi);
    await guest.stop();
  });

  /** Calls the guest `depth` times over, before or after it has waited for something. */
  const nests =
    (waits: boolean): Host =>
    async ({ callFunction }, depth) => {
      if (waits) await undefined;
      if (depth === 0) return 1;
      const [value] = (await callFunction("asks", [depth - 1])) as number[];
      return value as number;
    };

  it.runIf(jspi).each([true, false])("says what to do; it has waited before: %s", async (waits) => {
    const { guest } = await begin(nests(waits));
    expect(await guest.callFunction("asks", [0])).toEqual([1]);
    const error = await failure(guest.callFunction("asks", [1]));
    expect(error).toBeInstanceOf(Wasmex.UnsupportedError);
    expect(error.message).toMatch(/, which the guest cannot wait for on this thread: ./);
    expect(await guest.callFunction("asks", [0])).toEqual([1]);
    await guest.stop();
  });

  it.runIf(jspi)(
    "says so to a host function that calls the guest, and leaves its own errors alone",
    async () => {
      const seen: unknown[] = [];
      const { guest } = await begin(async ({ callFunction }, depth) => {
        if (depth === 0) return 1;
        try {
          await callFunction("asks", [0]);
        } catch (error) {
          seen.push(error);
          if (depth === 2) throw new Error("mine", { cause: error });
        }
        return 5;
      });
      expect(await guest.callFunction("asks", [1])).toEqual([5]);
      const error = await failure(guest.callFunction("asks", [2]));
      expect(error).toBeInstanceOf(Wasmex.HostFunctionError);
      expect((error.cause as Error).message).toBe("mine");
      for (const each of seen) expect(each).toBeInstanceOf(Wasmex.UnsupportedError);
      expect(seen).toHaveLength(2);
      await guest.stop();
    },
  );

  it.runIf(jspi)("start says what to do where a start function calls one", async () => {
    const error = await failure(
      Wasmex.start({
        thread: "inline",
        bytes: `(module (import "env" "ask" (func $ask)) (func $start (call $ask)) (start $start))`,
        imports: { env: { ask: async () => undefined } },
      }),
    );
    expect(error).toBeInstanceOf(Wasmex.UnsupportedError);
    expect(error.message).toMatch(/, which the guest cannot wait for on this thread: ./);
  });
});
