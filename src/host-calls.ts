/** Calls of host functions: for the engine directly, and for threads and promises through the same checks. */

import type { Reach } from "./context.js";
import { ExitError, HostFunctionError, UnsupportedError } from "./errors.js";
import type { Context, HostTarget } from "./imports.js";
import { platform } from "./platform.js";
import type { ValueType } from "./shape.js";
import { describeThrown, describeValue, isA, toEngine } from "./values.js";

type Call = (...params: unknown[]) => unknown;

/** The error that ends a call because of its host function. */
export function hostError(host: HostTarget, error: unknown, { own }: Pick<Reach, "own">): Error {
  // A nested call's own end is not wrapped again: its cause is the original one, an exit is the program's. Another program's is not.
  if (own.has(error as object) && (isA(error, HostFunctionError) || isA(error, ExitError))) return error;
  const failure = new HostFunctionError(`host function \`${host.label}\` failed: ${describeThrown(error)}`, {
    cause: error,
  });
  own.add(failure);
  return failure;
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function"
  );
}

/** Throws where the process has ended: the guest is not to go on. */
export function checkEnd({ ended }: Reach): void {
  if (ended) throw ended;
}

/** A result as the engine takes it. */
function settle(types: readonly ValueType[], result: unknown): unknown {
  if (types.length === 0) return undefined;
  if (types.length === 1) return toEngine(result, types[0] as ValueType, -1);
  if (!Array.isArray(result) || result.length !== types.length) {
    const given = Array.isArray(result) ? `${result.length} values` : describeValue(result);
    throw new TypeError(`number of results does not match. expected ${types.length}, got ${given}`);
  }
  return types.map((type, index) => toEngine(result[index], type, -1 - index));
}

function directCall(host: HostTarget, context: Context | undefined): Call {
  const callback = host.callback as Call;
  return host.takesContext ? callback.bind(undefined, context) : callback;
}

/** The error for a promise that the guest can't be suspended for; `todo` is what would do, if it is not another thread. */
export function cannotWait(
  what: string,
  options?: { cause: unknown },
  todo?: string | false,
): UnsupportedError {
  return new UnsupportedError(
    `${what}, which the guest cannot wait for on this thread: ${todo || platform().threadSupport().reason || 'use `start` with thread: "worker"'}`,
    options,
  );
}

/** What the engine calls for a host function on this thread. */
export function syncHostCall(host: HostTarget, reach: Reach): Call {
  const call = directCall(host, host.contextOf?.(reach));
  const results = host.type?.results;
  const isI32 = results?.length === 1 && results[0] === "i32";

  const finish = (result: unknown): unknown => {
    checkEnd(reach);
    if (isI32 && typeof result === "number" && (result | 0) === result) return result;
    try {
      if (!isPromise(result)) return results === undefined ? result : settle(results, result);
    } catch (error) {
      throw hostError(host, error, reach);
    }
    // Its rejection has nobody else to go to.
    Promise.resolve(result).catch(() => {});
    // Without a call's signal it is an `Instance`, whose guest is never suspended.
    const todo = reach.signal !== undefined && WebAssembly.Suspending !== undefined && "declare it `async`";
    throw cannotWait(`host function \`${host.label}\` answered a promise`, undefined, todo);
  };

  switch (host.type?.parameters.length) {
    case 0:
      return () => {
        checkEnd(reach);
        let result: unknown;
        try {
          result = call();
        } catch (error) {
          throw hostError(host, error, reach);
        }
        return finish(result);
      };
    case 1:
      return (a) => {
        checkEnd(reach);
        let result: unknown;
        try {
          result = call(a);
        } catch (error) {
          throw hostError(host, error, reach);
        }
        return finish(result);
      };
    case 2:
      return (a, b) => {
        checkEnd(reach);
        let result: unknown;
        try {
          result = call(a, b);
        } catch (error) {
          throw hostError(host, error, reach);
        }
        return finish(result);
      };
    case 3:
      return (a, b, c) => {
        checkEnd(reach);
        let result: unknown;
        try {
          result = call(a, b, c);
        } catch (error) {
          throw hostError(host, error, reach);
        }
        return finish(result);
      };
    case 4:
      return (a, b, c, d) => {
        checkEnd(reach);
        let result: unknown;
        try {
          result = call(a, b, c, d);
        } catch (error) {
          throw hostError(host, error, reach);
        }
        return finish(result);
      };
    default:
      return (...params) => {
        checkEnd(reach);
        let result: unknown;
        try {
          result = call(...params);
        } catch (error) {
          throw hostError(host, error, reach);
        }
        return finish(result);
      };
  }
}

/**
 * Calls a host function that may be async; answers what the engine takes, or a promise of it. Throws and rejects with
 * `HostFunctionError` alone.
 */
export function callHost(
  host: HostTarget,
  context: Context | undefined,
  params: readonly unknown[],
  reach: Pick<Reach, "own">,
): unknown {
  const results = host.type?.results;
  const finish = (result: unknown): unknown => (results === undefined ? result : settle(results, result));
  const failed = (error: unknown): never => {
    throw hostError(host, error, reach);
  };
  try {
    const result = directCall(host, context)(...params);
    return isPromise(result) ? Promise.resolve(result).then(finish).catch(failed) : finish(result);
  } catch (error) {
    return failed(error);
  }
}

/** What the engine calls where it can suspend the guest (JSPI) until a host function's promise is settled. */
export function suspendingHostCall(host: HostTarget, reach: Reach): unknown {
  const { Suspending } = WebAssembly;
  if (Suspending === undefined) return syncHostCall(host, reach);
  const context = host.contextOf?.(reach);
  const answer = async (params: readonly unknown[]): Promise<unknown> => {
    const result = await callHost(host, context, params, reach);
    checkEnd(reach);
    return result;
  };
  return new Suspending((...params: unknown[]) => {
    checkEnd(reach);
    const answered = answer(params);
    // Where the guest can't wait for it, its rejection has nobody else to go to.
    answered.catch(() => {});
    return answered;
  });
}
