import { armChecks } from "./binary/checks.js";
import { convertParams, type EngineFunction } from "./calls.js";
import { contextOf, type Reach } from "./context.js";
import { orAborted } from "./deferred.js";
import { Engine, type ExitReason, type Pending, stoppedError } from "./engine.js";
import { HostFunctionError, TimeoutError, UnsupportedError } from "./errors.js";
import { cannotWait, checkEnd, suspendingHostCall, syncHostCall } from "./host-calls.js";
import type { Context } from "./imports.js";
import { createInstance, type Instance, type OwnParts } from "./instance.js";
import { isGoodEnd } from "./instantiate.js";
import { isExportedFunction } from "./link-check.js";
import { ByteQueue } from "./pipe-queue.js";
import type { ModuleShape } from "./shape.js";
import { classOf } from "./source-bytes.js";
import type { Launch } from "./start.js";
import { toCallError } from "./traps.js";
import { isA, resultArray, type WasmValue } from "./values.js";
import { loadWasi } from "./wasi/provider.js";
import type { FunctionPlan } from "./worker/plans.js";

/** Closes a guest's WASI, whose functions throw the error from then on. */
type CloseWasi = (ended: Error) => void;

/** Throws the error, or what says what to do where the engine could not suspend the guest. */
function throwAdvised(error: unknown): never {
  // Where the engine has no such class, nothing is of it.
  const { SuspendError } = WebAssembly;
  const cause = isA(error, HostFunctionError) && error.cause;
  if (isA(cause, SuspendError)) {
    throw cannotWait("an async host function was called inside another or a start function", { cause });
  }
  // A host function that called the guest has handed this on.
  throw isA(cause, UnsupportedError) && isA(cause.cause, SuspendError) ? cause : error;
}

/** Has calls from host functions end with the process. */
function boundCalls(reach: Reach): Reach {
  const context: { callFunction: Context["callFunction"] } = contextOf(reach);
  const { callFunction } = context;
  context.callFunction = (...call) => {
    checkEnd(reach);
    try {
      return callFunction(...call);
    } catch (error) {
      return throwAdvised(error);
    }
  };
  return reach;
}

/** A process whose instance lives on this thread: a call runs when it is made, or when those before it are done. */
export class InlineEngine extends Engine {
  readonly thread = "inline";
  protected readonly overdue = "the process was stopped while a host function had not answered";
  // Set by `create` before anybody gets to see the engine: the instance's host functions need that first.
  #instance!: Instance;
  readonly #shape: ModuleShape;
  /** Waiting calls; the first is the one under way while `#running`. */
  protected readonly calls: Pending[] = [];
  #running = false;
  /** What the call under way was ended with by a check of the guest's. */
  #overran: TimeoutError | undefined;
  /** Whether exports have to be called so that async host functions can suspend the guest (JSPI). */
  #suspends = false;
  readonly #promising = new Map<string, EngineFunction>();
  /** That of the instance's host functions, where there are any. */
  #reach: Reach | undefined;
  readonly #close: CloseWasi;

  private constructor(shape: ModuleShape, close: CloseWasi) {
    super(true);
    this.#shape = shape;
    this.#close = close;
  }

  /**
   * @param close gives back what WASI holds of the host
   * @param interruptible whether a call ends at its deadline, in what it has called of the host's, too
   * @param signal ends the making
   */
  static async create(
    shape: ModuleShape,
    parts: Omit<OwnParts, "hooks">,
    close: CloseWasi,
    interruptible: boolean,
    signal: AbortSignal | undefined,
  ): Promise<InlineEngine> {
    const { promising } = WebAssembly;
    const engine = new InlineEngine(shape, close);
    const hooks: NonNullable<OwnParts["hooks"]> = {
      signal: () => engine.signal,
      begin: (exports) => armChecks(exports, () => engine.#look()),
      wrapHost(host, reach) {
        engine.#reach ??= boundCalls(reach);
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
    const making = createInstance(shape, { ...parts, wasiInternals, hooks }).catch(throwAdvised);
    try {
      engine.#instance = await (signal === undefined ? making : orAborted(making, signal));
    } catch (error) {
      // The guest may wait for a host function of its `_initialize`.
      engine.end({ kind: "aborted", error });
      throw error;
    }
    return engine;
  }

  protected send(pending: Pending): void {
    this.calls.push(pending);
    if (this.calls.length > 1) pending.params = [...pending.params];
    this.#next();
    if (this.calls.length === 0) return;
    // It waits, or a host function of its guest does.
    this.deadlines.add(pending.deadline);
    this.deadlines.arm();
  }

  memory(name: string): WebAssembly.Memory {
    return this.#instance.exports[name] as WebAssembly.Memory;
  }

  protected async close(reason: ExitReason): Promise<void> {
    this.calls.length = 0;
    // The guest may be on the stack, or suspended: it is unwound as soon as it comes by the host's code.
    const ended = stoppedError(reason);
    if (this.#reach !== undefined) this.#reach.ended = ended;
    this.#close(ended);
  }

  /** Runs waiting calls until one is suspended, unless one is. */
  #next(): void {
    if (this.#running) return;
    for (let call = this.calls[0]; call !== undefined; call = this.calls[0]) {
      this.#running = true;
      const { plan, params, resolve, reject } = call;
      try {
        if (this.#suspends) {
          const suspended = call;
          this.#callPromising(plan, params)
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

  async #callPromising({ name, type }: FunctionPlan, params: readonly unknown[]): Promise<WasmValue[]> {
    try {
      let call = this.#promising.get(name);
      if (call === undefined) {
        call = WebAssembly.promising?.(this.#instance.exports[name] as EngineFunction) as EngineFunction;
        this.#promising.set(name, call);
      }
      const result = await call(...(type === undefined ? params : convertParams(params, type.parameters)));
      return resultArray(result, type?.results.length);
    } catch (error) {
      if (isGoodEnd(error)) return [];
      return throwAdvised(toCallError(error, this.#shape, type, params));
    }
  }

  /** Called from the checks of an interruptible guest. */
  #look(): void {
    if (this.reason !== undefined) throw stoppedError(this.reason);
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
    if (took >= timeout) {
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
  signal,
}: Launch): Promise<InlineEngine> {
  const factory = wasi && (await loadWasi());
  let close: CloseWasi | undefined;
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
          close = (ended) => {
            made.close?.();
            // Looked for by whatever has a pointer of the guest's.
            const gone = {
              get buffer(): ArrayBuffer {
                throw ended;
              },
            };
            made.bind(gone as WebAssembly.Memory);
          };
          return made;
        }),
    },
    (ended) => close?.(ended),
    interruptible,
    signal,
  );
}
