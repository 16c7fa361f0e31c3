import type { Platform } from "../../src/platform.js";
import { common } from "./common.js";
import { spawnThread, threadSupport } from "./threads.js";

export const nodePlatform: Platform = {
  ...common,
  threadSupport,
  spawnThread,
  loadWabt: async () => (await import("wabt")).default(),
};
