import { describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { thread } from "./support/index.js";

/** What a page has that loaded the package twice: objects with the same members, of other classes. */
function ofAnotherCopy<T extends object>(value: T): T {
  return new Proxy(Object.create(null) as T, {
    get: (_, key) => {
      const member = Reflect.get(value, key) as unknown;
      return typeof member === "function" ? member.bind(value) : member;
    },
    has: (_, key) => key in value,
  });
}

const GUEST = `(module
  (import "env" "add" (func $add (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "text")
  (func (export "run") (result i32)
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 4))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $add (i32.const 40) (i32.const 2))))`;

describe(`objects of another copy of the package (${thread})`, () => {
  it("a Module and a function made by fn serve as well", async () => {
    const module = ofAnotherCopy(await Wasmex.Module.compile(GUEST));
    const add = ofAnotherCopy(Wasmex.fn(["i32", "i32"], ["i32"], (_, a, b) => a + b));
    const chunks: string[] = [];
    const stdout = (chunk: Uint8Array) => void chunks.push(new TextDecoder().decode(chunk));
    await using guest = await Wasmex.start({ module, thread, imports: { env: { add } }, wasi: { stdout } });
    expect(await guest.callFunction("run")).toEqual([42]);
    expect(chunks).toEqual(["text"]);
  });

  it("a Pipe works inline, and is refused where a thread would lose its bytes", async () => {
    const pipe = new Wasmex.Pipe();
    const imports = { env: { add: (a: number, b: number) => a + b } };
    const wasi = { stdin: "null", stdout: ofAnotherCopy(pipe) } as const;
    const starting = Wasmex.start({ bytes: GUEST, thread, imports, wasi });
    if (thread === "worker") {
      await expect(starting).rejects.toThrow(
        "wasi: a Pipe of another copy of wasmex can't cross to a thread: load one copy",
      );
      return;
    }
    await using guest = await starting;
    expect(await guest.callFunction("run")).toEqual([42]);
    expect(pipe.readString()).toBe("text");
  });
});
