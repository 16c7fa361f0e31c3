import * as Wasmex from "./index.js";

/** Set by the wrapper that `build.mjs` puts around this bundle. */
declare const servesWorker: boolean;

if (!servesWorker) {
  (globalThis as { Wasmex?: typeof Wasmex }).Wasmex = Wasmex;
}
