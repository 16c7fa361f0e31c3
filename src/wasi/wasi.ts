import { ExitError, WasmexError } from "../errors.js";
import type { Backend } from "../vfs/contract.js";
import { Guest } from "./guest.js";
import { wasiFunctions } from "./imports.js";
import { checkOptions, type WasiOptions } from "./options.js";
import { openPreopens } from "./preopens.js";
import { registerWasi, type WasiHost } from "./provider.js";
import { Sources } from "./sources.js";
import { streamDescriptor } from "./stdio.js";

const NAMESPACE = "wasi_snapshot_preview1";
const UNSTABLE_NAMESPACE = "wasi_unstable";
/** As many descriptors as a guest may have open where no limit is set. */
const OPEN_FILES = 65_536;

/** What a thread or a process adds to the options. */
export interface WasiInternals {
  readonly limits?: { readonly openFiles?: number };
  /** The milliseconds after which a function that waits has to answer. */
  readonly left?: (() => number) | undefined;
  /** Gets the errors that the guest exits with. */
  readonly own?: WeakSet<object>;
}

/**
 * WASI preview 1 by itself, for glue code that instantiates modules on its own. One object serves one instance, or several commands one
 * after the other.
 *
 * ```ts
 * const wasi = new Wasi({ args: ["--version"], stdout: new Pipe() });
 * const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
 * const exitCode = wasi.start(instance);
 * ```
 */
export class Wasi implements WasiHost {
  /** The functions of `wasi_snapshot_preview1` by name. */
  readonly wasiImport: WebAssembly.ModuleImports;
  readonly #guest: Guest;
  #unstable: WebAssembly.ModuleImports | undefined;
  /** That of the instance which `initialize` got, or `start` runs. */
  #memory: WebAssembly.Memory | undefined;
  /** File systems that were opened for the preopens alone. */
  readonly #owned: readonly Backend[];

  /**
   * @param internals not for users
   * @throws WasmexError for an option that can't be used; it names the key
   */
  constructor(options: WasiOptions = {}, internals?: WasiInternals) {
    const checked = checkOptions(options);
    const guest = new Guest(
      checked.args,
      checked.env,
      new Sources(checked.clock, checked.random),
      internals?.limits?.openFiles ?? OPEN_FILES,
      internals?.left,
      internals?.own,
    );
    const preopens = openPreopens(checked);
    const standard = checked.stdio.map((endpoint, fd) => streamDescriptor(endpoint, fd as 0 | 1 | 2));
    const open = [...standard, ...preopens];
    for (const descriptor of open) {
      if (guest.table.add(descriptor) < 0) {
        for (const preopen of preopens) preopen.close();
        throw new WasmexError(`limits.openFiles: ${open.length} descriptors are open from the start`);
      }
    }
    this.#guest = guest;
    this.#owned = checked.fs === undefined ? preopens.flatMap(({ backend }) => backend ?? []) : [];
    this.wasiImport = wasiFunctions(guest, false);
  }

  /** What to instantiate a module with; given the module, only the namespaces that it imports. */
  getImportObject(
    module?: WebAssembly.Module | { readonly compiled: WebAssembly.Module },
  ): WebAssembly.Imports {
    const compiled = module !== undefined && "compiled" in module ? module.compiled : module;
    const imported = compiled === undefined ? undefined : WebAssembly.Module.imports(compiled);
    const object: WebAssembly.Imports = {};
    if (imported?.every((entry) => entry.module !== NAMESPACE) !== true) object[NAMESPACE] = this.wasiImport;
    if (imported?.every((entry) => entry.module !== UNSTABLE_NAMESPACE) !== true) {
      // Few modules still want it: it is made for those that look.
      const get = (): WebAssembly.ModuleImports => {
        this.#unstable ??= wasiFunctions(this.#guest, true);
        return this.#unstable;
      };
      Object.defineProperty(object, UNSTABLE_NAMESPACE, { get, enumerable: true, configurable: true });
    }
    return object;
  }

  /**
   * Runs a command: calls `_start` and answers the exit code, 0 where it returns. What else the guest throws is thrown on.
   * Throws `WasmexError` where the instance is no command.
   */
  start(instance: WebAssembly.Instance): number {
    const start = instance.exports._start;
    if (typeof start !== "function") {
      throw new WasmexError(
        "the instance exports no _start function: it is no command; use initialize(instance)",
      );
    }
    const served = this.#memory;
    this.#bindTo(instance);
    try {
      start();
    } catch (error) {
      if (error instanceof ExitError) return error.code;
      throw error;
    } finally {
      // A command that is over makes room for another.
      this.#memory = served;
    }
    return 0;
  }

  /** Readies a reactor: calls `_initialize` where there is one. Exports can be called afterwards. */
  initialize(instance: WebAssembly.Instance): void {
    const initialize = instance.exports._initialize;
    if (initialize !== undefined && typeof initialize !== "function") {
      throw new WasmexError("the instance's _initialize is no function: it is no reactor");
    }
    this.#bindTo(instance);
    initialize?.();
  }

  /**
   * Tells which memory the guest's pointers are for: where the instance doesn't export it as `memory`, or calls WASI before `start` or
   * `initialize`. Its `buffer` is read at the first such call.
   */
  bind(memory: WebAssembly.Memory): void {
    this.#guest.bind(memory);
  }

  /** Closes all descriptors: host directories are held open until then. */
  close(): void {
    this.#guest.table.closeAll();
    for (const backend of this.#owned) backend.dispose?.();
  }

  #bindTo(instance: WebAssembly.Instance): void {
    const { memory } = instance.exports;
    if (memory instanceof WebAssembly.Memory) {
      this.#memory ??= memory;
      if (this.#memory !== memory) {
        throw new WasmexError("this Wasi serves another instance already: make a new one for each instance");
      }
      this.#guest.bind(memory);
    } else if (!this.#guest.bound) {
      throw new WasmexError(
        "the instance exports no memory called `memory`: call bind(memory) before with the one it uses",
      );
    }
  }
}

registerWasi((options, internals) => new Wasi(options, internals as WasiInternals | undefined));
