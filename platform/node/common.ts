import type { Platform } from "../../src/platform.js";
import { openDirectory, openShared } from "./directory.js";
import { stdio } from "./stdio.js";

/** What a background thread has as well as the host; the rest of the platform is the host's alone. */
export const common: Omit<Platform, "threadSupport" | "loadWabt"> = {
  name: "node",
  now: () => performance.timeOrigin + performance.now(),
  monotonicNow: () => performance.now(),
  randomFill(bytes) {
    // Seven times as fast as `randomFillSync`, whose module also costs a thread time to load; it takes 65,536 bytes at once.
    for (let start = 0; start < bytes.length; start += 65_536) {
      crypto.getRandomValues(bytes.subarray(start, start + 65_536) as Uint8Array<ArrayBuffer>);
    }
  },
  stdio,
  mayBlock: () => true,
  openDirectory,
  hasDirectories: true,
  openShared: (shared) => openShared(shared as Parameters<typeof openShared>[0]),
};
