/** The worker's code as text, put in place by the build (see `build.mjs`) and by the test configuration. */
declare module "wasmex:worker-source" {
  export const workerSource: string;
}

/** Of a thread whose guest has no WASI. */
declare module "wasmex:worker-source-plain" {
  export const workerSource: string;
}
