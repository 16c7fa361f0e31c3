import { armChecks } from "./binary/checks.js";
import { convertParams, type EngineFunction } from "./calls.js";
import { Engine, type Pending } from "./engine.js";
import { TimeoutError } from "./errors.js";
import { suspendingHostCall, syncHostCall } from "./host-calls.js";
import {
  createInstance,
  exportedFunction,
  type Instance,
  type InstanceParts,
  rescueCall,
} from "./instance.js";
import { isExportedFunction } from "./link-check.js";
import { ByteQueue } from "./pipe-queue.js";
import type { ModuleShape } from "./shape.js";
import { classOf } from "./source-bytes.js";
import type { Launch } from "./start.js";
import { resultArray, type WasmValue } from "./values.js";
import { loadWasi } from "./wasi/provider.js";

/** A process whose instance lives on this thread: a call runs when it is made, or when those before it are done. */
export class InlineEngine extends Engine {
  readonly thread = "inline";
  protected readonly overdue = "the process was stopped while a host function had not answered";
  // Set by `create` before anybody gets to see the engine: the instance's host functions need that first.
  #instance!: Instance;
  /** Waiting calls; the first is the one under way while `#running`. */
  protected readonly calls: Pending[] = [];
  #running = false;
  /** What the call under way was ended with by a check of the guest's. */
  #overran: TimeoutError | undefined;
  /** Whether exports have to be called so that async host functions can suspend the guest (JSPI). */
  #suspends = false;
  readonly #promising = new Map<string, EngineFunction>();
  readonly #close: () => void;

  private constructor(close: () => void) {
    super(true);
    this.#close = close;
  }

  /**
   * @param close gives back what WASI holds of the host
   * @param interruptible whether a call ends at its deadline, in what it has called of the host's, too
   */
  static async create(
    shape: ModuleShape,
    parts: InstanceParts,
    close: () => void,
    interruptible: boolean,
  ): Promise<InlineEngine> {
    const { promising } = WebAssembly;
    const engine = new InlineEngine(close);
    const hooks: NonNullable<InstanceParts["hooks"]> = {
      signal: () => engine.signal,
      begin: (exports) => armChecks(exports, () => engine.#look()),
      wrapHost(host, reach) {
        // Only what is declared `async` may suspend: a guest that is called from a host function can't be, by no function at all.
        const isAsync = classOf(host.callback) === "AsyncFunction";
        if (promising === undefined || !isAsync) return syncHostCall(host, reach);
        engine.#suspends = true;
        return suspendingHostCall(host, reach);
      },
      initialize: (exported) => (engine.#suspends ? promising?.(exported)() : exported()),
      wrapAny(value) {
        if (!interruptible || typeof value !== "function" || isExportedFunction(value)) return value;
        // A loop looks by the number of its rounds, whatever these take.
        return (...params: unknown[]) => {
          const result: unknown = value(...params);
          engine.#look();
          return result;
        };
      },
    };
    const wasiInternals = {
      ...(parts.wasiInternals as object),
      left: interruptible
        ? () => (engine.calls[0]?.deadline ?? Number.POSITIVE_INFINITY) - engine.now()
        : undefined,
    };
    engine.#instance = await createInstance(shape, { ...parts, wasiInternals, hooks });
    return engine;
  }

  protected send(pending: Pending): void {
    this.calls.push(pending);
    if (!this.#running) this.#next();
    if (this.calls.length === 0) return;
    // It waits, or a host function of its guest does.
    this.deadlines.add(pending.deadline);
    this.deadlines.arm();
  }

  memory(name: string): WebAssembly.Memory {
    return this.#instance.exports[name] as WebAssembly.Memory;
  }

  protected async close(): Promise<void> {
    this.calls.length = 0;
    this.#close();
  }

  /** Runs waiting calls until one is suspended. */
  #next(): void {
    for (let call = this.calls[0]; call !== undefined; call = this.calls[0]) {
      this.#running = true;
      const { plan, params, resolve, reject } = call;
      try {
        if (this.#suspends) {
          const suspended = call;
          this.#callPromising(plan.name, params)
            .then(
              (values) => this.#settle(suspended, () => resolve(values)),
              (error: unknown) => this.#settle(suspended, () => reject(error)),
            )
            .then(() => this.#next());
          return;
        }
        const values = this.#instance.callFunction(plan.name, params);
        this.#settle(call, () => resolve(values));
      } catch (error) {
        this.#settle(call, () => reject(error));
      }
    }
  }

  async #callPromising(name: string, params: readonly unknown[]): Promise<WasmValue[]> {
    const [target, type] = exportedFunction(this.#instance, name);
    try {
      let call = this.#promising.get(name);
      if (call === undefined) {
        call = WebAssembly.promising?.(target) as EngineFunction;
        this.#promising.set(name, call);
      }
      const result = await call(...(type === undefined ? params : convertParams(params, type.parameters)));
      return resultArray(result, type?.results.length);
    } catch (error) {
      return rescueCall(this.#instance, error, type, params);
    }
  }

  /** Called from the checks of an interruptible guest. */
  #look(): void {
    const [call] = this.calls;
    if (call === undefined || this.now() < call.deadline) return;
    this.#overran = new TimeoutError(
      `the call of \`${call.plan.name}\` took longer than ${call.timeout} ms: the guest was stopped`,
    );
    throw this.#overran;
  }

  /** The call under way has come to its end. */
  #settle({ plan, timeout, began, reject }: Pending, settle: () => void): void {
    this.#running = false;
    const error = this.#overran;
    if (error !== undefined) {
      // It was stopped anywhere, so nothing of it is to be relied on.
      reject(error);
      this.end({ kind: "timeout", error });
      return;
    }
    this.answered();
    this.calls.shift();
    if (this.calls.length === 0) this.deadlines.rest();
    const took = this.now() - began;
    if (took > timeout) {
      reject(
        new TimeoutError(
          `the call of \`${plan.name}\` took ${Math.ceil(took)} ms, longer than its timeout of ${timeout} ms: on this thread it could not be cut short and ran to its end`,
        ),
      );
    } else settle();
  }
}

/** Makes an instance on this thread. */
export async function openEngine({
  shape,
  imports,
  wasi,
  limits,
  interruptible,
}: Launch): Promise<InlineEngine> {
  const factory = wasi && (await loadWasi());
  let close: (() => void) | undefined;
  const { openFiles, pipeBytes } = limits;
  if (wasi !== undefined && pipeBytes !== undefined) {
    for (const stream of [wasi.stdin, wasi.stdout, wasi.stderr]) {
      if (stream instanceof ByteQueue) stream.limitTo(pipeBytes);
    }
  }
  return InlineEngine.create(
    shape,
    {
      imports,
      wasi,
      wasiInternals: { limits: { openFiles } as { openFiles?: number } },
      wasiFactory:
        factory &&
        ((given, internals) => {
          const made = factory(given, internals);
          close = () => made.close?.();
          return made;
        }),
    },
    () => close?.(),
    interruptible,
  );
}
