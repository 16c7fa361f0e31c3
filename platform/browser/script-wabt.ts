type WabtFactory = typeof import("wabt");

const script = typeof document === "undefined" ? undefined : document.currentScript;
const ownScript = script instanceof HTMLScriptElement ? script : undefined;
/** Read while the script runs: the element is known only then. */
const fileUrl = new URL("wabt.js", ownScript?.src || globalThis.location?.href).href;

function factory(): WabtFactory | undefined {
  return (globalThis as { WabtModule?: WabtFactory }).WabtModule;
}

function loadScript(): Promise<void> {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = fileUrl;
    // A page that is cross-origin isolated needs the same leave for this file as for the one that asks for it.
    element.crossOrigin = ownScript?.crossOrigin ?? null;
    element.nonce = ownScript?.nonce ?? "";
    element.onload = () => resolve();
    element.onerror = () =>
      reject(new Error(`the WebAssembly text parser could not be loaded from ${fileUrl}`));
    document.head.append(element);
  });
}

/** Loads the WebAssembly text parser from the file beside this one; answers what the `wabt` package's function resolves to. */
export async function loadWabt(): Promise<unknown> {
  if (factory() === undefined) {
    if (typeof document === "undefined") {
      (globalThis as unknown as { importScripts(url: string): void }).importScripts(fileUrl);
    } else {
      await loadScript();
    }
  }
  return (factory() as WabtFactory)();
}
