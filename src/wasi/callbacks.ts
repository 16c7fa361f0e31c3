import { HostFunctionError } from "../errors.js";

/** Names the option for that output. */
export const outputKey = (fd: number): string => (fd === 2 ? "wasi.stderr" : "wasi.stdout");

/** Whether what a function answered is there: a guest can't wait for a promise. */
export const isThere = (answer: unknown): boolean =>
  typeof (Object(answer) as { then?: unknown }).then !== "function";

/**
 * Calls a function of the host's options. Unlike all else that is thrown while WASI runs, what it throws is no errno: nobody would ever
 * learn of it.
 *
 * @param key names the option
 * @param fits whether it may answer that; anything goes where it is not given
 * @param own gets the error, which the host's functions that called the guest may throw on
 * @throws HostFunctionError whose `cause` is what it threw, or says what it answered
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
    if (fits?.(answer) !== false) return answer;
    // The rejection of a promise has nobody else to go to.
    Promise.resolve(answer).catch(() => {});
    throw new TypeError(`it answered ${String(answer)}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : typeof error === "string" ? error : typeof error;
    const failure = new HostFunctionError(`${key} failed: ${why}`, { cause: error });
    own?.add(failure);
    throw failure;
  }
}
