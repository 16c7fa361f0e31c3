import { trusted } from "./trusted.js";

type WabtFactory = typeof import("wabt");

/** The script tag's own element: known only while the script runs, and not at all where the file serves a thread. */
const ownScript = globalThis.document?.currentScript as HTMLScriptElement | null | undefined;

/** Resolves when it has come or not. */
function loadScript(url: URL): Promise<unknown> {
  return new Promise((resolve) => {
    const element = document.createElement("script");
    element.src = trusted(url);
    // A page that is cross-origin isolated needs the same leave for this file as for the one that asks for it.
    element.crossOrigin = ownScript?.crossOrigin ?? null;
    element.nonce = ownScript?.nonce ?? "";
    element.onload = element.onerror = resolve;
    document.head.append(element);
  });
}

/** Loads the WebAssembly text parser from the file beside this one; answers what the `wabt` package's function resolves to. */
export async function loadWabt(): Promise<unknown> {
  const scope = globalThis as unknown as { WabtModule?: WabtFactory; importScripts(url: string): void };
  if (scope.WabtModule === undefined) {
    const url = new URL("wabt.js", ownScript?.src || location.href);
    // The first is for a worker of the page's own that took the file that way.
    if (typeof document === "undefined") scope.importScripts(trusted(url));
    else await loadScript(url);
    // What came may be another file: some hosts answer a page for what is not there.
    if (scope.WabtModule === undefined) {
      throw new Error(`put wabt.js beside wasmex.global.js: not found at ${url}`);
    }
  }
  return scope.WabtModule();
}
