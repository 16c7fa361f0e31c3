import { WasmexError } from "../../src/errors.js";
import type { SpawnThread, Thread } from "../../src/platform.js";

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

function loadError(url: string | URL | undefined, cause?: unknown): WasmexError {
  const message =
    url === undefined
      ? "the thread's script could not be loaded: where a Content-Security-Policy forbids blob: workers, allow them (worker-src blob:) or give the address of dist/worker.js as workerUrl"
      : `the thread's script could not be loaded from ${String(url)}: workerUrl has to lead to wasmex's dist/worker.js on this page's own origin`;
  return new WasmexError(message, cause === undefined ? undefined : { cause });
}

export const spawnThread: SpawnThread = async ({ url, name }) => {
  const address = url ?? (await ownUrl());
  let worker: Worker;
  try {
    // A file of a bundler's may be a module; our own text is none and starts sooner as what it is.
    worker = new Worker(address, { type: url === undefined ? "classic" : "module", name: name ?? "" });
  } catch (error) {
    throw loadError(url, error);
  }
  const silence = (): void => {
    worker.onmessage = worker.onmessageerror = worker.onerror = null;
  };
  const thread: Thread = {
    onMessage: undefined,
    onDeath: undefined,
    postMessage: (message) => worker.postMessage(message),
    async terminate() {
      silence();
      worker.terminate();
    },
    setKeepsAlive() {
      // A page lives as long as its visitor lets it.
    },
  };
  const died = (reason: WasmexError): void => {
    silence();
    thread.onDeath?.(reason);
  };
  let loaded = false;
  worker.onmessage = ({ data }) => {
    loaded = true;
    thread.onMessage?.(data);
  };
  worker.onmessageerror = () => died(new WasmexError("a message of the thread could not be read"));
  worker.onerror = (event) => {
    event.preventDefault?.();
    const text = event.message ?? "";
    died(
      loaded || text !== ""
        ? new WasmexError(`the thread died: ${text || "no reason was given"}`)
        : loadError(url),
    );
  };
  return thread;
};
