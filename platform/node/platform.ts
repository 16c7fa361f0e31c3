import { randomFillSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Platform } from "../../src/platform.js";
import { openDirectory } from "./directory.js";
import { stdio } from "./stdio.js";
import { spawnThread, threadSupport } from "./threads.js";

export const nodePlatform: Platform = {
  name: "node",
  now: () => performance.timeOrigin + performance.now(),
  monotonicNow: () => performance.now(),
  randomFill: (bytes) => void randomFillSync(bytes),
  stdio,
  threadSupport,
  spawnThread,
  mayBlock: () => true,
  openDirectory,
  hasDirectories: true,
  loadWabt: async () => (await import("wabt")).default(),
  readUrl: (url) => (url.protocol === "file:" ? readFile(url) : undefined),
};
