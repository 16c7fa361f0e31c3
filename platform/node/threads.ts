import { availableParallelism } from "node:os";
import { SHARE_ENV, Worker, type WorkerOptions } from "node:worker_threads";
import { workerSource } from "wasmex:worker-source";
import { WasmexError } from "../../src/errors.js";
import type { Thread, ThreadSupport } from "../../src/platform.js";

export function threadSupport(): ThreadSupport {
  return { threads: true, sharedMemory: true, reason: "", parallelism: availableParallelism() };
}

class WorkerThread implements Thread {
  onMessage: ((message: unknown) => void) | undefined;
  onDeath: ((reason: Error) => void) | undefined;
  readonly #worker: Worker;
  #ending = false;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (message) => this.onMessage?.(message));
    worker.on("messageerror", (error) => this.#died(error));
    worker.on("error", (error) => this.#died(deathOf(error)));
    worker.on("exit", (code) => {
      this.#died(
        new WasmexError(
          `the thread ended by itself with exit code ${code}: something in it called process.exit`,
        ),
      );
    });
  }

  postMessage(message: unknown): void {
    this.#worker.postMessage(message);
  }

  async terminate(): Promise<void> {
    this.#ending = true;
    // What is being ended must not hold the process up when everything else is done.
    await this.#worker.terminate();
  }

  setKeepsAlive(keeps: boolean): void {
    if (keeps) this.#worker.ref();
    else this.#worker.unref();
  }

  #died(reason: Error): void {
    if (this.#ending) return;
    this.#ending = true;
    this.onDeath?.(reason);
  }
}

function deathOf(error: unknown): Error {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === "ERR_WORKER_OUT_OF_MEMORY") {
    return new WasmexError("the thread ran out of memory", { cause: error });
  }
  return new WasmexError(`the thread died: ${String(message ?? error)}`, { cause: error });
}

export function spawnThread(options: { url?: string | URL; name?: string }): Promise<Thread> {
  const { url, name } = options;
  const settings: WorkerOptions = {
    // The host's own flags and variables are none of the guest's business, and cost time to pass on.
    argv: [],
    execArgv: [],
    env: SHARE_ENV,
    trackUnmanagedFds: false,
    ...(name === undefined ? {} : { name }),
  };
  try {
    const worker =
      url === undefined
        ? new Worker(workerSource, { ...settings, eval: true })
        : new Worker(typeof url === "string" && /^[a-z]+:\/\//i.test(url) ? new URL(url) : url, settings);
    return Promise.resolve(new WorkerThread(worker));
  } catch (error) {
    return Promise.reject(
      new WasmexError(`no thread could be started: ${(error as Error).message}`, { cause: error }),
    );
  }
}
