/** What engines offer before TypeScript's own libraries describe it. Everything here may be missing at run time. */
declare namespace WebAssembly {
  /** JavaScript promise integration (JSPI). */
  const Suspending: (new (hostFunction: (...values: never[]) => unknown) => ExportValue) | undefined;
  const SuspendError: ErrorConstructor;
  const promising: ((exported: Function) => (...values: unknown[]) => Promise<unknown>) | undefined;
}

interface Atomics {
  pause?(iterations?: number): void;
}
