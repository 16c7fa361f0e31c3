import { readFile } from "node:fs/promises";
import type { Platform } from "../../src/platform.js";
import { common } from "./common.js";
import { threadSupport } from "./threads.js";

export const nodePlatform: Platform = {
  ...common,
  threadSupport,
  readUrl: (url) => (url.protocol === "file:" ? readFile(url) : undefined),
  async loadWabt() {
    const { default: wabt } = await import("wabt").catch((cause) => {
      const isMissing = /^(ERR_)?MODULE_NOT_FOUND$/.test(cause.code);
      throw isMissing ? new Error('install the package "wabt"', { cause }) : cause;
    });
    return wabt();
  },
};
