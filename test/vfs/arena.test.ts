import { afterEach } from "vitest";
import { MemoryBackend } from "../../src/vfs/memory-backend.js";
import { sharedMemory } from "../support/thread.js";
import { checkArena } from "./arena-check.js";
import { backendContract } from "./contract-suite.js";
import "wasmex";

const made: MemoryBackend[] = [];
const kept = (backend: MemoryBackend) => {
  made.push(backend);
  return backend;
};

afterEach(() => {
  for (const backend of made.splice(0)) {
    checkArena(backend.memory);
  }
});

backendContract("MemoryBackend", () => kept(new MemoryBackend()));

/** A plain page has no shared memory, and so no other threads. */
const sharedContract: typeof backendContract = sharedMemory ? backendContract : () => undefined;

sharedContract("MemoryBackend, shared by its maker", () => {
  const backend = new MemoryBackend();
  backend.share();
  return kept(backend);
});

sharedContract("MemoryBackend, as another thread has it", () => {
  const shared = kept(new MemoryBackend()).share();
  return new MemoryBackend({ shared });
});
