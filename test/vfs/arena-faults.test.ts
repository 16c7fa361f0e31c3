import { describe, expect, test } from "vitest";
import { CAPACITY, LOCK, PAGE_WORDS } from "../../src/vfs/arena-layout.js";
import type { ArenaDescription } from "../../src/vfs/arena-memory.js";
import { MemoryBackend } from "../../src/vfs/memory-backend.js";
import { sharedMemory } from "../support/thread.js";
import { checkArena } from "./arena-check.js";
import { operate, random } from "./arena-operations.js";
import "wasmex";

class Killed extends Error {}

/** The words of an arena whose thread dies before the store of that number. */
function dying(words: Int32Array, stores: number): Int32Array {
  let left = stores;
  return new Proxy(words, {
    get(target, key) {
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set(target, key, value) {
      if (left-- === 0) {
        throw new Killed();
      }
      return Reflect.set(target, key, value, target);
    },
  });
}

describe.skipIf(!sharedMemory)("MemoryBackend.recover, where memory can be shared", () => {
  test("goes on where a thread was terminated right after it had made the buffer larger", () => {
    const host = new MemoryBackend();
    const thread = host.share();
    const { memory } = host;
    thread.buffer.grow(thread.buffer.byteLength * 4);
    const pages = memory.get(CAPACITY);
    expect(memory.grow(pages + 1)).toBe(true);
    expect(memory.get(CAPACITY)).toBe(pages * 2);
    expect(memory.words.length).toBe(pages * 2 * PAGE_WORDS);
  });

  const rounds = Number(globalThis.process?.env?.["ARENA_FAULTS"] ?? 1500);

  test("leaves a whole file system wherever in an operation a thread was terminated", {
    timeout: 20_000 + rounds * 20,
  }, () => {
    const next = random(1);
    const host = new MemoryBackend();
    let thread: ArenaDescription | undefined;
    let backend = host;
    let held: number[] = [];
    let killed = 0;
    let killedInside = 0;
    for (let round = 0; round < rounds; round++) {
      if (thread === undefined) {
        thread = host.share();
        backend = new MemoryBackend({ shared: thread });
        held = [];
      }
      for (let whole = next(4); whole > 0; whole--) {
        backend.begin();
        operate(backend, next, held);
        backend.end();
      }
      backend.begin();
      const { memory } = backend;
      const { words } = memory;
      const instrumented = dying(words, next(next(3) === 0 ? 600 : 60));
      memory.words = instrumented;
      try {
        // Until it is killed, or the arena grows and leaves the instrument behind.
        for (let count = 0; count < 100 && memory.words === instrumented; count++) {
          operate(backend, next, held);
        }
        if (memory.words === instrumented) {
          memory.words = words;
        }
        backend.end();
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        killed++;
        if (host.memory.get(LOCK) === thread.owner + 1) killedInside++;
        host.retire(thread, 0);
        thread = undefined;
      }
      checkArena(host.memory);
    }
    expect(killed).toBeGreaterThan(rounds * 0.9);
    expect(killedInside).toBe(killed);
    if (thread !== undefined) {
      host.retire(thread, 0);
    }
    checkArena(host.memory);
  });
});
