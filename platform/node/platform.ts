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
      // What runs modules in a context of its own (Jest) may forbid the import itself.
      throw /^ERR_VM/.test(cause.code) ? cause : new Error('install the package "wabt"', { cause });
    });
    return wabt();
  },
};
