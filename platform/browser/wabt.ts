type Wabt = typeof import("wabt");

/** The package where a bundler or an import map put it, else the file that is shipped beside this one. */
async function loadFactory(): Promise<Wabt> {
  try {
    return (await import("wabt")).default;
  } catch (error) {
    // Taken out of the expression so that bundlers leave the file alone: they have the package.
    const base = import.meta.url;
    await import(/* @vite-ignore */ /* webpackIgnore: true */ new URL("wabt.js", base).href).catch(() => {
      throw error;
    });
    return (globalThis as unknown as { WabtModule: Wabt }).WabtModule;
  }
}

/** Loads the WebAssembly text parser; answers what the `wabt` package's function resolves to. */
export async function loadWabt(): Promise<unknown> {
  const factory = await loadFactory();
  return factory();
}
