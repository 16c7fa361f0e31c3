/** The base of every error that this package throws or rejects with. */
export class WasmexError extends Error {
  /** The name of the class, also in minified bundles. */
  override readonly name: string = "WasmexError";
  /** Where `run` rejects with it: what the program had written by then, where `wasi.stdout` was left open. */
  declare readonly stdout?: string;
  /** The same of `wasi.stderr`. */
  declare readonly stderr?: string;
}

/** Where and why a module could not be read, parsed or compiled. */
export class CompileError extends WasmexError {
  override readonly name: string = "CompileError";
  /** Line of the WebAssembly text, counted from 1; `undefined` for binary modules. */
  readonly line: number | undefined;
  /** Column in that line, counted from 1; `undefined` for binary modules. */
  readonly column: number | undefined;

  constructor(
    message: string,
    options?: { cause?: unknown; line?: number | undefined; column?: number | undefined },
  ) {
    super(message, options);
    this.line = options?.line;
    this.column = options?.column;
  }
}

/** The imports given do not fit the module: the message lists every one that is missing or incompatible. */
export class LinkError extends WasmexError {
  override readonly name: string = "LinkError";
}

/** A call that never reached the guest: an unknown export, a wrong number of params or a value outside its type. */
export class CallError extends WasmexError {
  override readonly name: string = "CallError";
}

/** The same word on every engine for the same trap (WebAssembly core specification, 4.4 "Instructions"). */
export type TrapReason =
  | "unreachable"
  | "out_of_bounds_memory"
  | "out_of_bounds_table"
  | "integer_divide_by_zero"
  | "integer_overflow"
  | "invalid_conversion_to_integer"
  | "indirect_call_type_mismatch"
  | "null_reference"
  | "out_of_bounds_array"
  | "cast_failure"
  | "stack_overflow"
  | "unaligned_atomic"
  | "uncaught_exception"
  | "out_of_memory"
  | "unknown";

/** One guest function on the stack of a trap, innermost first. */
export interface Frame {
  /** The function's index in the module, imports included. */
  readonly index: number;
  /** Its name from the name section, or `undefined`. */
  readonly name: string | undefined;
  /** Byte offset in the module, where the engine tells it. */
  readonly offset: number | undefined;
}

/**
 * The guest trapped. Its instance can be called again.
 *
 * ```ts
 * await guest.callFunction("divide", [1, 0]).catch((error) => error.reason); // "integer_divide_by_zero"
 * ```
 */
export class TrapError extends WasmexError {
  override readonly name: string = "TrapError";
  /** What happened, the same word on every engine. */
  readonly reason: TrapReason;
  #frames: readonly Frame[] | (() => readonly Frame[]);

  /** @param options its `frames` may be left to be read when they are asked for */
  constructor(
    message: string,
    options: { cause?: unknown; reason: TrapReason; frames: readonly Frame[] | (() => readonly Frame[]) },
  ) {
    super(message, options);
    this.reason = options.reason;
    this.#frames = options.frames;
  }

  /** The guest's functions on the stack, innermost first. */
  get frames(): readonly Frame[] {
    if (typeof this.#frames === "function") this.#frames = this.#frames();
    return this.#frames;
  }
}

/** A host function threw, rejected or returned a value of the wrong type; `cause` is the original. */
export class HostFunctionError extends WasmexError {
  override readonly name: string = "HostFunctionError";
}

/** A call took longer than its timeout. On a thread of its own the guest has been stopped; inline it has run to its end. */
export class TimeoutError extends WasmexError {
  override readonly name: string = "TimeoutError";
}

/** The guest ended itself with an exit code other than 0 (WASI preview 1, `proc_exit`). */
export class ExitError extends WasmexError {
  override readonly name: string = "ExitError";
  /** What the guest gave to `proc_exit`; 0 only where glue of your own calls an export. */
  readonly code: number;

  constructor(code: number, options?: { cause?: unknown }) {
    super(`the program exited with code ${code}`, options);
    this.code = code;
  }
}

/** The process was stopped before the call was done. */
export class StoppedError extends WasmexError {
  override readonly name: string = "StoppedError";
}

/** This engine or page lacks what the call needs; the message says what is missing and what to do. */
export class UnsupportedError extends WasmexError {
  override readonly name: string = "UnsupportedError";
}

/** The host asked a `VirtualFileSystem` for what it can't do: the message names the path. */
export class FileSystemError extends WasmexError {
  override readonly name: string = "FileSystemError";
  /** The POSIX name of the error, such as `ENOENT`. */
  readonly code: string;
  /** The path that was asked for. */
  readonly path: string;

  constructor(message: string, options: { code: string; path: string }) {
    super(message);
    this.code = options.code;
    this.path = options.path;
  }
}
