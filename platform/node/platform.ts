import { randomFillSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { UnsupportedError } from "../../src/errors.js";
import type { Platform } from "../../src/platform.js";
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
  openDirectory(path) {
    throw new UnsupportedError(`host directories are not built in yet: ${path}`);
  },
  hasDirectories: false,
  loadWabt: async () => (await import("wabt")).default(),
  readUrl: (url) => (url.protocol === "file:" ? readFile(url) : undefined),
};
