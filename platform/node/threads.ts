import { availableParallelism } from "node:os";
import { SHARE_ENV, Worker, type WorkerOptions } from "node:worker_threads";
import { workerSource } from "wasmex:worker-source";
import { WasmexError } from "../../src/errors.js";
import type { SpawnThread, Thread, ThreadSupport } from "../../src/platform.js";

/**
 * How long a thread may take to end, in milliseconds. Bun 1.4 can't end one whose guest is in a loop without calls or checks
 * (github.com/oven-sh/bun/issues 36356): it is given up then, and ends at its next call.
 */
const PATIENCE = 1000;

export function threadSupport(): ThreadSupport {
  const isBun = "bun" in process.versions;
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  const threads = permission?.has("worker") !== false;
  return {
    threads,
    sharedMemory: true,
    reason: threads ? "" : "Node's permission model forbids threads: start node with --allow-worker",
    endsLoops: !isBun,
    fewAddresses: isBun,
    parallelism: availableParallelism(),
  };
}

/**
 * What a thread evaluates. Compiling the worker's code costs about as much as starting the bare thread; the engine can keep what it
 * compiled. So the first thread of a process sends that back, and later ones begin with it. It is kept right after the code has run:
 * later on, with more functions compiled, reading it takes longer than it saves. Where the runtime has no such thing the code is
 * run as it is.
 */
const BOOT = `
const { parentPort, workerData: { code, kept } } = require("node:worker_threads");
const wrapped = "(function(require){" + code + "\\n})";
let script;
try {
  script = new (require("node:vm").Script)(wrapped, { filename: "wasmex-worker.js", cachedData: kept });
} catch {}
(script === undefined ? (0, eval)(wrapped) : script.runInThisContext())(require);
if (script?.createCachedData && kept === undefined) {
  parentPort.postMessage({ kind: "kept", kept: script.createCachedData() });
}`;

let kept: Uint8Array | undefined;

function isKept(message: unknown): message is { kept: Uint8Array } {
  return (message as { kind?: unknown }).kind === "kept";
}

class WorkerThread implements Thread {
  onMessage: ((message: unknown) => void) | undefined;
  onDeath: ((reason: Error) => void) | undefined;
  readonly #worker: Worker;
  #ending = false;
  #death: Error | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (message: unknown) => {
      if (isKept(message)) kept = message.kept;
      else this.onMessage?.(message);
    });
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
    if (this.#death !== undefined) throw this.#death;
    this.#worker.postMessage(message);
  }

  async terminate(): Promise<boolean> {
    this.#ending = true;
    let timer: NodeJS.Timeout | undefined;
    const givenUp = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), PATIENCE);
    });
    const gone = await Promise.race([this.#worker.terminate().then(() => true), givenUp]);
    clearTimeout(timer);
    return gone;
  }

  setKeepsAlive(keeps: boolean): void {
    if (keeps) this.#worker.ref();
    else this.#worker.unref();
  }

  #died(reason: Error): void {
    if (this.#ending) return;
    this.#ending = true;
    // It may die before there is an engine that would be told: that one hears it from its first message.
    this.#death = reason;
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

export function spawnThread({ url, name }: Parameters<SpawnThread>[0]): Promise<Thread> {
  const settings: WorkerOptions = {
    // The host's own flags and variables are none of the guest's business, and cost time to pass on.
    argv: [],
    execArgv: [],
    env: SHARE_ENV,
    // What a terminated guest had open on a host directory is closed with its thread.
    trackUnmanagedFds: true,
    ...(name === undefined ? {} : { name }),
  };
  try {
    const worker =
      url === undefined
        ? new Worker(BOOT, { ...settings, eval: true, workerData: { code: workerSource, kept } })
        : new Worker(typeof url === "string" && /^[a-z]+:\/\//i.test(url) ? new URL(url) : url, settings);
    return Promise.resolve(new WorkerThread(worker));
  } catch (error) {
    return Promise.reject(
      new WasmexError(`no thread could be started: ${(error as Error).message}`, { cause: error }),
    );
  }
}
