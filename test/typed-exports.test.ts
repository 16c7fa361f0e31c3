import { expect, expectTypeOf, test } from "vitest";
import * as Wasmex from "wasmex";
import { thread } from "./support/thread.js";

interface Exports {
  sum(left: number, right: number): [number];
  wide(value: bigint): bigint;
  nothing(): void;
  pair(): [number, bigint];
}

test("start<Exports> types names, params and results of calls", async () => {
  const guest = await Wasmex.start<Exports>({
    bytes: `(module
      (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
      (func (export "wide") (param i64) (result i64) (local.get 0))
      (func (export "nothing"))
      (func (export "pair") (result i32 i64) i32.const 1 i64.const 2))`,
    thread,
  });
  const [sum] = await guest.callFunction("sum", [1, 2]);
  expectTypeOf(sum).toEqualTypeOf<number>();
  const [wide] = await guest.callFunction("wide", [2]);
  expectTypeOf(wide).toEqualTypeOf<bigint>();
  expectTypeOf(await guest.callFunction("nothing")).toEqualTypeOf<[]>();
  expectTypeOf(await guest.callFunction("pair", [], { timeout: 100 })).toEqualTypeOf<[number, bigint]>();
  // @ts-expect-error an unknown name
  await guest.callFunction("product", [1, 2]).catch(() => undefined);
  // @ts-expect-error too few params
  await guest.callFunction("sum", [1]).catch(() => undefined);
  // @ts-expect-error a param of the wrong type
  await guest.callFunction("sum", ["1", 2]).catch(() => undefined);
  await guest.stop();
});

test("start without exports takes any name and answers values", async () => {
  const guest = await Wasmex.start({
    bytes: `(module (func (export "f") (result i32) i32.const 7))`,
    thread,
  });
  expectTypeOf(await guest.callFunction("f")).toEqualTypeOf<Wasmex.WasmValue[]>();
  await guest.stop();
});

test("code that is generic in the exports can name the types of a call", () => {
  const call = <E extends object, K extends Wasmex.ExportName<E>>(
    guest: Wasmex.Process<E>,
    name: K,
    ...rest: Wasmex.CallArguments<E, K, Wasmex.CallOptions>
  ): Promise<Wasmex.CallResults<E, K>> => guest.callFunction(name, ...rest);
  expectTypeOf(call<Exports, "pair">).returns.resolves.toEqualTypeOf<[number, bigint]>();
});

test("fn with lists that are no tuples takes a callback that returns anything", () => {
  const types: Wasmex.ValueType[] = ["i32"];
  expect(Wasmex.fn(types, types, (_context, value) => value)).toBeDefined();
  expect(Wasmex.fn(types, types, async () => 1)).toBeDefined();
  // @ts-expect-error no value of the result's type
  expect(Wasmex.fn(types, ["i32"], () => "1")).toBeDefined();
});

test("bytes that are handed out are those of a buffer of their own, as Blob and fetch take them", () => {
  expectTypeOf<Wasmex.VirtualFileSystem["snapshot"]>().returns.toEqualTypeOf<Uint8Array<ArrayBuffer>>();
  type Callback = Extract<Wasmex.OutputOption, (...params: never[]) => void>;
  expectTypeOf<Callback>().parameter(0).toEqualTypeOf<Uint8Array<ArrayBuffer>>();
  expectTypeOf<(chunk: Uint8Array) => void>().toExtend<Callback>();
});

/** All that may be left out of it, as `undefined`. */
type Undefined<T, Needed extends keyof T = never> = {
  [K in keyof Required<Omit<T, Needed>>]: undefined;
} & Pick<T, Needed>;

test("every option may be undefined, under exactOptionalPropertyTypes too", async () => {
  expectTypeOf<Undefined<Wasmex.WasiOptions>>().toExtend<Wasmex.WasiOptions>();
  expectTypeOf<Undefined<Wasmex.PreopenOptions, "flags">>().toExtend<Wasmex.PreopenOptions>();
  expectTypeOf<Undefined<Wasmex.PipeOptions>>().toExtend<Wasmex.PipeOptions>();
  expectTypeOf<Undefined<Wasmex.FileSystemOptions>>().toExtend<Wasmex.FileSystemOptions>();
  expectTypeOf<Undefined<Wasmex.StartOptions>>().toExtend<Wasmex.StartOptions>();
  expectTypeOf<Undefined<Wasmex.RunOptions>>().toExtend<Wasmex.RunOptions>();
  expectTypeOf<Undefined<Wasmex.Limits>>().toExtend<Wasmex.Limits>();
  expectTypeOf<Undefined<Wasmex.CallOptions>>().toExtend<Wasmex.CallOptions>();
  expectTypeOf<Undefined<Wasmex.CompileOptions>>().toExtend<Wasmex.CompileOptions>();
  expectTypeOf<Undefined<Wasmex.InstanceOptions>>().toExtend<Wasmex.InstanceOptions>();
  expectTypeOf<Undefined<Wasmex.SupervisorOptions>>().toExtend<Wasmex.SupervisorOptions>();
  expectTypeOf<Undefined<Wasmex.ChildSpec, "id">>().toExtend<Wasmex.ChildSpec>();

  const fs = new Wasmex.VirtualFileSystem({}, { limit: undefined, root: undefined });
  fs.mkdir("/d", { recursive: undefined });
  fs.stat("/d", { followSymlinks: undefined });
  const stdin = new Wasmex.Pipe({ blocking: undefined, terminal: undefined });
  const guest = await Wasmex.start({
    bytes: "(module)",
    thread,
    wasi: {
      args: undefined,
      programName: undefined,
      env: undefined,
      stdin,
      stdout: undefined,
      stderr: undefined,
      preopen: { "/d": { flags: ["read"], alias: undefined } },
      fs,
      random: undefined,
      clock: undefined,
    },
  });
  await guest.stop();
  fs.remove("/d", { recursive: undefined });
});
