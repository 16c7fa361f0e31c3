import { boundCall, type EngineFunction, type ListCall, listCall } from "./calls.js";
import type { Reach } from "./context.js";
import { CallError, ExitError, UnsupportedError, WasmexError } from "./errors.js";
import { firstMemory, type Globals, globalsOf, isKind, memoryName, notFound } from "./exported-globals.js";
import { isPromise, syncHostCall } from "./host-calls.js";
import { type HostTarget, type Imports, importObject, linkFailure, linkImports } from "./imports.js";
import { type ElementType, Memory } from "./memory.js";
import type { Module } from "./module.js";
import type { FunctionType, ModuleShape } from "./shape.js";
import { toCallError, toGuestError } from "./traps.js";
import { describeValue, type WasmValue } from "./values.js";
import type { WasiOptions } from "./wasi/options.js";
import { loadWasi, type WasiFactory, type WasiHost, wasiFactory } from "./wasi/provider.js";

/** What an instance is made with, beside its module. */
export interface InstanceOptions {
  /** What the module imports, by namespace and name. */
  readonly imports?: Imports | undefined;
  /** WASI preview 1: `true` for its defaults. */
  readonly wasi?: boolean | WasiOptions | undefined;
}

const NO_PARAMS: readonly unknown[] = Object.freeze([]);

/**
 * A module with its memory and imports, on this thread: every call is synchronous.
 *
 * ```ts
 * const instance = await Wasmex.Instance.create(module, { imports });
 * instance.callFunction("sum", [50, -8]); // [42]
 * ```
 */
export class Instance {
  readonly #exports: WebAssembly.Exports;
  readonly #shape: ModuleShape;
  readonly #calls = new Map<string, ListCall>();
  readonly #functions = new Map<string, EngineFunction>();
  /** The last function called by name: asking the map costs as much as the call itself. */
  #lastName: string | undefined;
  #lastCall: ListCall = () => [];
  #globals: Globals | undefined;

  /** @internal */
  constructor(engine: WebAssembly.Instance, shape: ModuleShape) {
    this.#exports = engine.exports;
    this.#shape = shape;
  }

  /**
   * Makes an instance. A reactor's `_initialize` is called; a command's `_start` is not.
   *
   * @throws LinkError (rejects) that lists every import that is missing or incompatible
   * @throws TrapError (rejects) where the start function or `_initialize` traps
   */
  static async create(module: Module, options: InstanceOptions = {}): Promise<Instance> {
    checkModule(module);
    if (options.wasi) await loadWasi();
    const instance = await createInstance(module.shape(await module.variant()), options);
    module.markInstantiated();
    return instance;
  }

  /**
   * The same at once. Browsers refuse it on their main thread for modules of several megabytes.
   *
   * @throws UnsupportedError where `wasi` is set and WASI has not been loaded
   */
  static createSync(module: Module, options: InstanceOptions = {}): Instance {
    checkModule(module);
    const instance = createInstanceSync(module.shape(), options);
    module.markInstantiated();
    return instance;
  }

  /**
   * Calls an exported function.
   *
   * @param params one value for each of its parameters
   * @returns its results: `[]` for none
   * @throws CallError where there is no such function, or a param is missing or outside its type
   * @throws TrapError, HostFunctionError, ExitError
   */
  callFunction(name: string, params: readonly unknown[] = NO_PARAMS): WasmValue[] {
    const call = name === this.#lastName ? this.#lastCall : this.#findCall(name);
    try {
      return call(params);
    } catch (error) {
      return this.#rescue(error, this.#functionType(name)[1], params);
    }
  }

  /**
   * An exported function for hot paths: its params are checked as `callFunction` checks them, its result is the engine's
   * own: bare, several as an array, none as `undefined`.
   *
   * @throws CallError where there is no such function
   */
  function(name: string): (...params: unknown[]) => WasmValue | WasmValue[] | undefined {
    let bound = this.#functions.get(name);
    if (bound === undefined) {
      const [target, type] = this.#functionType(name);
      bound = boundCall(target, type, (error, params) => void this.#rescue(error, type, params));
      this.#functions.set(name, bound);
    }
    return bound as (...params: unknown[]) => WasmValue | WasmValue[] | undefined;
  }

  /** Whether a function of that name is exported. */
  functionExists(name: string): boolean {
    return typeof this.#exports[name] === "function";
  }

  /**
   * A view of an exported memory.
   *
   * @param type of the elements
   * @param offset where the view begins, in elements
   * @param name of the export; the first exported memory if not given
   * @throws CallError where there is none
   */
  memory<T extends ElementType = "uint8">(type: T = "uint8" as T, offset = 0, name?: string): Memory<T> {
    return new Memory(this.#exports[memoryName(this.#shape, name)] as WebAssembly.Memory, type, offset);
  }

  /** The exported globals. */
  get globals(): Globals {
    this.#globals ??= globalsOf(this.#exports, this.#shape);
    return this.#globals;
  }

  /** The engine's own export object. */
  get exports(): WebAssembly.Exports {
    return this.#exports;
  }

  #functionType(name: string): [EngineFunction, FunctionType | undefined] {
    const target = this.#exports[name];
    if (typeof target !== "function") throw notFound("function", name);
    const type = this.#shape.exports.get(name);
    return [target as EngineFunction, type?.kind === "function" ? type : undefined];
  }

  #findCall(name: string): ListCall {
    let call = this.#calls.get(name);
    if (call === undefined) {
      call = listCall(...this.#functionType(name));
      this.#calls.set(name, call);
    }
    this.#lastName = name;
    this.#lastCall = call;
    return call;
  }

  #rescue(error: unknown, type: FunctionType | undefined, params: readonly unknown[]): WasmValue[] {
    if (isGoodEnd(error)) return [];
    if (!Array.isArray(params)) throw new CallError(`params: pass an array, not ${describeValue(params)}`);
    throw toCallError(error, this.#shape, type, params);
  }
}

function checkModule(module: unknown): void {
  if (typeof (module as Module | undefined)?.variant !== "function") {
    throw new WasmexError(`Instance: pass a Module, not ${describeValue(module)}; Module.compile makes one`);
  }
}

/**
 * The program ended itself, and well.
 * @internal
 */
export function isGoodEnd(error: unknown): boolean {
  return error instanceof ExitError && error.code === 0;
}

/** What another thread or a suspendable guest needs to be different. */
export interface InstanceHooks {
  /** Makes what the engine calls for a host function. */
  readonly wrapHost?: (host: HostTarget, reach: Reach) => unknown;
  /** The signal of the call that is running. */
  readonly signal?: () => AbortSignal;
  /** Gets the exports before anything else is called; may call a start function. */
  readonly begin?: (exports: WebAssembly.Exports) => void;
  /** Makes what the engine is given of an import, a host function that is wrapped already included. */
  readonly wrapAny?: (value: unknown) => unknown;
  /** Calls `_initialize`; where the guest may be suspended, with a promise. */
  readonly initialize?: (exported: EngineFunction) => unknown;
}

/** What `createInstance` takes: the options, and what a thread has made ready itself. */
export interface InstanceParts extends InstanceOptions {
  readonly hooks?: InstanceHooks | undefined;
  /** In place of the factory that is registered. */
  readonly wasiFactory?: WasiFactory | undefined;
  /** Handed to the factory. */
  readonly wasiInternals?: unknown;
}

interface Plan {
  readonly imports: WebAssembly.Imports;
  /** Throws what the caller is to see of a failed instantiation. */
  refuse(error: unknown): never;
  /** Binds what could not be bound before, and calls a reactor's `_initialize`: a promise where that has to wait. */
  complete(engine: WebAssembly.Instance): Instance | PromiseLike<Instance>;
}

function plan(shape: ModuleShape, parts: InstanceParts): Plan {
  const { signal, wrapHost = syncHostCall, begin, initialize, wrapAny } = parts.hooks ?? {};
  let wasi: WasiHost | undefined;
  if (parts.wasi) {
    const factory = parts.wasiFactory ?? wasiFactory();
    if (factory === undefined) {
      throw new UnsupportedError(
        "WASI has not been loaded: use `await Instance.create`, or import `Wasi` first",
      );
    }
    wasi = factory(parts.wasi === true ? {} : parts.wasi, parts.wasiInternals);
  }
  const links = linkImports(shape, parts.imports, wasi?.getImportObject());
  const reach: Reach = { signal };
  const imports = importObject(links, (host) => wrapHost(host, reach), wrapAny);
  // The start function may call WASI before there are exports.
  const link = links.find(({ entry }) => isKind(entry.type, "memory"));
  if (link !== undefined && "value" in link) wasi?.bind(link.value as WebAssembly.Memory);
  return {
    imports,
    refuse(error) {
      if (error instanceof WebAssembly.LinkError || error instanceof TypeError) {
        throw linkFailure(shape, links, error);
      }
      throw toGuestError(error, shape);
    },
    complete(engine) {
      const { exports } = engine;
      const instance = new Instance(engine, shape);
      const memory = isKind(shape.exports.get("memory"), "memory") ? "memory" : firstMemory(shape);
      if (memory !== undefined) wasi?.bind(exports[memory] as WebAssembly.Memory);
      try {
        begin?.(exports);
      } catch (error) {
        throw toGuestError(error, shape);
      }
      reach.instance = instance;
      const { _initialize, _start } = exports;
      if (typeof _initialize !== "function" || typeof _start === "function") return instance;
      const ended = (error: unknown): Instance => {
        if (isGoodEnd(error)) return instance;
        throw toGuestError(error, shape);
      };
      try {
        const exported = _initialize as EngineFunction;
        const result = initialize ? initialize(exported) : exported();
        return isPromise(result) ? result.then(() => instance, ended) : instance;
      } catch (error) {
        return ended(error);
      }
    },
  };
}

/**
 * Makes an instance of a shape, with the engine's own instantiation off the thread where it can.
 * @internal
 */
export async function createInstance(shape: ModuleShape, parts: InstanceParts = {}): Promise<Instance> {
  const { imports, refuse, complete } = plan(shape, parts);
  return complete(await WebAssembly.instantiate(shape.compiled, imports).catch(refuse));
}

/**
 * The same at once.
 * @internal
 */
export function createInstanceSync(shape: ModuleShape, parts: InstanceParts = {}): Instance {
  const { imports, refuse, complete } = plan(shape, parts);
  let engine: WebAssembly.Instance;
  try {
    engine = new WebAssembly.Instance(shape.compiled, imports);
  } catch (error) {
    return refuse(error);
  }
  // Nothing here waits.
  return complete(engine) as Instance;
}
