import { parentPort, workerData } from "node:worker_threads";
import { type Platform, usePlatform } from "../../src/platform.js";
import type { ArenaDescription } from "../../src/vfs/arena-memory.js";
import { MemoryBackend } from "../../src/vfs/memory-backend.js";
import { operate, random } from "../vfs/arena-operations.js";

/** The thread of arena-threads.test.ts: operates on a shared arena until it is terminated. */
const { shared, seed, progress } = workerData as {
  shared: ArenaDescription;
  seed: number;
  progress: Int32Array;
};

usePlatform({ now: Date.now, monotonicNow: Date.now, mayBlock: () => true } as unknown as Platform);
const backend = new MemoryBackend({ shared });
const next = random(seed);
const held: number[] = [];
parentPort?.postMessage("ready");
for (;;) {
  backend.begin();
  try {
    for (let count = next(6); count >= 0; count--) {
      operate(backend, next, held);
    }
  } finally {
    backend.end();
  }
  Atomics.add(progress, 0, 1);
}
