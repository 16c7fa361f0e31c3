import { describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { thread } from "./support/index.js";

const GUEST = `(module
  (global $count (mut i32) (i32.const 0))
  (func (export "next") (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count))
  (func (export "spin") (loop $again (br $again))))`;

const compiled = Wasmex.Module.compile(GUEST);

async function spec(id: string): Promise<Wasmex.ChildSpec> {
  return Wasmex.childSpec({ id, module: await compiled, thread });
}

/** Waits until the child is another process than `before`. */
async function restarted(
  supervisor: Wasmex.Supervisor,
  id: string,
  before: Wasmex.Process,
): Promise<Wasmex.Process> {
  await before.exited;
  while (supervisor.child(id) === before) await new Promise<void>((resolve) => setTimeout(resolve, 1));
  return supervisor.child(id);
}

describe(`Supervisor (${thread})`, () => {
  it("Supervisor.child is the process of that id", async () => {
    const supervisor = await Wasmex.Supervisor.start([await spec("a"), await spec("b")]);
    expect(await supervisor.child("a").callFunction("next")).toEqual([1]);
    expect(await supervisor.child("b").callFunction("next")).toEqual([1]);
    expect(supervisor.child("a").name).toBe("a");
    expect(() => supervisor.child("c")).toThrow(/no child `c`/);
    const { exited } = supervisor.child("a");
    await supervisor.stop();
    expect((await exited).kind).toBe("stopped");
    expect(await supervisor.stopped).toBeUndefined();
    await supervisor.stop();
  });

  it("Supervisor.start stops what it has started where a child can't start", async () => {
    const bad = Wasmex.childSpec({ id: "bad", bytes: new Uint8Array([1]), thread });
    await expect(Wasmex.Supervisor.start([await spec("a"), bad])).rejects.toThrow(Wasmex.CompileError);
    await expect(Wasmex.Supervisor.start([await spec("a"), await spec("a")])).rejects.toThrow(/two children/);
    await expect(Wasmex.Supervisor.start([], { maxRestarts: -1 })).rejects.toThrow(Wasmex.WasmexError);
    expect(() => Wasmex.childSpec({ id: "", bytes: "" })).toThrow(Wasmex.WasmexError);
  });

  it("Supervisor leaves alone what stop() has ended", async () => {
    const supervisor = await Wasmex.Supervisor.start([await spec("a")]);
    const child = supervisor.child("a");
    await child.stop();
    await child.exited;
    await new Promise<void>((resolve) => setTimeout(resolve));
    expect(supervisor.child("a")).toBe(child);
    await supervisor.stop();
  });

  it.runIf(thread === "worker")("Supervisor starts a timed-out child afresh, and no other", async () => {
    const supervisor = await Wasmex.Supervisor.start([await spec("a"), await spec("b")]);
    const [a, b] = [supervisor.child("a"), supervisor.child("b")];
    await a.callFunction("next");
    await expect(a.callFunction("spin", [], 20)).rejects.toThrow(Wasmex.TimeoutError);
    const again = await restarted(supervisor, "a", a);
    expect(await again.callFunction("next")).toEqual([1]);
    expect(supervisor.child("b")).toBe(b);
    await supervisor.stop();
    expect((await again.exited).kind).toBe("stopped");
  });

  it.runIf(thread === "worker")(
    "Supervisor gives up past maxRestarts, with one error that says why",
    async () => {
      const supervisor = await Wasmex.Supervisor.start([await spec("a"), await spec("b")], {
        maxRestarts: 2,
      });
      const b = supervisor.child("b");
      for (let round = 0; round < 3; round++) {
        const child = supervisor.child("a");
        await expect(child.callFunction("spin", [], 10)).rejects.toThrow(Wasmex.TimeoutError);
        if (round < 2) await restarted(supervisor, "a", child);
      }
      const error = await supervisor.stopped;
      expect(error?.message).toMatch(/child `a` failed again after 2 restarts within 5 seconds.*`spin`/);
      expect(error?.cause).toBeInstanceOf(Wasmex.TimeoutError);
      expect(() => supervisor.child("a")).toThrow(error?.message);
      expect((await b.exited).kind).toBe("stopped");
    },
  );

  it.runIf(thread === "worker")(
    "Supervisor.stop waits for a child that is being started afresh",
    async () => {
      const supervisor = await Wasmex.Supervisor.start([await spec("a")]);
      const child = supervisor.child("a");
      await expect(child.callFunction("spin", [], 10)).rejects.toThrow(Wasmex.TimeoutError);
      await child.exited;
      await supervisor.stop();
      expect(await supervisor.stopped).toBeUndefined();
    },
  );
});
