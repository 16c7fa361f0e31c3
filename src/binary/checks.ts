/** The name under which a module with loop checks (see loop-checks.ts) exports their table. */
export const CHECKS = "\0wasmex.checks";

/** And that of its start function, which waits until the checks are armed. */
export const START = "\0wasmex.start";

/** `(module (import "" "c" (func)) (export "c" (func 0)))`: makes a function of the host one that a table takes. */
const CARRIER = [
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0],
  ...[2, 6, 1, 0, 1, 0x63, 0, 0, 7, 5, 1, 1, 0x63, 0, 0],
];

/** Has an instance call `look` from its loop checks, and calls its start function; does nothing where its module has no checks. */
export function armChecks(exports: WebAssembly.Exports, look: () => void): void {
  const table = exports[CHECKS];
  if (!(table instanceof WebAssembly.Table)) return;
  const carrier = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(CARRIER)), {
    "": { c: look },
  });
  table.set(0, carrier.exports["c"]);
  (exports[START] as (() => void) | undefined)?.();
}
