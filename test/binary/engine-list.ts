/** Whether the engine would compile it. Firefox throws "out of memory" for some modules that are cut in a constant of GC. */
export function engineAccepts(bytes: Uint8Array<ArrayBuffer>): boolean {
  try {
    return WebAssembly.validate(bytes);
  } catch {
    return false;
  }
}

/**
 * The names and kinds of a module's exports and imports as the engine lists them; `undefined` where it compiles the module but
 * can't list it, as WebKit with the types of GC.
 */
export function engineList(bytes: Uint8Array<ArrayBuffer>) {
  const module = new WebAssembly.Module(bytes);
  try {
    return {
      exports: WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]),
      imports: WebAssembly.Module.imports(module).map(({ module, name, kind }) => [module, name, kind]),
    };
  } catch (error) {
    if (error instanceof TypeError && /descriptors/.test(error.message)) return undefined;
    throw error;
  }
}
