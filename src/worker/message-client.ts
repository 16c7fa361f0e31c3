import type { ExitReason, Pending } from "../engine.js";
import { UnsupportedError } from "../errors.js";
import { platform, type Thread, type ThreadSupport } from "../platform.js";
import type { WasmValue } from "../values.js";
import { decode, postValues } from "./codec.js";
import { WorkerEngine, type WorkerParts } from "./host.js";
import { engineValues } from "./plans.js";
import type { CallMessage, InputMessage, WorkerMessage } from "./protocol.js";

/** For what a background guest can't have without shared memory. */
export function needsSharedMemory(
  what: string,
  { reason }: ThreadSupport = platform().threadSupport(),
): UnsupportedError {
  return new UnsupportedError(
    `${what} memory that is shared with the guest's thread, and ${reason}; or start it with thread: "inline"`,
  );
}

/** The host's end where no memory can be shared: calls and their results travel as messages. */
export class MessageEngine extends WorkerEngine {
  protected readonly calls: Pending[] = [];

  constructor(thread: Thread, parts: WorkerParts) {
    super(thread, parts);
    this.keepAlive(true);
  }

  protected started(): void {
    if (this.calls.length > 0) return;
    this.keepAlive(false);
    this.idle();
  }

  protected send(pending: Pending): void {
    const { plan, params, deadline } = pending;
    const values = engineValues(plan, params);
    const bytes = this.parts.streams?.moreInput();
    if (bytes !== undefined) this.post({ kind: "input", bytes } satisfies InputMessage);
    postValues(values, () => this.post({ kind: "call", index: plan.index, values } satisfies CallMessage));
    this.calls.push(pending);
    this.keepAlive(true);
    this.deadlines.add(deadline);
    this.deadlines.arm();
  }

  protected override receive(message: WorkerMessage): void {
    if (message.kind !== "result" && message.kind !== "error") {
      super.receive(message);
      return;
    }
    const pending = this.calls.shift();
    this.started();
    if (message.kind === "result") pending?.resolve(message.values as WasmValue[]);
    else pending?.reject(this.guestError(decode(message.bytes)));
  }

  override memory(): never {
    throw needsSharedMemory("Process.memory needs");
  }

  protected override close(reason: ExitReason): Promise<void> {
    this.calls.length = 0;
    return super.close(reason);
  }
}
