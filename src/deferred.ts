import { CallError } from "./errors.js";
import { describeValue, isA } from "./values.js";

/** A promise with its two ends, for what is settled from elsewhere. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve: Deferred<T>["resolve"] = () => {};
  let reject: Deferred<T>["reject"] = () => {};
  const promise = new Promise<T>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
}

/**
 * Options that may be refused before anybody waits for the promise of a module that is among them: its failure is nobody's then, and would end
 * Node.
 */
export function disown({ module, bytes }: { readonly module?: unknown; readonly bytes?: unknown }): void {
  for (const given of [module, bytes]) if (isA(given, Promise)) given.catch(() => undefined);
}

/** @throws CallError for what is no `AbortSignal` */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw new CallError(`signal: pass an AbortSignal, not ${describeValue(signal)}`);
  }
}

/** What the promise comes to, unless the signal is aborted before: then rejects with its reason. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = deferred<never>();
  const abort = (): void => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort);
  try {
    return await Promise.race([aborted.promise, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
