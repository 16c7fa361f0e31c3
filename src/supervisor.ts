import { checkSignal, deferred, disown } from "./deferred.js";
import { type ExitReason, stoppedError } from "./engine.js";
import { StoppedError, WasmexError } from "./errors.js";
import { Module } from "./module.js";
import { platform } from "./platform.js";
import type { Process } from "./process.js";
import { type StartOptions, start } from "./start.js";
import { describeThrown, describeValue } from "./values.js";

/** A child of a supervisor: how to start it, and under which name. */
export interface ChildSpec extends StartOptions {
  /** By which `supervisor.child` finds it; one of its own for each child. */
  readonly id: string;
}

/** How often children may be started afresh. */
export interface SupervisorOptions {
  /** Restarts of all children together; default 3. */
  readonly maxRestarts?: number | undefined;
  /** Within this many seconds; default 5. */
  readonly maxSeconds?: number | undefined;
}

/** Describes a child for `Supervisor.start`. */
export function childSpec(spec: ChildSpec): ChildSpec {
  if (typeof spec.id !== "string" || spec.id === "")
    throw new WasmexError("childSpec: pass an `id`, a name of the child's own");
  return spec;
}

interface Child {
  readonly id: string;
  /** What each start of it is given: the module is compiled once, since a response can be read once. */
  readonly options: StartOptions;
  /** Aborted by the user's own signal, or when the supervisor ends. */
  readonly signal: AbortSignal;
  process: Process;
  /** Settled when it has been started afresh, or given up. */
  restarting?: Promise<void>;
}

/**
 * Keeps processes running (`one_for_one`): a child that crashes, times out or is stopped by a fault is started afresh, the others
 * go on. A child that `stop()` has ended stays so.
 *
 * ```ts
 * const supervisor = await Wasmex.Supervisor.start([Wasmex.childSpec({ id: "worker", module })]);
 * await supervisor.child("worker").callFunction("work");
 * ```
 */
export class Supervisor {
  /** Settles when the supervisor has stopped: with the error that says why it gave up, `undefined` after `stop()`. Never rejects. */
  get stopped(): Promise<WasmexError | undefined> {
    return this.#stopped.promise;
  }
  readonly #stopped = deferred<WasmexError | undefined>();
  readonly #children = new Map<string, Child>();
  readonly #maxRestarts: number;
  readonly #maxSeconds: number;
  /** When children were started afresh, of late. */
  #restarts: number[] = [];
  #failure: WasmexError | undefined;
  readonly #over = new AbortController();
  #ending: Promise<void> | undefined;
  /** Children that are being started afresh. */
  readonly #starting = new Set<Promise<void>>();

  private constructor({ maxRestarts = 3, maxSeconds = 5 }: SupervisorOptions) {
    for (const [key, value] of Object.entries({ maxRestarts, maxSeconds })) {
      if (typeof value !== "number" || !(value >= 0)) {
        throw new WasmexError(`Supervisor: ${key} is a number from 0 on, not ${describeValue(value)}`);
      }
    }
    this.#maxRestarts = maxRestarts;
    this.#maxSeconds = maxSeconds;
  }

  /** Has frameworks that wrap plain objects in proxies (Vue, Alpine) leave it as it is: through one its private fields can't be reached. @internal */
  get [Symbol.toStringTag](): string {
    return "Supervisor";
  }

  /**
   * Starts the children in their order.
   *
   * @throws (rejects) what the start of a child rejects with; those before it are stopped
   */
  static async start(specs: readonly ChildSpec[], options: SupervisorOptions = {}): Promise<Supervisor> {
    if (!Array.isArray(specs)) {
      throw new WasmexError(
        `Supervisor.start: pass an array of childSpec({ id, ... }), not ${describeValue(specs)}`,
      );
    }
    for (const spec of specs) disown(spec);
    const supervisor = new Supervisor(options);
    try {
      for (const spec of specs) {
        const { id } = childSpec(spec);
        if (supervisor.#children.has(id))
          throw new WasmexError(`Supervisor: two children have the id \`${id}\``);
        await supervisor.#add(spec);
      }
    } catch (error) {
      await supervisor.stop();
      throw error;
    }
    return supervisor;
  }

  /**
   * The process of the moment; another one after a restart.
   *
   * @throws StoppedError where the supervisor has given up, with why; WasmexError for an unknown id
   */
  child(id: string): Process {
    return this.#find(id).process;
  }

  /**
   * The process of the moment, as soon as there is one that runs: `child` answers one that has ended until it has been started afresh.
   *
   * @throws (rejects) as `child`; StoppedError where the child was stopped and stays so
   */
  async ready(id: string): Promise<Process> {
    for (;;) {
      const child = this.#find(id);
      const { process } = child;
      if (!process.ended) return process;
      const reason = await process.exited;
      await child.restarting;
      if (this.#find(id).process === process) throw stoppedError(reason);
    }
  }

  #find(id: string): Child {
    if (this.#failure !== undefined) throw new StoppedError(this.#failure.message, { cause: this.#failure });
    const child = this.#children.get(id);
    if (child === undefined) throw new WasmexError(`Supervisor: there is no child \`${id}\``);
    return child;
  }

  /** Ends all children. Resolves when their threads are gone. */
  stop(): Promise<void> {
    return this.#end(undefined);
  }

  /** `stop()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #add({ id, ...given }: ChildSpec): Promise<void> {
    const { module, bytes, thread, signal: own } = given;
    checkSignal(own);
    const over = this.#over.signal;
    const signal = own === undefined ? over : AbortSignal.any([own, over]);
    const source = module ?? bytes;
    const compiled = source && (await Module.compile(source, { thread, signal }));
    const options = { name: id, ...given, module: compiled, signal };
    const child = { id, options, signal, process: await start(options) };
    this.#children.set(id, child);
    this.#watch(child);
  }

  #watch(child: Child): void {
    void child.process.exited.then((reason) => {
      if (child.signal.aborted || reason.kind === "stopped") return;
      const restarting = this.#restart(child, reason);
      child.restarting = restarting;
      this.#starting.add(restarting);
      void restarting.then(() => this.#starting.delete(restarting));
    });
  }

  async #restart(child: Child, { kind, error }: Exclude<ExitReason, { kind: "stopped" }>): Promise<void> {
    let cause = error;
    // Who aborts a call has changed their mind, unless it was for the time it took: that is nothing the child has done.
    let counts = kind !== "aborted" || (error instanceof Error && error.name === "TimeoutError");
    while (!child.signal.aborted) {
      const now = platform().monotonicNow();
      this.#restarts = this.#restarts.filter((at) => at > now - this.#maxSeconds * 1000);
      if (counts && this.#restarts.length >= this.#maxRestarts) {
        const failure = new WasmexError(
          `the supervisor gave up: child \`${child.id}\` failed again after ${this.#maxRestarts} restarts within ${this.#maxSeconds} seconds, the last time because: ${describeThrown(cause)}`,
          { cause },
        );
        void this.#end(failure);
        return;
      }
      if (counts) this.#restarts.push(now);
      counts = true;
      try {
        child.process = await start(child.options);
        return this.#watch(child);
      } catch (failed) {
        // A start that fails counts as one more end of the child.
        cause = failed;
      }
    }
  }

  async #end(failure: WasmexError | undefined): Promise<void> {
    this.#ending ??= (async () => {
      this.#failure = failure;
      this.#over.abort(failure);
      await Promise.all(Array.from(this.#children.values(), (child) => child.process.stop()));
      await Promise.all(this.#starting);
      this.#stopped.resolve(failure);
    })();
    await this.#ending;
  }
}
