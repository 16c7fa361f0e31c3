import { WasmexError } from "../../src/errors.js";
import { loadPart, type SpawnThread, type Thread } from "../../src/platform.js";
import { codeUrl, isFile } from "./code-url.js";
import { trusted } from "./trusted.js";

/** Addresses of the worker's code, with WASI and without. */
const blobUrls = new Map<boolean, string>();

/**
 * The code is loaded when the first thread starts: an app that starts none has no use for it. Reading it takes a thread longer than
 * anything else, so that a guest without WASI gets less than half of it.
 */
async function ownUrl(wasi: boolean): Promise<string> {
  const workerSource = wasi
    ? await loadPart(async () => (await import("wasmex:worker-source")).workerSource)
    : await loadPart(async () => (await import("wasmex:worker-source-plain")).workerSource);
  const url = codeUrl(workerSource);
  blobUrls.set(wasi, url);
  return url;
}

/** For how long a page waits for the first word of a script that it named itself, in milliseconds. */
const PATIENCE = 30_000;

function loadError(url: string | URL | undefined, cause?: object): WasmexError {
  const way = url === undefined ? ": a Content-Security-Policy needs worker-src blob:, or" : ` from ${url}:`;
  return new WasmexError(
    `the thread's script could not be loaded${way} workerUrl has to be the address of dist/worker.js on this origin`,
    cause && { cause },
  );
}

export const spawnThread: SpawnThread = async ({ url, name, wasi }) => {
  // Where it is known the thread comes up before anything else is done.
  const address = url ?? blobUrls.get(wasi) ?? (await ownUrl(wasi));
  let worker: Worker;
  try {
    // A file of a bundler's may be a module; our own text is none and starts sooner as what it is.
    worker = new Worker(trusted(address), {
      type: url === undefined ? "classic" : "module",
      name: name ?? "",
    });
  } catch (error) {
    throw loadError(url, error as Error);
  }
  // A script that isn't ours may load and say nothing.
  const timer = isFile(String(url ?? "data:")) ? setTimeout(() => died(loadError(url)), PATIENCE) : undefined;
  const silence = (): void => {
    clearTimeout(timer);
    worker.onmessage = worker.onmessageerror = worker.onerror = null;
  };
  const thread: Thread = {
    onMessage: undefined,
    onDeath: undefined,
    postMessage: (message) => worker.postMessage(message),
    async terminate() {
      silence();
      worker.terminate();
      // No page is told when that has come to pass.
      return false;
    },
    setKeepsAlive() {
      // A page lives as long as its visitor lets it.
    },
  };
  const died = (reason: WasmexError): void => {
    silence();
    // It may die before there is an engine that would be told: that one hears it from its first message.
    thread.postMessage = () => {
      throw reason;
    };
    thread.onDeath?.(reason);
  };
  let loaded = false;
  worker.onmessage = ({ data }) => {
    loaded = true;
    clearTimeout(timer);
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
