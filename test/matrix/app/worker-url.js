// @ts-expect-error: Vite's way of asking for a file's address
import workerUrl from "wasmex/dist/worker.js?url";

/** @type {any} */ (globalThis).workerUrl = workerUrl;
