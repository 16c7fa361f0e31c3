import { Deadlines } from "./deadlines.js";
import { deferred } from "./deferred.js";
import { StoppedError, TimeoutError } from "./errors.js";
import { platform } from "./platform.js";
import { describeThrown, type WasmValue } from "./values.js";
import type { FunctionPlan } from "./worker/plans.js";

/** Why a process ended. */
export type ExitReason =
  | {
      /** `stop()` was called. */
      readonly kind: "stopped";
    }
  | {
      /** A call took longer than its timeout. */
      readonly kind: "timeout";
      /** What the call rejected with. */
      readonly error: Error;
    }
  | {
      /** The `signal` of a call was aborted. */
      readonly kind: "aborted";
      /** The signal's reason. */
      readonly error: unknown;
    }
  | {
      /** Its thread died: out of memory, `process.exit`, an error in the thread itself. */
      readonly kind: "crashed";
      /** What the thread died of. */
      readonly error: Error;
    };

/** A call that has not been answered. */
export interface Pending {
  readonly plan: FunctionPlan;
  /** As the caller has them: a call that has to wait takes a copy. */
  params: readonly unknown[];
  readonly resolve: (values: WasmValue[]) => void;
  readonly reject: (error: unknown) => void;
  /** In milliseconds. */
  readonly timeout: number;
  /** By the platform's monotonic clock, in milliseconds. */
  readonly began: number;
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  /** What the caller waits on, once it has that. */
  promise?: Promise<WasmValue[]>;
}

/** For a call that the end of its process has cut short, or that came after it. */
export function stoppedError(reason: ExitReason): StoppedError {
  if (reason.kind === "stopped") return new StoppedError("the process was stopped");
  const { error } = reason;
  return new StoppedError(`the process has ended: ${describeThrown(error)}`, { cause: error });
}

/** Where the instance of a process lives, on this thread or on one of its own: how calls begin and how all of them end. */
export abstract class Engine {
  abstract readonly thread: "worker" | "inline";
  readonly now = platform().monotonicNow;
  readonly deadlines: Deadlines;
  /** Set once the process has ended. */
  reason: ExitReason | undefined;
  readonly #exited = deferred<ExitReason>();
  #controller: AbortController | undefined;
  readonly #signals = new Map<AbortSignal, { calls: number; readonly abort: () => void }>();

  /** @param holds whether deadlines keep the event loop alive; a thread under way does so by itself */
  constructor(holds: boolean) {
    this.deadlines = new Deadlines(this.now, () => this.#due(), holds);
  }

  /** Begins a call. Throws where the params don't fit. */
  protected abstract send(pending: Pending): void;
  /** The calls that have not been answered. */
  protected abstract readonly calls: Iterable<Pending>;
  /** What became of a call that took too long. */
  protected abstract readonly overdue: string;
  /** Lets go of the instance and of all calls; settles when nothing of it is left. */
  protected abstract close(reason: ExitReason): Promise<void>;
  /** The engine's memory of that export. */
  abstract memory(name: string): WebAssembly.Memory;

  /** Settled when the process has ended, and its thread with it. */
  get exited(): Promise<ExitReason> {
    return this.#exited.promise;
  }

  /** Calls an export; `timeout` in milliseconds. */
  call(
    plan: FunctionPlan,
    params: readonly unknown[],
    timeout: number,
    signal?: AbortSignal,
  ): Promise<WasmValue[]> {
    let forget: (() => void) | undefined;
    let sent: Pending | undefined;
    let promise = new Promise<WasmValue[]>((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.reason !== undefined) throw stoppedError(this.reason);
      const began = this.now();
      const deadline = began + timeout;
      const pending: Pending = { plan, params, resolve, reject, timeout, began, deadline, signal };
      forget = signal && this.#follow(signal);
      this.send(pending);
      sent = pending;
    });
    if (forget !== undefined) promise = promise.finally(forget);
    // No time at all: nothing that it is answered counts.
    if (timeout === 0) this.#due();
    if (sent !== undefined) sent.promise = promise;
    return promise;
  }

  /** Ends the process when the signal is aborted; answers how one call forgets it. */
  #follow(signal: AbortSignal): () => void {
    const abort = (): void => this.end({ kind: "aborted", error: signal.reason });
    // One listener, however many calls have the signal: Node warns of leaks otherwise.
    const followed = this.#signals.get(signal) ?? { calls: 0, abort };
    if (followed.calls++ === 0) {
      this.#signals.set(signal, followed);
      signal.addEventListener("abort", abort);
    }
    return () => {
      if (--followed.calls > 0) return;
      this.#signals.delete(signal);
      signal.removeEventListener("abort", followed.abort);
    };
  }

  async stop(): Promise<void> {
    this.end({ kind: "stopped" });
    await this.exited;
  }

  /** The signal of the call that is running. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.reason !== undefined) this.#controller.abort(stoppedError(this.reason));
    return this.#controller.signal;
  }

  /** The call that was running is done: the next one has a signal of its own. */
  protected answered(): void {
    this.#controller = undefined;
  }

  /** Ends the process: what has not been answered rejects. */
  end(reason: ExitReason): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    this.deadlines.stop();
    const calls = [...this.calls];
    const closed = this.close(reason);
    this.#controller?.abort(reason.kind === "stopped" ? stoppedError(reason) : reason.error);
    for (const { reject, promise, signal } of calls) {
      // Who stops a process knows that its calls end: one that nobody waits on yet is no unhandled rejection.
      if (reason.kind === "stopped") promise?.catch(() => undefined);
      if (signal?.aborted === true) reject(signal.reason);
      else reject(reason.kind === "crashed" ? reason.error : stoppedError(reason));
    }
    void closed.finally(() => this.#exited.resolve(reason));
  }

  #due(): void {
    const now = this.now();
    let next = Number.POSITIVE_INFINITY;
    let first: Error | undefined;
    for (const { plan, timeout, deadline, reject } of this.calls) {
      if (deadline > now) {
        next = Math.min(next, deadline);
        continue;
      }
      const error = new TimeoutError(
        `the call of \`${plan.name}\` took longer than ${timeout} ms: ${this.overdue}`,
      );
      first ??= error;
      reject(error);
    }
    if (first === undefined) this.deadlines.continueAt(next);
    else this.end({ kind: "timeout", error: first });
  }
}
