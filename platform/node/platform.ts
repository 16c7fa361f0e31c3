import { readFile } from "node:fs/promises";
import type { Platform } from "../../src/platform.js";
import { common } from "./common.js";
import { threadSupport } from "./threads.js";

export const nodePlatform: Platform = {
  ...common,
  threadSupport,
  readUrl: (url) => (url.protocol === "file:" ? readFile(url) : undefined),
  loadWabt: async () => (await import("wabt")).default(),
};
