import { CallError } from "./errors.js";
import type { Context } from "./imports.js";
import type { Instance } from "./instance.js";
import type { Memory } from "./memory.js";

/** What the host functions of an instance can reach. */
export interface Reach {
  /** The signal of the call that is running. */
  readonly signal: (() => AbortSignal) | undefined;
  /** Set once the instance is there: its start function may call before. */
  instance?: Instance;
  /** Set once the process has ended: what its guest is unwound with where it comes by the host. */
  ended?: Error;
  /** The errors that calls of this very instance have ended with. */
  readonly own: WeakSet<object>;
  context?: Context;
}

/** The error for what asks for an export too early. */
export function notMade(): CallError {
  return new CallError(
    "the instance is still being made: a start function's host functions can't reach its exports",
  );
}

/** The context of an instance's host functions. */
class InstanceContext implements Context {
  readonly #reach: Reach;
  #memory: Memory<"uint8"> | undefined;
  #never: AbortSignal | undefined;

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  get memory(): Memory<"uint8"> {
    this.#memory ??= this.#ready().memory();
    return this.#memory;
  }

  readonly callFunction: Context["callFunction"] = (name, params = []) =>
    this.#ready().callFunction(name, params);

  get signal(): AbortSignal {
    const { signal } = this.#reach;
    if (signal !== undefined) return signal();
    this.#never ??= new AbortController().signal;
    return this.#never;
  }

  #ready(): Instance {
    const { instance } = this.#reach;
    if (instance === undefined) throw notMade();
    return instance;
  }
}

/** One context for all functions of an instance. */
export function contextOf(reach: Reach): Context {
  reach.context ??= new InstanceContext(reach);
  return reach.context;
}
