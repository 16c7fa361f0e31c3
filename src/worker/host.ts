import { deferred } from "../deferred.js";
import { type Engine, type ExitReason, stoppedError } from "../engine.js";
import { TimeoutError, UnsupportedError } from "../errors.js";
import type { Context } from "../imports.js";
import { Memory } from "../memory.js";
import { forgetThread, markDying } from "../pipe-owners.js";
import { platform, type Thread } from "../platform.js";
import type { ModuleShape } from "../shape.js";
import { toGuestError } from "../traps.js";
import type { WasmValue } from "../values.js";
import type { Caller, Pending } from "./caller.js";
import { Client } from "./client.js";
import type { ClientHost } from "./client-parts.js";
import { decode } from "./codec.js";
import { Deadlines } from "./deadlines.js";
import type { HostFunctions } from "./host-functions.js";
import { MessageClient, needsSharedMemory } from "./message-client.js";
import type { ExportPlans, FunctionPlan } from "./plans.js";
import type { Channel, StartMessage, WorkerMessage } from "./protocol.js";
import * as records from "./records.js";
import type { HostStreams } from "./streams.js";

/** What a process on another thread is made of. */
export interface WorkerParts {
  readonly id: number;
  readonly shape: ModuleShape;
  readonly plans: ExportPlans;
  /** `undefined` where no memory can be shared: calls travel as messages. */
  readonly channel: Channel | undefined;
  readonly functions: HostFunctions;
  readonly streams: HostStreams | undefined;
  /** What to do when the thread is about to be ended, and once it is gone. */
  readonly retire: () => void;
  readonly recover: () => void;
}

/** A process whose instance lives on a thread of its own. */
export class WorkerEngine implements Engine, ClientHost {
  readonly thread = "worker";
  readonly #exited = deferred<ExitReason>();
  readonly #started = deferred<void>();
  readonly #thread: Thread;
  readonly #parts: WorkerParts;
  readonly #caller: Caller;
  /** The same where memory is shared. */
  readonly #client: Client | undefined;
  readonly #messages: MessageClient | undefined;
  readonly #deadlines: Deadlines;
  readonly #context: Context;
  #memories: ReadonlyMap<string, WebAssembly.Memory> = new Map();
  #reason: ExitReason | undefined;
  #controller: AbortController | undefined;
  readonly #aborts = new Map<Pending, () => void>();
  readonly now: () => number;

  constructor(thread: Thread, parts: WorkerParts) {
    this.now = platform().monotonicNow;
    this.#thread = thread;
    this.#parts = parts;
    this.#deadlines = new Deadlines(this.now, () => this.#due());
    const { channel } = parts;
    if (channel === undefined) {
      this.#messages = new MessageClient((message) => thread.postMessage(message), this, this.#deadlines);
      this.#caller = this.#messages;
    } else {
      this.#client = new Client(channel, this, this.#deadlines);
      this.#caller = this.#client;
    }
    this.#context = this.#makeContext();
    // Nobody waits for it once the process is there.
    this.#started.promise.catch(() => undefined);
    thread.onMessage = (message) => this.#receive(message as WorkerMessage);
    thread.onDeath = (error) => this.#end({ kind: "crashed", error });
  }

  get exited(): Promise<ExitReason> {
    return this.#exited.promise;
  }

  /** Has the thread make its instance. */
  async start(message: StartMessage): Promise<void> {
    try {
      this.#thread.postMessage(message);
    } catch (error) {
      this.#end({ kind: "crashed", error: error as Error });
    }
    await this.#started.promise;
  }

  call(
    plan: FunctionPlan,
    params: readonly unknown[],
    timeout: number,
    signal: AbortSignal | undefined,
  ): Promise<WasmValue[]> {
    return new Promise((resolve, reject) => {
      if (this.#reason !== undefined) {
        reject(stoppedError(this.#reason));
        return;
      }
      const began = this.now();
      const pending = { plan, resolve, reject, began, deadline: began + timeout };
      try {
        if (signal !== undefined && !this.#follow(pending, signal)) return;
        this.#caller.call(plan, params, pending);
      } catch (error) {
        this.#aborts.get(pending)?.();
        reject(error);
      }
    });
  }

  memory(name: string): WebAssembly.Memory {
    const memory = this.#memories.get(name);
    if (this.#messages !== undefined) {
      throw needsSharedMemory("Process.memory needs", platform().threadSupport());
    }
    if (memory === undefined) {
      throw new UnsupportedError(
        `the memory \`${name}\` cannot be shared with a thread (64-bit memories can't yet): start the module with thread: "inline"`,
      );
    }
    return memory;
  }

  async stop(): Promise<void> {
    this.#end({ kind: "stopped" });
    await this.exited;
  }

  // What the client asks of its host:

  drain(): void {
    this.#parts.streams?.drain();
  }

  serve(kind: number, index: number, at: number): void {
    const client = this.#client as Client;
    if (kind === records.HOST_CALL) {
      this.#parts.functions.serve(client, this.#context, index, at);
      return;
    }
    client.release();
    if (kind === records.WANT_INPUT) this.#parts.streams?.follow();
  }

  hostError(id: number): unknown {
    return this.#parts.functions.error(id);
  }

  guestError(error: unknown): unknown {
    return toGuestError(error, this.#parts.shape);
  }

  keepAlive(keeps: boolean): void {
    this.#thread.setKeepsAlive(keeps);
  }

  replied(): void {
    this.#controller = undefined;
  }

  settled(): void {
    this.#controller = undefined;
    this.#parts.functions.forgetErrors();
    this.#parts.streams?.unfollow();
  }

  #receive(message: WorkerMessage): void {
    switch (message.kind) {
      case "ready":
        this.#memories = message.memories;
        this.#caller.started();
        this.#started.resolve();
        break;
      case "failed": {
        const { hostError, bytes } = message;
        const error = bytes === undefined ? this.hostError(hostError) : this.guestError(decode(bytes));
        this.#end({ kind: "crashed", error: error as Error });
        break;
      }
      case "bell":
        this.#client?.wake();
        break;
      case "result":
      case "error":
        this.#messages?.receive(message);
        break;
      case "output":
        this.#parts.streams?.take(message.stream, message.bytes);
        break;
    }
  }

  /** Ends the process when the signal is aborted while the call is under way; `false` where it has been already. */
  #follow(pending: Pending, signal: AbortSignal): boolean {
    if (signal.aborted) {
      pending.reject(signal.reason);
      return false;
    }
    const abort = (): void => {
      forget();
      pending.reject(signal.reason);
      this.#end({ kind: "aborted", error: signal.reason });
    };
    const forget = (): void => {
      signal.removeEventListener("abort", abort);
      this.#aborts.delete(pending);
    };
    signal.addEventListener("abort", abort);
    this.#aborts.set(pending, forget);
    const { resolve, reject } = pending;
    Object.assign(pending, {
      resolve: (values: WasmValue[]) => {
        forget();
        resolve(values);
      },
      reject: (error: unknown) => {
        forget();
        reject(error);
      },
    });
    return true;
  }

  #due(): void {
    const now = this.now();
    let first: Pending | undefined;
    for (const pending of this.#caller.calls) {
      if (first === undefined || pending.deadline < first.deadline) first = pending;
    }
    if (first === undefined || first.deadline > now) {
      this.#deadlines.continueAt(first?.deadline ?? Number.POSITIVE_INFINITY);
      return;
    }
    const timeout = Math.round(first.deadline - first.began);
    const error = new TimeoutError(
      `the call of \`${first.plan.name}\` took longer than ${timeout} ms: the guest was stopped`,
    );
    this.#end({ kind: "timeout", error }, now);
  }

  #end(reason: ExitReason, now = Number.NEGATIVE_INFINITY): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    const error = reason.kind === "stopped" ? stoppedError(reason) : reason.error;
    const { id, streams, retire } = this.#parts;
    markDying(id);
    retire();
    this.#deadlines.stop();
    this.#controller?.abort(error);
    streams?.drain();
    this.#caller.end((pending) => {
      if (reason.kind === "crashed") pending.reject(reason.error);
      else if (reason.kind === "timeout" && pending.deadline <= now)
        pending.reject(timeoutOf(pending, reason.error));
      else pending.reject(stoppedError(reason));
    });
    this.#started.reject(reason.kind === "stopped" ? stoppedError(reason) : reason.error);
    void this.#terminate(reason);
  }

  async #terminate(reason: ExitReason): Promise<void> {
    // Until the thread is gone `stop` and `exited` are waited for: the event loop may not run empty before.
    this.#thread.setKeepsAlive(true);
    try {
      await this.#thread.terminate();
    } finally {
      const { id, streams, recover } = this.#parts;
      streams?.recover(id);
      recover();
      forgetThread(id);
      this.#exited.resolve(reason);
    }
  }

  #makeContext(): Context {
    const engine = this;
    let memory: Memory<"uint8"> | undefined;
    return {
      get memory() {
        memory ??= new Memory(engine.memory(engine.#firstMemory()), "uint8", 0);
        return memory;
      },
      callFunction: (name, params = []) => engine.#nested(name, params),
      get signal() {
        engine.#controller ??= new AbortController();
        if (engine.#reason !== undefined) engine.#controller.abort(stoppedError(engine.#reason));
        return engine.#controller.signal;
      },
    };
  }

  #firstMemory(): string {
    for (const [name, type] of this.#parts.shape.exports) if (type.kind === "memory") return name;
    return "memory";
  }

  #nested(name: string, params: readonly unknown[]): Promise<WasmValue[]> {
    return new Promise((resolve, reject) => {
      if (this.#reason !== undefined) throw stoppedError(this.#reason);
      const plan = this.#parts.plans.for(name, params);
      const pending = { plan, resolve, reject, began: this.now(), deadline: Number.POSITIVE_INFINITY };
      // A host function that calls when it has answered already stands in line like anybody else.
      if (this.#parts.functions.guestWaits) this.#client?.nested(plan, params, pending);
      else this.#caller.call(plan, params, pending);
    });
  }
}

function timeoutOf(pending: Pending, first: Error): Error {
  const timeout = Math.round(pending.deadline - pending.began);
  const message = `the call of \`${pending.plan.name}\` took longer than ${timeout} ms: the guest was stopped`;
  return message === first.message ? first : new TimeoutError(message);
}
