// Threads that are killed at any moment, under calls, host calls, pipes and files: every promise settles and nothing is left.
import { describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { fixture } from "../support/index.js";

const ROUNDS = Number(process.env["WASMEX_KILLS"] ?? 40);

const compiled = fixture("streams.wat").then((bytes) => Wasmex.Module.compile(bytes));

/** A small generator, so that a failing round can be run again by its seed. */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

describe("a killed Process", () => {
  it("settles every promise, and leaves pipes and files whole", async () => {
    const module = await compiled;
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const random = generator(seed);
      const fs = new Wasmex.VirtualFileSystem({ "/dir": { kept: "kept" } });
      const stdin = new Wasmex.Pipe({ blocking: true });
      const stdout = new Wasmex.Pipe();
      const guest = await Wasmex.start({
        module,
        thread: "worker",
        wasi: {
          stdin,
          stdout,
          stderr: () => {},
          fs,
          preopen: { "/dir": { flags: ["read", "write", "create"] } },
          clock: () => 1,
        },
      });
      const work = ["store", "cat", "chatter", "sleep", "time"][Math.floor(random() * 5)] as string;
      const calls = [
        guest.callFunction(work, work === "sleep" ? [10n ** 12n] : [], Number.POSITIVE_INFINITY),
        guest.callFunction("say"),
        guest.callFunction("time"),
      ].map((call) =>
        call.then(
          () => "answered",
          (error: unknown) => (error as Error).name,
        ),
      );
      stdin.write("x".repeat(Math.floor(random() * 1000)));
      const until = performance.now() + random() * 6;
      while (performance.now() < until) {
        const next = random();
        if (next < 0.5) await new Promise<void>((resolve) => setTimeout(resolve));
        else if (next < 0.75) stdin.write("more");
      }
      const stopping = guest.stop();
      // Whatever the thread was at, the host goes on at once.
      stdout.read();
      await stopping;
      for (const outcome of await Promise.all(calls))
        expect(["answered", "StoppedError"], `seed ${seed}`).toContain(outcome);
      expect(stdin.size).toBe(stdin.read().length);
      stdout.write("host");
      expect(new TextDecoder().decode(stdout.read()).endsWith("host"), `seed ${seed}`).toBe(true);
      expect(fs.readFile("/dir/kept", "utf8")).toBe("kept");
      fs.writeFile("/dir/file", "host");
      expect(fs.readdir("/dir").sort()).toEqual(["file", "kept"]);
    }
  }, 120_000);

  it("leaves a pipe whole that others still use", async () => {
    const module = await compiled;
    const shared = new Wasmex.Pipe();
    const survivor = await Wasmex.start({
      module,
      thread: "worker",
      wasi: { stdin: "null", stdout: shared, stderr: "null" },
    });
    for (let seed = 1; seed <= ROUNDS / 4; seed++) {
      const victim = await Wasmex.start({
        module,
        thread: "worker",
        wasi: { stdin: "null", stdout: shared },
      });
      const call = victim.callFunction("chatter").catch((error: unknown) => (error as Error).name);
      for (let count = 0; count < 20; count++) await survivor.callFunction("say");
      await victim.stop();
      expect(await call).toBe("StoppedError");
      const text = shared.readString();
      expect(text.length % 7, `seed ${seed}`).toBe(0);
      expect(text.replaceAll("a line\n", "")).toBe("");
    }
    await survivor.stop();
  }, 120_000);
});
