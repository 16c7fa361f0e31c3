import type { EngineFunction } from "./calls.js";
import { CallError } from "./errors.js";
import type { Context, HostTarget } from "./imports.js";
import type { Instance } from "./instance.js";
import type { Memory } from "./memory.js";

/** What another thread or a suspendable guest needs to be different. */
export interface InstanceHooks {
  /** Makes what the engine calls for a host function. */
  readonly wrapHost?: (host: HostTarget, context: Context) => unknown;
  /** The signal of the call that is running. */
  readonly signal?: () => AbortSignal;
  /** Calls `_initialize`; where the guest may be suspended, with a promise. */
  readonly initialize?: (exported: EngineFunction) => unknown;
}

/** The context of an instance's host functions; there before the instance is, as its start function may call them. */
export class InstanceContext implements Context {
  readonly #hooks: InstanceHooks;
  #instance: Instance | undefined;
  #memory: Memory<"uint8"> | undefined;
  #never: AbortSignal | undefined;

  constructor(hooks: InstanceHooks) {
    this.#hooks = hooks;
  }

  /** Called once the instance is there. */
  attach(instance: Instance): void {
    this.#instance = instance;
  }

  get memory(): Memory<"uint8"> {
    this.#memory ??= this.#ready().memory();
    return this.#memory;
  }

  readonly callFunction: Context["callFunction"] = (name, params = []) =>
    this.#ready().callFunction(name, params);

  get signal(): AbortSignal {
    if (this.#hooks.signal !== undefined) return this.#hooks.signal();
    this.#never ??= new AbortController().signal;
    return this.#never;
  }

  #ready(): Instance {
    if (this.#instance === undefined) {
      throw new CallError(
        "the instance is still being made: a start function's host functions can't reach its exports",
      );
    }
    return this.#instance;
  }
}
