import { Deadlines } from "./deadlines.js";
import { checkSignal, disown } from "./deferred.js";
import { ExitError, TimeoutError, WasmexError } from "./errors.js";
import { Pipe } from "./pipe.js";
import { platform } from "./platform.js";
import { checkTimeout, type Process } from "./process.js";
import { type StartOptions, startUntil } from "./start.js";

/** What to run, and for how long. */
export interface RunOptions extends StartOptions {
  /** In milliseconds from the call of `run` on, compiling included; default: none. */
  readonly timeout?: number | undefined;
  /** Ends the program when it is aborted; `run` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How a program ended, and what it wrote where `wasi` left its output open. */
export interface RunResult {
  /** 0, or what the program gave to `proc_exit`. */
  readonly exitCode: number;
  /** Captured as UTF-8; `""` where `wasi.stdout` leads elsewhere. */
  readonly stdout: string;
  /** The same of `wasi.stderr`. */
  readonly stderr: string;
}

/**
 * Runs a WASI command from start to end: starts it, calls `_start` and stops it.
 *
 * @throws (rejects) as `start` and `callFunction` do, but for an exit code, which is a result; the error has what the program had written
 * by then, as `stdout` and `stderr`
 *
 * ```ts
 * const { stdout } = await Wasmex.run({ module, wasi: { args: ["--version"] } });
 * ```
 */
export async function run(options: RunOptions): Promise<RunResult> {
  const { timeout = Number.POSITIVE_INFINITY, signal, wasi, ...rest } = options;
  disown(rest);
  checkTimeout(timeout);
  checkSignal(signal);
  const given = typeof wasi === "object" ? wasi : {};
  const stdout = given.stdout === undefined ? new Pipe() : undefined;
  const stderr = given.stderr === undefined ? new Pipe() : undefined;
  const { monotonicNow } = platform();
  const began = monotonicNow();
  const streams = { ...given, ...(stdout && { stdout }), ...(stderr && { stderr }) };
  // What is no object of options is refused by the start, as it is given.
  const isGiven = wasi === undefined || typeof wasi === "boolean" || typeof wasi === "object";
  const guest = await startWithin(timeout, signal, { ...rest, wasi: isGiven ? streams : wasi });
  let exitCode = 0;
  let failure: { readonly error: unknown } | undefined;
  try {
    const left =
      timeout === Number.POSITIVE_INFINITY ? timeout : Math.max(timeout - (monotonicNow() - began), 0);
    await guest.callFunction("_start", [], { timeout: left, signal });
  } catch (error) {
    if (error instanceof ExitError) exitCode = error.code;
    else failure = { error };
  } finally {
    await guest.stop();
  }
  const output = { stdout: stdout?.readString() ?? "", stderr: stderr?.readString() ?? "" };
  if (failure === undefined) return { exitCode, ...output };
  let { error } = failure;
  if (error instanceof TimeoutError) {
    // The user's timeout is the one of the whole run.
    const message = error.message.replace(/(than (?:its timeout of )?)[\d.]+/, `$1${timeout}`);
    error = new TimeoutError(message, { cause: error.cause });
  }
  if (error instanceof WasmexError) Object.assign(error, output);
  throw error;
}

/** Starts a process; one that takes too long for it is ended. */
async function startWithin(
  timeout: number,
  signal: AbortSignal | undefined,
  options: StartOptions,
): Promise<Process> {
  if (timeout === Number.POSITIVE_INFINITY) return startUntil(options, signal);
  const limit = new AbortController();
  const now = platform().monotonicNow;
  const end = now() + timeout;
  const look = (): void => {
    if (now() < end) deadlines.continueAt(end);
    else limit.abort(new TimeoutError(`the start took longer than ${timeout} ms: the guest was stopped`));
  };
  const deadlines = new Deadlines(now, look, true);
  deadlines.continueAt(end);
  // `AbortSignal.any` would leave something of every run on a signal that lives longer.
  const abort = (): void => limit.abort(signal?.reason);
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort);
  try {
    return await startUntil(options, limit.signal);
  } finally {
    deadlines.stop();
    signal?.removeEventListener("abort", abort);
  }
}
