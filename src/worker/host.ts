import { notMade } from "../context.js";
import { deferred } from "../deferred.js";
import { Engine, type ExitReason, stoppedError } from "../engine.js";
import { UnsupportedError } from "../errors.js";
import { forgetThread, markDying, TERMINATION_GRACE } from "../pipe-owners.js";
import type { Thread } from "../platform.js";
import type { ModuleShape } from "../shape.js";
import { toGuestError } from "../traps.js";
import { decode } from "./codec.js";
import type { HostFunctions } from "./host-functions.js";
import type { ExportPlans } from "./plans.js";
import type { StartMessage, WorkerMessage } from "./protocol.js";
import type { HostStreams } from "./streams.js";

/** What a process on another thread is made of. */
export interface WorkerParts {
  readonly id: number;
  readonly shape: ModuleShape;
  readonly plans: ExportPlans;
  readonly functions: HostFunctions;
  readonly streams: HostStreams | undefined;
  /** Keeps the thread out of the file system; what it is in the middle of has so many milliseconds, none once it is gone. */
  readonly retire: (grace: number) => void;
  /** What to do when the thread asks for nothing more. */
  readonly release: () => void;
}

/** A process whose instance lives on a thread of its own. */
export abstract class WorkerEngine extends Engine {
  readonly thread = "worker";
  protected readonly overdue = "the guest was stopped";
  protected readonly parts: WorkerParts;
  readonly #thread: Thread;
  readonly #started = deferred<void>();
  #memories: ReadonlyMap<string, WebAssembly.Memory> | undefined;
  readonly #made = deferred<void>();
  #ready = false;

  constructor(thread: Thread, parts: WorkerParts) {
    super(false);
    this.#thread = thread;
    this.parts = parts;
    // Nobody waits for it once the process is there.
    this.#started.promise.catch(() => undefined);
    thread.onMessage = (message) => this.receive(message as WorkerMessage);
    thread.onDeath = (error) => this.end({ kind: "crashed", error });
  }

  /** The thread is ready for calls. */
  protected abstract started(): void;

  /** Has the thread make its instance. */
  async start(message: StartMessage): Promise<void> {
    try {
      this.post(message);
    } catch (error) {
      this.end({ kind: "crashed", error: error as Error });
    }
    await this.#started.promise;
  }

  memory(name: string): WebAssembly.Memory {
    const memory = this.reached.get(name);
    if (memory === undefined) {
      throw new UnsupportedError(
        `the memory \`${name}\` cannot be shared with a thread (one of 64 bits can't be, nor one of a WebAssembly.Module, whose bytes are unknown: give these): start the module with thread: "inline"`,
      );
    }
    return memory;
  }

  /** Settled when the instance is made: from then on its exports can be reached. */
  protected get made(): Promise<void> {
    return this.#made.promise;
  }

  /** @throws CallError as long as the instance isn't made */
  protected get reached(): ReadonlyMap<string, WebAssembly.Memory> {
    if (this.#memories === undefined) throw notMade();
    return this.#memories;
  }

  protected post(message: unknown): void {
    this.#thread.postMessage(message);
  }

  /** A call has begun to wait in earnest: the thread has to keep the event loop alive; or none waits any more. */
  protected keepAlive(keeps: boolean): void {
    this.#thread.setKeepsAlive(keeps);
  }

  /** No call is under way any more. */
  protected idle(): void {
    this.deadlines.rest();
    this.answered();
    this.parts.functions.forgetErrors();
    this.parts.streams?.unfollow();
  }

  /** The error of this package for what the thread sent as its guest's. */
  protected guestError(error: unknown): unknown {
    return toGuestError(error, this.parts.shape);
  }

  /** Hands on what the guest has written. Where that fails, so does the call that is running. */
  protected drain(): void {
    this.fail(this.parts.streams?.drain());
  }

  /** What takes the guest's output has failed, if so: calls are served in order, so that it is the oldest one's. */
  protected fail(error: unknown): void {
    if (error === undefined) return;
    this.parts.functions.outputFailure = error;
    const [oldest] = this.calls;
    oldest?.reject(error);
    if (!this.#ready) this.end({ kind: "crashed", error: error as Error });
  }

  override end(reason: ExitReason): void {
    if (this.reason === undefined) this.drain();
    super.end(reason);
  }

  protected receive(message: WorkerMessage): void {
    if (message.kind === "made") {
      this.#memories = message.memories;
      this.#made.resolve();
    } else if (message.kind === "ready") {
      // What its start has written.
      this.drain();
      if (this.reason !== undefined) return;
      this.#ready = true;
      this.started();
      this.#started.resolve();
    } else if (message.kind === "failed") {
      const { hostError, bytes } = message;
      const error =
        bytes === undefined ? this.parts.functions.error(hostError) : this.guestError(decode(bytes));
      this.end({ kind: "crashed", error: error as Error });
    } else if (message.kind === "output") {
      this.fail(this.parts.streams?.take(message.stream, message.bytes));
    }
  }

  protected async close(reason: ExitReason): Promise<void> {
    const { id, streams, retire, release } = this.parts;
    markDying(id);
    retire(TERMINATION_GRACE);
    streams?.wake();
    this.#started.reject(reason.kind === "stopped" ? stoppedError(reason) : reason.error);
    // Until the thread is gone `stop` and `exited` are waited for: the event loop may not run empty before.
    this.keepAlive(true);
    const takeBack = (): void => {
      streams?.recover(id);
      retire(0);
      forgetThread(id);
    };
    // A thread that the scheduler holds in the middle of a change would write the rest of it over what others have done meanwhile.
    if (await this.#thread.terminate()) takeBack();
    else setTimeout(takeBack, TERMINATION_GRACE);
    streams?.end();
    release();
  }
}
