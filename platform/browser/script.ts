import { guestWasi } from "../../src/worker/guest-wasi.js";
import * as Wasmex from "./index.js";
import { serveWorker } from "./serve-worker.js";

/** Set by the wrapper that `build.mjs` puts around this bundle. */
declare const servesWorker: boolean;

if (servesWorker) {
  serveWorker(guestWasi);
} else {
  (globalThis as { Wasmex?: typeof Wasmex }).Wasmex = Wasmex;
}
