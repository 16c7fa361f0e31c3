import { describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { thread, wat } from "./support/index.js";

const GUEST = `(module
  (global $count (mut i32) (i32.const 0))
  (func (export "next") (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count))
  (func (export "spin") (loop $again (br $again))))`;

const inWorker = thread === "worker" && Wasmex.capabilities().sharedMemory;

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

interface Start {
  /** Of the call that the start makes. */
  readonly signal: AbortSignal;
  /** Settles once the process has been ended. */
  readonly exited: Promise<void>;
}

/** A child whose start calls a host function, which is answered the first time alone. */
async function holdingStart() {
  let starts = 0;
  let tell: (start: Start) => void = () => undefined;
  const again = new Promise<Start>((resolve) => {
    tell = resolve;
  });
  const f = Wasmex.fn([], [], ({ signal }) => {
    if (++starts === 1) return undefined;
    tell({ signal, exited: new Promise((resolve) => signal.addEventListener("abort", () => resolve())) });
    return new Promise<void>(() => undefined);
  });
  const bytes = `(module (import "env" "f" (func $f)) (start $f) (func (export "spin") (loop $again (br $again))))`;
  return {
    spec: Wasmex.childSpec({ id: "held", bytes, imports: { env: { f } }, thread }),
    again,
  };
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

  it.runIf(inWorker)("Supervisor.ready is the child's next process, once it runs", async () => {
    const supervisor = await Wasmex.Supervisor.start([await spec("a")], { maxRestarts: 1 });
    const child = supervisor.child("a");
    expect(await supervisor.ready("a")).toBe(child);
    await expect(child.callFunction("spin", [], 10)).rejects.toThrow(Wasmex.TimeoutError);
    const next = await supervisor.ready("a");
    expect(next).not.toBe(child);
    expect(await next.callFunction("next")).toEqual([1]);
    await expect(supervisor.ready("b")).rejects.toThrow("there is no child `b`");
    await next.stop();
    await expect(supervisor.ready("a")).rejects.toThrow(Wasmex.StoppedError);
    await supervisor.stop();
  });

  it.runIf(inWorker)(
    "Supervisor.ready rejects where the supervisor has given up or was stopped",
    async () => {
      const specs = [await spec("a")];
      const gives = await Wasmex.Supervisor.start(specs, { maxRestarts: 0 });
      await expect(gives.child("a").callFunction("spin", [], 10)).rejects.toThrow(Wasmex.TimeoutError);
      await expect(gives.ready("a")).rejects.toThrow(/failed again after 0 restarts/);
      const stops = await Wasmex.Supervisor.start(specs);
      await stops.stop();
      await expect(stops.ready("a")).rejects.toThrow(Wasmex.StoppedError);
    },
  );

  it.runIf(inWorker)(
    "Supervisor starts a child afresh whose calls are aborted, and counts none of it",
    async () => {
      const supervisor = await Wasmex.Supervisor.start([await spec("a")], { maxRestarts: 1 });
      for (let round = 0; round < 3; round++) {
        const controller = new AbortController();
        const child = await supervisor.ready("a");
        const spinning = child.callFunction("spin", [], { signal: controller.signal });
        controller.abort(new Error("gone"));
        await expect(spinning).rejects.toThrow("gone");
      }
      await expect((await supervisor.ready("a")).callFunction("spin", [], 10)).rejects.toThrow(
        Wasmex.TimeoutError,
      );
      expect(await (await supervisor.ready("a")).callFunction("next")).toEqual([1]);
      await supervisor.stop();
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

  it.runIf(inWorker)("Supervisor.stop ends a child whose start doesn't come to its end", async () => {
    const held = await holdingStart();
    const supervisor = await Wasmex.Supervisor.start([held.spec]);
    const child = supervisor.child("held");
    await expect(child.callFunction("spin", [], 10)).rejects.toThrow(Wasmex.TimeoutError);
    const { signal } = await held.again;
    await supervisor.stop();
    expect(signal.aborted).toBe(true);
    expect(await supervisor.stopped).toBeUndefined();
    expect(supervisor.child("held")).toBe(child);
  });

  it.runIf(inWorker)(
    "Supervisor that gives up ends what it is starting, before stopped settles",
    async () => {
      const held = await holdingStart();
      const supervisor = await Wasmex.Supervisor.start([held.spec, await spec("a")], { maxRestarts: 1 });
      await expect(supervisor.child("held").callFunction("spin", [], 10)).rejects.toThrow(
        Wasmex.TimeoutError,
      );
      const { signal } = await held.again;
      await expect(supervisor.child("a").callFunction("spin", [], 10)).rejects.toThrow(Wasmex.TimeoutError);
      expect((await supervisor.stopped)?.message).toMatch(/child `a` failed again/);
      expect(signal.aborted).toBe(true);
    },
  );

  it.runIf(inWorker)("Supervisor leaves alone a child whose own signal was aborted", async () => {
    const held = await holdingStart();
    const controller = new AbortController();
    const supervisor = await Wasmex.Supervisor.start([
      { ...held.spec, signal: controller.signal },
      await spec("b"),
    ]);
    const child = supervisor.child("held");
    await expect(child.callFunction("spin", [], 10)).rejects.toThrow(Wasmex.TimeoutError);
    const { exited } = await held.again;
    controller.abort();
    await exited;
    // If each start that is refused counted as one more end, none would be left for another child.
    const b = supervisor.child("b");
    await expect(b.callFunction("spin", [], 10)).rejects.toThrow(Wasmex.TimeoutError);
    expect(await (await restarted(supervisor, "b", b)).callFunction("next")).toEqual([1]);
    expect(supervisor.child("held")).toBe(child);
    await supervisor.stop();
  });

  it.runIf(inWorker)(
    "Supervisor starts a child afresh whose module came as a response or a stream",
    async () => {
      const bytes = await wat(GUEST);
      for (const source of [
        Promise.resolve(new Response(bytes, { headers: { "content-type": "application/wasm" } })),
        new Blob([bytes]).stream() as ReadableStream<Uint8Array>,
      ]) {
        const child = Wasmex.childSpec({ id: "a", bytes: source, thread });
        const supervisor = await Wasmex.Supervisor.start([child]);
        const a = supervisor.child("a");
        await expect(a.callFunction("spin", [], 10)).rejects.toThrow(Wasmex.TimeoutError);
        expect(await (await restarted(supervisor, "a", a)).callFunction("next")).toEqual([1]);
        await supervisor.stop();
      }
    },
  );

  it.runIf(inWorker)("Supervisor gives up for a reason that has no string form, too", async () => {
    const cause: unknown = Object.create(null);
    let starts = 0;
    const imports = {
      get env(): Wasmex.Imports[string] {
        if (++starts > 1) throw cause;
        return { f: () => undefined };
      },
    };
    const { spec: held } = await holdingStart();
    const supervisor = await Wasmex.Supervisor.start([{ ...held, imports }], { maxRestarts: 1 });
    await expect(supervisor.child("held").callFunction("spin", [], 10)).rejects.toThrow(Wasmex.TimeoutError);
    const failure = await supervisor.stopped;
    expect(failure?.message).toMatch(/child `held` failed again .* because: \[object Object\]$/);
    expect(failure?.cause).toBe(cause);
  });
});
