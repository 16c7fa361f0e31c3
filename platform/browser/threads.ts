import { WasmexError } from "../../src/errors.js";
import type { Thread } from "../../src/platform.js";

let blobUrl: string | undefined;

/**
 * One for the page's life: revoking it while a worker loads from it fails in some engines. The code is loaded when the first
 * thread starts: an app that starts none has no use for it.
 */
async function ownUrl(): Promise<string> {
  const { workerSource } = await import("wasmex:worker-source");
  blobUrl ??= URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
  return blobUrl;
}

class WorkerThread implements Thread {
  onMessage: ((message: unknown) => void) | undefined;
  onDeath: ((reason: Error) => void) | undefined;
  readonly #worker: Worker;
  #lives = true;

  constructor(worker: Worker, url: string | URL | undefined) {
    this.#worker = worker;
    let loaded = false;
    worker.onmessage = (event) => {
      loaded = true;
      this.onMessage?.(event.data);
    };
    worker.onmessageerror = () => this.#died(new WasmexError("a message of the thread could not be read"));
    worker.onerror = (event) => {
      event.preventDefault?.();
      const text = event.message ?? "";
      if (loaded || text !== "")
        this.#died(new WasmexError(`the thread died: ${text || "no reason was given"}`));
      else this.#died(loadError(url));
    };
  }

  postMessage(message: unknown): void {
    this.#worker.postMessage(message);
  }

  terminate(): Promise<void> {
    this.#lives = false;
    this.#worker.terminate();
    this.#worker.onmessage = null;
    this.#worker.onerror = null;
    return Promise.resolve();
  }

  setKeepsAlive(): void {
    // A page lives as long as its visitor lets it.
  }

  #died(reason: Error): void {
    if (!this.#lives) return;
    this.#lives = false;
    this.onDeath?.(reason);
  }
}

function loadError(url: string | URL | undefined, cause?: unknown): WasmexError {
  const message =
    url === undefined
      ? "the thread's script could not be loaded: where a Content-Security-Policy forbids blob: workers, allow them (worker-src blob:) or give the address of dist/worker.js as workerUrl"
      : `the thread's script could not be loaded from ${String(url)}: workerUrl has to lead to wasmex's dist/worker.js on this page's own origin`;
  return new WasmexError(message, cause === undefined ? undefined : { cause });
}

export async function spawnThread(options: { url?: string | URL; name?: string }): Promise<Thread> {
  const { url, name } = options;
  const address = url ?? (await ownUrl());
  try {
    // A file of a bundler's may be a module; our own text is none and starts sooner as what it is.
    const type = url === undefined ? "classic" : "module";
    return new WorkerThread(new Worker(address, { type, ...(name === undefined ? {} : { name }) }), url);
  } catch (error) {
    throw loadError(url, error);
  }
}
