// A page that is not cross-origin isolated has threads but no shared memory; here the platform says so of Node.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { nodePlatform } from "../../platform/node/platform.js";
import { usePlatform } from "../../src/platform.js";
import { fixture } from "../support/index.js";

const HEADERS = "send it with the headers Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy";

beforeAll(() => {
  usePlatform({
    ...nodePlatform,
    threadSupport: () => ({ threads: true, sharedMemory: false, reason: HEADERS }),
    hasDirectories: false,
  });
});
afterAll(() => usePlatform(nodePlatform));

const compiled = fixture("streams.wat");

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "resolved",
    (error: unknown) => error,
  );

async function begin(wasi: Wasmex.WasiOptions = {}): Promise<Wasmex.Process> {
  return Wasmex.start({ module: await Wasmex.Module.compile(await compiled), thread: "worker", wasi });
}

describe("a Process on a thread without shared memory", () => {
  it("auto runs inline, and says why", async () => {
    await using guest = await Wasmex.start({ bytes: "(module)" });
    expect(guest.thread).toBe("inline");
    expect(Wasmex.capabilities()).toMatchObject({ thread: "inline", reason: HEADERS });
  });

  it("references that can't cross are refused as they are through shared memory", async () => {
    await using guest = await Wasmex.start({
      bytes: `(module (func $f (export "f")) (func (export "same") (param externref) (result externref) (local.get 0))
        (func (export "funcref") (result funcref) (ref.func $f)))`,
      thread: "worker",
    });
    const refused = await Promise.all(
      [() => 1, Symbol("one"), new WeakMap()].map((value) => failure(guest.callFunction("same", [value]))),
    );
    for (const error of [...refused, await failure(guest.callFunction("funcref"))]) {
      expect(error).toBeInstanceOf(Wasmex.UnsupportedError);
      expect((error as Error).message).toContain(
        'cannot cross to another thread: start the module with thread: "inline"',
      );
    }
    expect(await guest.callFunction("same", [{ a: 1 }])).toEqual([{ a: 1 }]);
  });

  it("a hole among the params is no value", async () => {
    await using guest = await Wasmex.start({
      bytes: `(module (func (export "i32") (param i32)))`,
      thread: "worker",
    });
    // biome-ignore lint/suspicious/noSparseArray: what is tested
    const error = await failure(guest.callFunction("i32", [,]));
    expect(error).toBeInstanceOf(Wasmex.CallError);
    expect((error as Error).message).toContain("Cannot convert argument #1 to a WebAssembly i32 value.");
  });

  it("what the page's own guest can't wait for is refused with the headers to send", async () => {
    const module = await Wasmex.Module.compile(await compiled);
    const stdin = new Wasmex.Pipe({ blocking: true });
    await using guest = await Wasmex.start({ module, thread: "inline", wasi: { stdin } });
    const error = await failure(guest.callFunction("cat"));
    expect(error).toBeInstanceOf(Wasmex.UnsupportedError);
    expect((error as Error).message).toContain(HEADERS);
    expect((error as Error).message).not.toContain('"worker"');
  });

  it("calls are served in order, with prefilled input and output by message", async () => {
    const stdin = new Wasmex.Pipe();
    const stdout = new Wasmex.Pipe();
    const errors: string[] = [];
    stdin.write("typed before");
    await using guest = await begin({
      stdin,
      stdout,
      stderr: (chunk) => void errors.push(new TextDecoder().decode(chunk)),
    });
    const all = await Promise.all([
      guest.callFunction("cat"),
      guest.callFunction("say"),
      failure(guest.callFunction("exit", [3])),
      guest.callFunction("exit", [0]),
    ]);
    expect(all[0]).toEqual([12]);
    expect(all[2]).toBeInstanceOf(Wasmex.ExitError);
    expect(all[3]).toEqual([]);
    expect(stdout.readString()).toBe("typed beforea line\n");
    expect(errors).toEqual(["a line\n"]);
  });

  it("what is written to stdin between calls is there for the next", async () => {
    const stdin = new Wasmex.Pipe();
    const stdout = new Wasmex.Pipe();
    await using guest = await begin({ stdin, stdout });
    expect(await guest.callFunction("cat")).toEqual([0]);
    stdin.write("first, ");
    expect(await guest.callFunction("cat")).toEqual([7]);
    stdin.write("sec");
    stdin.write("ond");
    expect(await Promise.all([guest.callFunction("cat"), guest.callFunction("cat")])).toEqual([[6], [0]]);
    expect(stdout.readString()).toBe("first, second");
  });

  it("traps and conversions are those of everywhere", async () => {
    await using guest = await Wasmex.start({
      bytes: `(module (func $boom unreachable) (func (export "f") (param i32 i64) (result i64 i32)
        (if (i32.eqz (local.get 0)) (then (call $boom))) (local.get 1) (local.get 0)))`,
      thread: "worker",
    });
    expect(await guest.callFunction("f", [1, 2])).toEqual([2n, 1]);
    const trap = (await failure(guest.callFunction("f", [0, 0n]))) as Wasmex.TrapError;
    expect(trap).toBeInstanceOf(Wasmex.TrapError);
    expect(trap.reason).toBe("unreachable");
    expect(trap.frames[0]?.name).toBe("boom");
    expect(await failure(guest.callFunction("f", [1.5, 0n]))).toBeInstanceOf(Wasmex.CallError);
  });

  it("a timed-out guest is stopped with what waits behind", async () => {
    const guest = await begin({ stdout: "null" });
    const spinning = failure(guest.callFunction("chatter", [], 60));
    const behind = failure(guest.callFunction("say"));
    expect(await spinning).toBeInstanceOf(Wasmex.TimeoutError);
    expect(await behind).toBeInstanceOf(Wasmex.StoppedError);
    expect((await guest.exited).kind).toBe("timeout");
  });

  it("what needs shared memory is refused with the headers to send", async () => {
    const refused = async (work: Promise<unknown>): Promise<void> => {
      const error = (await failure(work)) as Error;
      expect(error).toBeInstanceOf(Wasmex.UnsupportedError);
      expect(error.message).toContain("Cross-Origin-Opener-Policy");
      expect(error.message).toContain('thread: "inline"');
    };
    await refused(
      Wasmex.start({
        bytes: `(module (import "env" "f" (func)))`,
        thread: "worker",
        imports: { env: { f: () => {} } },
      }),
    );
    await refused(begin({ stdin: new Wasmex.Pipe({ blocking: true }) }));
    await refused(begin({ clock: () => 1 }));
    const fs = new Wasmex.VirtualFileSystem({ "/dir": {} });
    await refused(begin({ fs, preopen: { "/dir": { flags: ["read"] } } }));
    await using guest = await begin();
    await refused((async () => guest.memory())());
  });
});
