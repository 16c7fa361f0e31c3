import { describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { thread } from "./support/index.js";

const ADD = `(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))`;
/** Never comes to its end: its start function is a loop. */
const SPINS_AT_START = `(module (func $spin (loop br 0)) (start $spin) (func (export "_start")))`;

const inWorker = thread === "worker" && Wasmex.capabilities().sharedMemory;

function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable("nothing was thrown"),
    (error: unknown) => error,
  );
}

function never(): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise(() => undefined);
}

describe("start with a signal", () => {
  it("start refuses a signal that is aborted already", async () => {
    const reason = new Error("no");
    expect(await failure(Wasmex.start({ bytes: ADD, thread, signal: AbortSignal.abort(reason) }))).toBe(
      reason,
    );
  });

  it("start gives up what is still loading when it is aborted", async () => {
    const controller = new AbortController();
    const starting = failure(Wasmex.start({ bytes: never(), thread, signal: controller.signal }));
    const reason = new Error("changed my mind");
    controller.abort(reason);
    expect(await starting).toBe(reason);
  });

  it("start ends the process when it is aborted later", async () => {
    const controller = new AbortController();
    const guest = await Wasmex.start({ bytes: ADD, thread, signal: controller.signal });
    expect(await guest.callFunction("add", [1, 2])).toEqual([3]);
    controller.abort();
    expect(await guest.exited).toEqual({ kind: "stopped" });
    expect(await failure(guest.callFunction("add", [1, 2]))).toBeInstanceOf(Wasmex.StoppedError);
  });

  it.runIf(inWorker)("start ends a guest whose start function doesn't", async () => {
    const controller = new AbortController();
    const starting = failure(Wasmex.start({ bytes: SPINS_AT_START, thread, signal: controller.signal }));
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 100);
    expect(await starting).toBe(reason);
  });
});

describe("Process.callFunction with a signal", () => {
  it("one signal for several calls ends each with its reason, and Node finds no leak", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const guest = await Wasmex.start({
      thread,
      bytes: `(module (import "env" "ask" (func $ask)) (func (export "ask") (call $ask)) (func (export "nop")))`,
      imports: { env: { ask: () => controller.abort("enough") } },
    });
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (...listener: Parameters<typeof add>) => {
      listeners++;
      add(...listener);
    };
    const asking = failure(guest.callFunction("ask", [], { signal }));
    const behind = Array.from({ length: 12 }, () => failure(guest.callFunction("nop", [], { signal })));
    expect(await Promise.all([asking, ...behind])).toEqual(Array.from({ length: 13 }, () => "enough"));
    expect(listeners).toBeLessThan(3);
  });

  it.each([
    ["no prototype", Object.create(null)],
    [
      "a toString that throws",
      {
        toString() {
          throw new Error("no text");
        },
      },
    ],
  ])("an abort with a reason of %s ends the process, with what waits", async (_what, reason) => {
    const controller = new AbortController();
    const late: Promise<unknown>[] = [];
    const guest: Wasmex.Process = await Wasmex.start({
      thread,
      bytes: `(module (import "env" "ask" (func $ask)) (func (export "ask") (call $ask)) (func (export "nop")))`,
      imports: {
        env: {
          ask() {
            late.push(failure(guest.callFunction("nop")));
            controller.abort(reason);
          },
        },
      },
    });
    expect(await failure(guest.callFunction("ask", [], { signal: controller.signal }))).toBe(reason);
    expect(await Promise.all(late)).toEqual([expect.any(Wasmex.StoppedError)]);
    expect(await guest.exited).toEqual({ kind: "aborted", error: reason });
    expect(await failure(guest.callFunction("nop"))).toBeInstanceOf(Wasmex.StoppedError);
  });
});

describe("run", () => {
  it("run gives up what is still loading, by its signal and by its timeout", async () => {
    const controller = new AbortController();
    const running = failure(Wasmex.run({ bytes: never(), thread, signal: controller.signal }));
    controller.abort();
    expect(await running).toBe(controller.signal.reason);
    expect(await failure(Wasmex.run({ bytes: never(), thread, timeout: 20 }))).toBeInstanceOf(
      Wasmex.TimeoutError,
    );
  });

  it.runIf(inWorker)("run ends a guest whose start function doesn't, at its timeout", async () => {
    const error = await failure(Wasmex.run({ bytes: SPINS_AT_START, thread, timeout: 150 }));
    expect(error).toBeInstanceOf(Wasmex.TimeoutError);
  });

  it("run takes a timeout longer than any timer", async () => {
    const bytes = '(module (memory (export "memory") 1) (func (export "_start")))';
    const { exitCode } = await Wasmex.run({ bytes, thread, timeout: 2 ** 40 });
    expect(exitCode).toBe(0);
  });
});
