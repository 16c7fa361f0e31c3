import type { Platform, ThreadSupport } from "../../src/platform.js";
import { common } from "./common.js";
import { loadWabt } from "./wabt.js";
import { watch } from "./watch.js";

/** The origin is named first: of one that isn't secure browsers ignore the headers. */
const PLAIN =
  "this page is not cross-origin isolated: serve it from https: or localhost with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";

function threadSupport(): ThreadSupport {
  const threads = typeof Worker !== "undefined";
  // Some engines have the class but give no access to it on pages that aren't isolated, others the other way round.
  const sharedMemory = typeof SharedArrayBuffer !== "undefined" && globalThis.crossOriginIsolated !== false;
  const reason = threads ? (sharedMemory ? "" : PLAIN) : "there are no workers here";
  // JavaScriptCore, whose errors tell their line, doesn't look at loops of WebAssembly when a worker is terminated, and has 64 GiB of
  // addresses for all memory.
  const isJavaScriptCore = "line" in new Error();
  // A server that renders pages may have no `navigator`.
  const parallelism = globalThis.navigator?.hardwareConcurrency ?? 1;
  return {
    threads,
    sharedMemory,
    reason,
    endsLoops: !isJavaScriptCore,
    fewAddresses: isJavaScriptCore,
    parallelism,
  };
}

export const browserPlatform: Platform = { ...common, threadSupport, loadWabt, watch };
