/**
 * How an instance comes by WASI without importing it: `wasi.ts` registers itself when it is evaluated, so that a bundle
 * which never mentions `Wasi` can leave it out.
 */
import { loading } from "../platform.js";
import type { WasiOptions } from "./options.js";

/** What an instance needs of its WASI. */
export interface WasiHost {
  /** The functions by their spec names; JavaScript functions that the engine calls as they are. */
  readonly wasiImport: WebAssembly.ModuleImports;
  /** The functions by namespace, for the module's own spelling of it. */
  getImportObject(module?: WebAssembly.Module): WebAssembly.Imports;
  /** Tells which linear memory the pointers of the guest are for; before the first call of a function. `null`: no other is to come. */
  bind(memory: WebAssembly.Memory | null): void;
  /** Gives back what it holds of the host. */
  close?(): void;
}

/** Makes the WASI of one instance. `internals` is for threads: what the host has prepared for them. */
export type WasiFactory = (options: WasiOptions, internals?: unknown) => WasiHost;

let registered: WasiFactory | undefined;

export function registerWasi(factory: WasiFactory): void {
  registered = factory;
}

/** The factory, if WASI has been loaded already. */
export function wasiFactory(): WasiFactory | undefined {
  return registered;
}

/** Loads WASI where it isn't yet. */
export async function loadWasi(): Promise<WasiFactory> {
  registered ??= await (await loading()).wasi();
  return registered;
}
