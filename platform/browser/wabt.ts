type WabtFactory = typeof import("wabt");

/**
 * Loads the WebAssembly text parser; answers what the `wabt` package's function resolves to. The build points the import at
 * the shipped `wabt.js`, which no bundler needs help with; being a file for script tags too, it sets a global.
 */
export async function loadWabt(): Promise<unknown> {
  const module = (await import("wabt")) as { default?: unknown };
  const factory =
    typeof module.default === "function"
      ? module.default
      : (globalThis as { WabtModule?: WabtFactory }).WabtModule;
  return (factory as WabtFactory)();
}
