import type { WasmValue } from "../values.js";
import type { FunctionPlan } from "./plans.js";

/** A call that has not been answered. */
export interface Pending {
  readonly plan: FunctionPlan;
  readonly resolve: (values: WasmValue[]) => void;
  readonly reject: (error: unknown) => void;
  /** By the platform's monotonic clock, in milliseconds. */
  readonly deadline: number;
  readonly began: number;
}

/** What a caller needs of the process that it is of. */
export interface CallerHost {
  /** The error of this package for what the thread sent as its guest's. */
  guestError(error: unknown): unknown;
  /** A call has begun to wait in earnest: the thread has to keep the event loop alive; or none waits any more. */
  keepAlive(keeps: boolean): void;
  /** No call is under way any more. */
  settled(): void;
}

/** The host's end of a thread: sends calls in their order and settles them. */
export interface Caller {
  /** The thread is ready for calls. */
  started(): void;
  /** Throws where the params don't fit. */
  call(plan: FunctionPlan, params: readonly unknown[], pending: Pending): void;
  /** The calls that have not been answered. */
  readonly calls: Iterable<Pending>;
  /** No more calls: every one that is left is handed to `settle`. */
  end(settle: (pending: Pending) => void): void;
}
