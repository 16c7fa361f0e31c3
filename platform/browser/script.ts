import * as Wasmex from "./index.js";
import { serveWorker } from "./serve-worker.js";

/** Set by the wrapper that `build.mjs` puts around this bundle. */
declare const servesWorker: boolean;

if (servesWorker) {
  serveWorker();
} else {
  (globalThis as { Wasmex?: typeof Wasmex }).Wasmex = Wasmex;
}
