import type { EngineFunction } from "./calls.js";
import { convertParams } from "./calls.js";
import { deferred } from "./deferred.js";
import { type Engine, type ExitReason, stoppedError } from "./engine.js";
import { TimeoutError } from "./errors.js";
import { suspendingHostCall, syncHostCall } from "./host-calls.js";
import {
  createInstance,
  exportedFunction,
  type Instance,
  type InstanceParts,
  rescueCall,
} from "./instance.js";
import { platform } from "./platform.js";
import type { ModuleShape } from "./shape.js";
import { resultArray, type WasmValue } from "./values.js";
import { Deadlines } from "./worker/deadlines.js";
import type { FunctionPlan } from "./worker/plans.js";

interface Call {
  readonly plan: FunctionPlan;
  readonly params: readonly unknown[];
  readonly signal: AbortSignal | undefined;
  readonly timeout: number;
  readonly began: number;
  readonly deadline: number;
  readonly resolve: (values: WasmValue[]) => void;
  readonly reject: (error: unknown) => void;
  forget: () => void;
}

/** A process whose instance lives on this thread: a call runs when it is made, or when those before it are done. */
export class InlineEngine implements Engine {
  readonly thread = "inline";
  readonly #exited = deferred<ExitReason>();
  // Set by `create` before anybody gets to see the engine: the instance's host functions need that first.
  #instance!: Instance;
  #reason: ExitReason | undefined;
  #controller: AbortController | undefined;
  /** Waiting calls; the first is the one under way while `#running`. */
  readonly #queue: Call[] = [];
  #running = false;
  /** Whether exports have to be called so that async host functions can suspend the guest (JSPI). */
  #suspends = false;
  readonly #promising = new Map<string, EngineFunction>();
  readonly #deadlines: Deadlines;
  readonly #close: (() => void) | undefined;

  private constructor(close: (() => void) | undefined) {
    this.#close = close;
    this.#deadlines = new Deadlines(platform().monotonicNow, () => this.#due(), true);
  }

  get exited(): Promise<ExitReason> {
    return this.#exited.promise;
  }

  /**
   * @param close gives back what WASI holds of the host
   */
  static async create(shape: ModuleShape, parts: InstanceParts, close?: () => void): Promise<InlineEngine> {
    const { promising } = WebAssembly;
    const engine = new InlineEngine(close);
    const hooks: NonNullable<InstanceParts["hooks"]> = {
      signal: () => engine.#signal(),
      wrapHost(host, context) {
        // Only what is declared `async` may suspend: a guest that is called from a host function can't be, by no function at all.
        if (promising === undefined || !isAsync(host.callback)) return syncHostCall(host, context);
        engine.#suspends = true;
        return suspendingHostCall(host, context);
      },
      initialize: (exported) => (engine.#suspends ? promising?.(exported)() : exported()),
    };
    engine.#instance = await createInstance(shape, { ...parts, hooks });
    return engine;
  }

  call(
    plan: FunctionPlan,
    params: readonly unknown[],
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<WasmValue[]> {
    return new Promise((resolve, reject) => {
      if (this.#reason !== undefined) {
        reject(stoppedError(this.#reason));
        return;
      }
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const began = platform().monotonicNow();
      const deadline = began + timeout;
      const call: Call = { plan, params, signal, timeout, began, deadline, resolve, reject, forget: nothing };
      this.#queue.push(call);
      if (!this.#running) this.#next();
      if (this.#queue.length === 0) return;
      // It waits, or a host function of its guest does.
      this.#deadlines.add(deadline);
      this.#deadlines.arm();
      if (signal !== undefined && this.#queue.includes(call)) this.#follow(call, signal);
    });
  }

  memory(name: string): WebAssembly.Memory {
    return this.#instance.exports[name] as WebAssembly.Memory;
  }

  async stop(): Promise<void> {
    this.#end({ kind: "stopped" });
    await this.exited;
  }

  #follow(call: Call, signal: AbortSignal): void {
    const abort = (): void => {
      call.reject(signal.reason);
      this.#end({ kind: "aborted", error: signal.reason });
    };
    signal.addEventListener("abort", abort);
    call.forget = () => signal.removeEventListener("abort", abort);
  }

  #signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(stoppedError(this.#reason));
    return this.#controller.signal;
  }

  /** Runs waiting calls until one is suspended. */
  #next(): void {
    for (let call = this.#queue[0]; call !== undefined && this.#reason === undefined; call = this.#queue[0]) {
      this.#running = true;
      const { plan, params } = call;
      let result: WasmValue[] | Promise<WasmValue[]>;
      try {
        result = this.#suspends
          ? this.#callPromising(plan, params)
          : this.#instance.callFunction(plan.name, params);
      } catch (error) {
        this.#settle(call, () => call?.reject(error));
        continue;
      }
      if (!Array.isArray(result)) {
        const suspended = call;
        result.then(
          (values) => this.#resume(suspended, () => suspended.resolve(values)),
          (error: unknown) => this.#resume(suspended, () => suspended.reject(error)),
        );
        return;
      }
      const values = result;
      this.#settle(call, () => call?.resolve(values));
    }
  }

  #resume(call: Call, settle: () => void): void {
    if (this.#reason !== undefined) return;
    this.#settle(call, settle);
    this.#next();
  }

  async #callPromising(plan: FunctionPlan, params: readonly unknown[]): Promise<WasmValue[]> {
    const [target, type] = exportedFunction(this.#instance, plan.name);
    try {
      let call = this.#promising.get(plan.name);
      if (call === undefined) {
        call = WebAssembly.promising?.(target) as EngineFunction;
        this.#promising.set(plan.name, call);
      }
      const result = await call(...(type === undefined ? params : convertParams(params, type.parameters)));
      return type === undefined ? arrayOf(result) : resultArray(result, type.results.length);
    } catch (error) {
      return rescueCall(this.#instance, error, type, params);
    }
  }

  /** The call under way has come to its end. */
  #settle(call: Call, settle: () => void): void {
    this.#running = false;
    this.#controller = undefined;
    call.forget();
    this.#queue.shift();
    if (this.#queue.length === 0) this.#deadlines.rest();
    if (this.#reason !== undefined) {
      // A host function of its own has stopped the process.
      call.reject(stoppedError(this.#reason));
      return;
    }
    const took = platform().monotonicNow() - call.began;
    if (call.signal?.aborted === true) call.reject(call.signal.reason);
    else if (took > call.timeout) call.reject(overrun(call, took));
    else settle();
  }

  #due(): void {
    const now = platform().monotonicNow();
    const first = this.#queue.find((call) => call.deadline <= now);
    if (first === undefined) {
      this.#deadlines.continueAt(
        this.#queue.reduce((least, call) => Math.min(least, call.deadline), Infinity),
      );
      return;
    }
    const error = new TimeoutError(
      `the call of \`${first.plan.name}\` took longer than ${first.timeout} ms: the process was stopped while a host function had not answered`,
    );
    first.reject(error);
    this.#end({ kind: "timeout", error });
  }

  #end(reason: ExitReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#deadlines.stop();
    this.#controller?.abort(reason.kind === "stopped" ? stoppedError(reason) : reason.error);
    for (const call of this.#queue.splice(0)) {
      call.forget();
      call.reject(stoppedError(reason));
    }
    this.#close?.();
    this.#exited.resolve(reason);
  }
}

function nothing(): void {}

function overrun({ plan, timeout }: Call, took: number): TimeoutError {
  return new TimeoutError(
    `the call of \`${plan.name}\` took ${Math.ceil(took)} ms, longer than its timeout of ${timeout} ms: on this thread it could not be cut short and ran to its end`,
  );
}

function isAsync(callback: unknown): boolean {
  return Object.prototype.toString.call(callback) === "[object AsyncFunction]";
}

/** Results of a function whose type is unknown. */
function arrayOf(result: unknown): WasmValue[] {
  if (result === undefined) return [];
  return Array.isArray(result) ? result : [result as WasmValue];
}
