import type { Platform } from "../../src/platform.js";
import { common } from "./common.js";
import { spawnThread, threadSupport } from "./threads.js";
import { loadWabt } from "./wabt.js";

export const browserPlatform: Platform = { ...common, threadSupport, spawnThread, loadWabt };
