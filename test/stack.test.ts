// Guests that use up the stack where they call the host.
import { expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { thread } from "./support/index.js";

const GUEST = `(module
  (import "env" "number" (func $number (param i32) (result i32)))
  (import "env" "ref" (func $ref (param externref) (result externref)))
  (global $step (mut i32) (i32.const 0))
  (global $refs (mut i32) (i32.const 0))
  (global $value (mut externref) (ref.null extern))
  (func $ask
    (if (global.get $refs)
      (then (drop (call $ref (global.get $value))))
      (else (drop (call $number (i32.const 1)))))
    (call $down (global.get $step)))
  (func $down (param i32)
    (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1)))) (else (call $ask))))
  (func (export "endless") (param i32 i32 externref)
    (global.set $step (local.get 0))
    (global.set $refs (local.get 1))
    (global.set $value (local.get 2))
    (call $down (i32.add (local.get 0) (i32.const 2900))))
  (func (export "number") (param i32) (result i32) (call $number (local.get 0)))
  (func (export "ref") (param externref) (result externref) (call $ref (local.get 0))))`;

const compiled = Wasmex.Module.compile(GUEST);
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "resolved",
    (error: unknown) => error,
  );

async function begin(env: Record<string, Wasmex.ImportValue> = {}): Promise<Wasmex.Process> {
  const functions = { number: (n: number) => n * 2, ref: (value: unknown) => value, ...env };
  return Wasmex.start({ module: await compiled, thread, imports: { env: functions } });
}

it("Process.callFunction works after stack overflows anywhere in calls of host functions", {
  timeout: 60_000,
}, async () => {
  let value: unknown = "value";
  // Reading it takes more stack than asking for it.
  for (let depth = 0; depth < 50; depth++) value = [value];
  await using guest = await begin({ ref: () => value });
  for (let count = 0; count < 32; count++) {
    const refs = count % 4 === 0 ? 1 : 0;
    const endless = guest.callFunction("endless", [100 + count, refs, null], Number.POSITIVE_INFINITY);
    expect(await failure(endless)).toBeInstanceOf(Wasmex.WasmexError);
    expect(await guest.callFunction("number", [count])).toEqual([count * 2]);
    expect(await guest.callFunction("ref", [null])).toEqual([value]);
  }
});

it.runIf(thread === "worker")(
  "context.callFunction is answered where nested calls use up the stack",
  {
    timeout: 60_000,
  },
  async () => {
    let endless = true;
    const nested: Promise<unknown>[] = [];
    const number = Wasmex.fn(["i32"], ["i32"], async (context, n) => {
      if (!endless) return n;
      const call = context.callFunction("number", [n + 1]);
      nested.push(failure(Promise.resolve(call)));
      return (await call)[0] as number;
    });
    await using guest = await begin({ number });
    expect(await failure(guest.callFunction("number", [0], Number.POSITIVE_INFINITY))).toBeInstanceOf(
      Wasmex.HostFunctionError,
    );
    const errors = await Promise.all(nested);
    expect(errors.at(-1)).toMatchObject({ name: "TrapError", reason: "stack_overflow" });
    expect(errors).not.toContain("resolved");
    endless = false;
    expect(await guest.callFunction("number", [5])).toEqual([5]);
  },
);
