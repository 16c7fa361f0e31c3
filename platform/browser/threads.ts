import { UnsupportedError } from "../../src/errors.js";
import type { Thread, ThreadSupport } from "../../src/platform.js";

export function threadSupport(): ThreadSupport {
  return { threads: false, sharedMemory: false, reason: "threads are not built in yet" };
}

export function spawnThread(_options: { url?: string | URL; name?: string }): Promise<Thread> {
  return Promise.reject(new UnsupportedError("threads are not built in yet"));
}
