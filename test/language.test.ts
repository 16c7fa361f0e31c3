import { describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { thread } from "./support/index.js";

const ADD = `(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))`;

/** Copies its input to its output. */
const CAT = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (loop $again
      (i32.store (i32.const 0) (i32.const 64))
      (i32.store (i32.const 4) (i32.const 64))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
      (if (i32.load (i32.const 16))
        (then
          (i32.store (i32.const 4) (i32.load (i32.const 16)))
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))
          (br $again))))))`;

describe("Symbol.toStringTag", () => {
  it("tells objects that are no plain ones, so that frameworks put no proxy around them", async () => {
    const module = await Wasmex.Module.compile(ADD);
    await using guest = await Wasmex.start({ module, thread });
    await using supervisor = await Wasmex.Supervisor.start([]);
    const objects = {
      Module: module,
      Instance: await Wasmex.Instance.create(module),
      Process: guest,
      Supervisor: supervisor,
      Pipe: new Wasmex.Pipe(),
      VirtualFileSystem: new Wasmex.VirtualFileSystem(),
    };
    for (const [name, object] of Object.entries(objects)) expect(String(object)).toBe(`[object ${name}]`);
  });
});

describe("await using", () => {
  it("stops a Process at the end of its block", async () => {
    let exited: Promise<Wasmex.ExitReason>;
    {
      await using guest = await Wasmex.start({ bytes: ADD, thread });
      exited = guest.exited;
      expect(await guest.callFunction("add", [1, 2])).toEqual([3]);
    }
    expect(await exited).toEqual({ kind: "stopped" });
  });

  it("stops a Supervisor and its children", async () => {
    let child: Wasmex.Process;
    let stopped: Promise<unknown>;
    {
      const spec = Wasmex.childSpec({ id: "adder", bytes: ADD, thread });
      await using supervisor = await Wasmex.Supervisor.start([spec]);
      child = supervisor.child("adder");
      stopped = supervisor.stopped;
    }
    expect(await stopped).toBeUndefined();
    expect(await child.exited).toEqual({ kind: "stopped" });
  });
});

describe("Web Streams", () => {
  it("lead through a guest from end to end", async () => {
    const stdin = new Wasmex.Pipe();
    const stdout = new Wasmex.Pipe();
    const text = "Grüße\n".repeat(100);
    await new Blob([text]).stream().pipeTo(stdin.writable);
    const answered = new Response(stdout.readable).text();
    const { exitCode } = await Wasmex.run({ bytes: CAT, thread, wasi: { stdin, stdout } });
    stdout.end();
    expect(exitCode).toBe(0);
    expect(await answered).toBe(text);
  });

  it("and async iteration give the guest's lines while it writes them", async () => {
    const stdin = new Wasmex.Pipe();
    stdin.write("one\ntwo\nthree");
    const stdout = new Wasmex.Pipe();
    const running = Wasmex.run({ bytes: CAT, thread, wasi: { stdin, stdout } }).then(() => stdout.end());
    const lines: string[] = [];
    for await (const line of stdout.lines()) lines.push(line);
    await running;
    expect(lines).toEqual(["one", "two", "three"]);
  });
});
