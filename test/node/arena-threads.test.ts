import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { LOCK } from "../../src/vfs/arena-layout.js";
import type { ArenaDescription } from "../../src/vfs/arena-memory.js";
import { MemoryBackend } from "../../src/vfs/memory-backend.js";
import { checkArena } from "../vfs/arena-check.js";
import { random } from "../vfs/arena-operations.js";
import "wasmex";

const kills = Number(process.env["ARENA_KILLS"] ?? 20);
const seed = Number(process.env["ARENA_SEED"] ?? 1);

let code = "";
beforeAll(async () => {
  const entry = new URL("arena-hammer.ts", import.meta.url).pathname;
  const built = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
  });
  code = built.outputFiles[0]?.text ?? "";
});

interface Thread {
  readonly worker: Worker;
  readonly shared: ArenaDescription;
  readonly progress: Int32Array;
}

describe("MemoryBackend shared by threads", () => {
  test("stays whole while threads work on it at once and are terminated at any point", {
    timeout: 30_000 + kills * 500,
  }, async () => {
    const next = random(seed);
    const host = new MemoryBackend();
    const start = async (): Promise<Thread> => {
      const shared = host.share();
      const progress = new Int32Array(new SharedArrayBuffer(4));
      const worker = new Worker(code, {
        eval: true,
        workerData: { shared, progress, seed: next(2 ** 30) },
      });
      await once(worker, "message");
      return { worker, shared, progress };
    };
    const threads = await Promise.all([start(), start(), start()]);
    let inside = 0;
    for (let kill = 0; kill < kills; kill++) {
      const index = next(threads.length);
      const { worker, shared, progress } = threads[index] as Thread;
      const goal = Atomics.load(progress, 0) + next(50);
      while (Atomics.load(progress, 0) < goal) {
        await new Promise(setImmediate);
      }
      await worker.terminate();
      if (host.memory.get(LOCK) === shared.owner + 1) inside++;
      host.retire(shared, 0);
      checkArena(host.memory);
      threads[index] = await start();
    }
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
    // All are dead and only one is known to be: each is reported while another may hold the lock.
    for (const { shared } of threads) {
      host.retire(shared, 0);
    }
    checkArena(host.memory);
    expect(inside).toBeGreaterThan(0);
    console.log(`${kills} threads terminated, ${inside} of them while they held the lock`);
  });
});
