import { randomFillSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Platform } from "../../src/platform.js";
import { openDirectory, openShared } from "./directory.js";
import { stdio } from "./stdio.js";

/** What a background thread has as well as the host; the rest of the platform is the host's alone. */
export const common: Omit<Platform, "threadSupport" | "spawnThread" | "loadWabt"> = {
  name: "node",
  now: () => performance.timeOrigin + performance.now(),
  monotonicNow: () => performance.now(),
  // Seven times as fast as `randomFillSync`, which takes what is more than 65,536 bytes.
  randomFill: (bytes) => void (bytes.length > 65_536 ? randomFillSync(bytes) : crypto.getRandomValues(bytes)),
  stdio,
  mayBlock: () => true,
  openDirectory,
  hasDirectories: true,
  openShared: (shared) => openShared(shared as Parameters<typeof openShared>[0]),
  readUrl: (url) => (url.protocol === "file:" ? readFile(url) : undefined),
};
