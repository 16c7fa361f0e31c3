import { HostFunctionError } from "../errors.js";

/** Names the option for that output. */
export const outputKey = (fd: number): string => (fd === 2 ? "wasi.stderr" : "wasi.stdout");

/**
 * Calls a function of the host's options. Unlike all else that is thrown while WASI runs, what it throws is no errno: nobody would ever
 * learn of it.
 *
 * @param key names the option
 * @param fits whether it may answer that
 * @param own gets the error, which the host's functions that called the guest may throw on
 * @throws HostFunctionError whose `cause` is what it threw; for a promise, too, as nobody can wait for it
 */
export function callOption<P, T>(
  key: string,
  callback: (param: P) => T,
  param: P,
  fits?: (answer: T) => boolean,
  own?: WeakSet<object>,
): T {
  try {
    const answer = callback(param);
    const isPromise = typeof (Object(answer) as { then?: unknown }).then === "function";
    if (!isPromise && fits?.(answer) !== false) return answer;
    // Its rejection has nobody else to go to.
    if (isPromise) Promise.resolve(answer).catch(() => {});
    throw new TypeError(
      `it answered ${isPromise ? "a promise, which the guest cannot wait for" : String(answer)}`,
    );
  } catch (error) {
    const why = error instanceof Error ? error.message : typeof error === "string" ? error : typeof error;
    const failure = new HostFunctionError(`${key} failed: ${why}`, { cause: error });
    own?.add(failure);
    throw failure;
  }
}
