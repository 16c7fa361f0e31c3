import { checkSignal } from "./deferred.js";
import type { Engine, ExitReason } from "./engine.js";
import { CallError } from "./errors.js";
import { memoryName } from "./exported-globals.js";
import { type ElementType, Memory } from "./memory.js";
import type { ModuleShape } from "./shape.js";
import type { AnyExports, CallArguments, CallResults, ExportName } from "./typed-exports.js";
import { describeValue } from "./values.js";
import type { ExportPlans } from "./worker/plans.js";

export type { ExitReason } from "./engine.js";

// What `await using` looks for; engines without the syntax may be without the symbol, too.
if (Symbol.asyncDispose === undefined) {
  Object.defineProperty(Symbol, "asyncDispose", { value: Symbol.for("Symbol.asyncDispose") });
}

const DEFAULT_TIMEOUT = 5000;
const NO_PARAMS: readonly unknown[] = [];

/** @internal */
export function checkTimeout(timeout: unknown): void {
  if (typeof timeout !== "number" || !(timeout >= 0)) {
    throw new CallError(
      `timeout: pass milliseconds from 0 on, or Infinity for none, not ${describeValue(timeout)}`,
    );
  }
}

/** How one call is bounded. */
export interface CallOptions {
  /** In milliseconds from the call on; default 5000, `Infinity` for none. */
  readonly timeout?: number | undefined;
  /** Ends the call, and with it the process, when it is aborted; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A running instance, on a thread of its own where there are any. `start` makes it.
 *
 * ```ts
 * const guest = await Wasmex.start({ module });
 * await guest.callFunction("sum", [50, -8]); // [42]
 * await guest.stop();
 * ```
 */
export class Process<Exports extends object = AnyExports> {
  /** What was given to `start`. */
  readonly name: string | undefined;
  readonly #engine: Engine;
  readonly #shape: ModuleShape;
  readonly #plans: ExportPlans;

  /** @internal */
  constructor(engine: Engine, shape: ModuleShape, plans: ExportPlans, name: string | undefined) {
    this.#engine = engine;
    this.#shape = shape;
    this.#plans = plans;
    this.name = name;
  }

  /** Has frameworks that wrap plain objects in proxies (Vue, Alpine) leave it as it is: through one its private fields can't be reached. @internal */
  get [Symbol.toStringTag](): string {
    return "Process";
  }

  /** Where the instance runs. */
  get thread(): "worker" | "inline" {
    return this.#engine.thread;
  }

  /** Settles when the process has ended, with why; it never rejects. */
  get exited(): Promise<ExitReason> {
    return this.#engine.exited;
  }

  /** Whether the process has ended: `exited` settles when nothing of it is left. */
  get ended(): boolean {
    return this.#engine.reason !== undefined;
  }

  /**
   * Calls an exported function. Calls are served in their order, and all reject when the process ends.
   *
   * @param name of the export
   * @param rest its params, one value for each of its parameters, and the timeout in milliseconds (default 5000; `Infinity` for
   * none) or {@link CallOptions}. The timeout runs from now on, waiting behind other calls included
   * @returns the results: `[]` for none
   * @throws (rejects) CallError for an unknown function or params that don't fit; TrapError; HostFunctionError; ExitError;
   * TimeoutError; StoppedError
   */
  callFunction<K extends ExportName<Exports>>(
    name: K,
    ...rest: CallArguments<Exports, K, CallOptions>
  ): Promise<CallResults<Exports, K>>;
  callFunction(
    name: string,
    params: readonly unknown[] = NO_PARAMS,
    options: number | CallOptions = {},
  ): Promise<unknown> {
    try {
      const { timeout = DEFAULT_TIMEOUT, signal } =
        typeof options === "object" && options !== null ? options : { timeout: options };
      checkTimeout(timeout);
      checkSignal(signal);
      return this.#engine.call(this.#plans.for(name, params), params, timeout, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Whether a function of that name is exported. Synchronous: the guest is not asked. */
  functionExists(name: string): boolean {
    return this.#plans.has(name);
  }

  /**
   * A view of an exported memory, synchronous and over the very bytes of the guest, on whatever thread that runs.
   *
   * @param type of the elements
   * @param offset where the view begins, in elements
   * @param name of the export; the first exported memory if not given
   * @throws CallError where there is none; UnsupportedError where it can't be shared with the guest's thread
   */
  memory<T extends ElementType = "uint8">(type: T = "uint8" as T, offset = 0, name?: string): Memory<T> {
    return new Memory(this.#engine.memory(memoryName(this.#shape, name)), type, offset);
  }

  /** Ends the process and its thread: queued and running calls reject with `StoppedError`. Resolves when the thread is gone. */
  stop(): Promise<void> {
    return this.#engine.stop();
  }

  /** `stop()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
