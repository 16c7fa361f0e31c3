import { StoppedError } from "./errors.js";
import type { WasmValue } from "./values.js";
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

/** Where the instance of a process lives: on this thread or on one of its own. */
export interface Engine {
  readonly thread: "worker" | "inline";
  /** Settled when the process has ended, and its thread with it. */
  readonly exited: Promise<ExitReason>;
  /** Calls an export; `timeout` in milliseconds. */
  call(
    plan: FunctionPlan,
    params: readonly unknown[],
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<WasmValue[]>;
  /** The engine's memory of that export. */
  memory(name: string): WebAssembly.Memory;
  stop(): Promise<void>;
}

/** For a call that the end of its process has cut short, or that came after it. */
export function stoppedError(reason: ExitReason): StoppedError {
  if (reason.kind === "stopped") return new StoppedError("the process was stopped");
  const { error } = reason;
  const why = error instanceof Error ? error.message : String(error);
  return new StoppedError(`the process has ended: ${why}`, { cause: error });
}
