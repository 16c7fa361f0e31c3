/** Every isomorphic suite, by its path; put in place by `run.mjs`. */
declare module "wasmex:suites" {
  export const suites: Record<string, () => Promise<unknown>>;
  /** Those that ask which thread to use. */
  export const threadSuites: readonly string[];
}
