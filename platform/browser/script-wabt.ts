type WabtFactory = typeof import("wabt");

/** The script tag's own element: known only while the script runs, and not at all where the file serves a thread. */
const ownScript = (globalThis.document?.currentScript ?? undefined) as HTMLScriptElement | undefined;

function factory(): WabtFactory | undefined {
  return (globalThis as { WabtModule?: WabtFactory }).WabtModule;
}

function loadScript(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = url;
    // A page that is cross-origin isolated needs the same leave for this file as for the one that asks for it.
    element.crossOrigin = ownScript?.crossOrigin ?? null;
    element.nonce = ownScript?.nonce ?? "";
    element.onload = () => resolve();
    element.onerror = () => reject(new Error(`the WebAssembly text parser could not be loaded from ${url}`));
    document.head.append(element);
  });
}

/** Loads the WebAssembly text parser from the file beside this one; answers what the `wabt` package's function resolves to. */
export async function loadWabt(): Promise<unknown> {
  if (factory() === undefined) {
    const url = new URL("wabt.js", ownScript?.src || location.href).href;
    if (typeof document === "undefined") {
      // A worker of the page's own that took the file by importScripts.
      (globalThis as unknown as { importScripts(url: string): void }).importScripts(url);
    } else {
      await loadScript(url);
    }
  }
  return (factory() as WabtFactory)();
}
