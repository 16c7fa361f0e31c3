import { UnsupportedError } from "../errors.js";
import type { ThreadSupport } from "../platform.js";
import { toEngine, type WasmValue } from "../values.js";
import type { Caller, CallerHost, Pending } from "./caller.js";
import { decode } from "./codec.js";
import type { Deadlines } from "./deadlines.js";
import type { FunctionPlan } from "./plans.js";
import type { CallMessage, WorkerMessage } from "./protocol.js";

/** For what a background guest can't have without shared memory. */
export function needsSharedMemory(what: string, { reason }: ThreadSupport): UnsupportedError {
  return new UnsupportedError(
    `${what} memory that is shared with the guest's thread, and ${reason}; or start it with thread: "inline"`,
  );
}

/** The host's end where no memory can be shared: calls and their results travel as messages. */
export class MessageClient implements Caller {
  readonly #post: (message: CallMessage) => void;
  readonly #host: CallerHost;
  readonly #deadlines: Deadlines;
  #pending: Pending[] = [];

  constructor(post: (message: CallMessage) => void, host: CallerHost, deadlines: Deadlines) {
    this.#post = post;
    this.#host = host;
    this.#deadlines = deadlines;
    host.keepAlive(true);
  }

  started(): void {
    if (this.#pending.length === 0) this.#idle();
  }

  call(plan: FunctionPlan, params: readonly unknown[], pending: Pending): void {
    const { types } = plan.parameters;
    const values = params.map((value, index) => toEngine(value, types[index] ?? "externref", index + 1));
    this.#post({ kind: "call", index: plan.index, values });
    this.#pending.push(pending);
    if (this.#pending.length === 1) this.#host.keepAlive(true);
    this.#deadlines.add(pending.deadline);
    this.#deadlines.arm();
  }

  receive(message: WorkerMessage): void {
    if (message.kind !== "result" && message.kind !== "error") return;
    const pending = this.#pending.shift();
    if (this.#pending.length === 0) this.#idle();
    if (message.kind === "result") pending?.resolve(message.values as WasmValue[]);
    else pending?.reject(this.#host.guestError(decode(message.bytes)));
  }

  get calls(): Iterable<Pending> {
    return this.#pending;
  }

  end(settle: (pending: Pending) => void): void {
    for (const pending of this.#pending.splice(0)) settle(pending);
  }

  #idle(): void {
    this.#host.keepAlive(false);
    this.#deadlines.rest();
    this.#host.settled();
  }
}
