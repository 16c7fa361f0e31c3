import { boundCall, type EngineFunction, type ListCall, listCall } from "./calls.js";
import type { Reach } from "./context.js";
import { CallError, WasmexError } from "./errors.js";
import { type Globals, globalsOf, memoryName, notFound } from "./exported-globals.js";
import { syncHostCall } from "./host-calls.js";
import {
  type InstanceHooks,
  type InstanceOptions,
  type InstanceParts,
  instantiate,
  instantiateSync,
  isGoodEnd,
} from "./instantiate.js";
import { type ElementType, Memory } from "./memory.js";
import type { Module } from "./module.js";
import type { FunctionType, ModuleShape } from "./shape.js";
import { toCallError } from "./traps.js";
import { describeValue, type WasmValue } from "./values.js";
import { loadWasi } from "./wasi/provider.js";

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
  readonly #own: WeakSet<object>;

  /** @internal */
  constructor(engine: WebAssembly.Instance, shape: ModuleShape, { own }: Reach) {
    this.#exports = engine.exports;
    this.#shape = shape;
    this.#own = own;
  }

  /** Has frameworks that wrap plain objects in proxies (Vue, Alpine) leave it as it is: through one its private fields can't be reached. @internal */
  get [Symbol.toStringTag](): string {
    return "Instance";
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
    const shape = module.shape();
    const instance = instantiateSync(shape, withInstance(shape, options));
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
    const thrown = toCallError(error, this.#shape, type, params);
    this.#own.add(thrown);
    throw thrown;
  }
}

function checkModule(module: unknown): void {
  if (typeof (module as Module | undefined)?.variant !== "function") {
    throw new WasmexError(`Instance: pass a Module, not ${describeValue(module)}; Module.compile makes one`);
  }
}

/** What `Instance` is made with: the hooks but those that make it. */
export interface OwnParts extends Omit<InstanceParts<Instance>, "hooks"> {
  readonly hooks?: Omit<InstanceHooks<Instance>, "made">;
}

function withInstance(shape: ModuleShape, parts: OwnParts): InstanceParts<Instance> {
  const made = (engine: WebAssembly.Instance, reach: Reach): Instance => {
    reach.instance = new Instance(engine, shape, reach);
    return reach.instance;
  };
  return { ...parts, hooks: { wrapHost: syncHostCall, ...parts.hooks, made } };
}

/**
 * Makes an instance of a shape.
 * @internal
 */
export function createInstance(shape: ModuleShape, parts: OwnParts): Promise<Instance> {
  return instantiate(shape, withInstance(shape, parts));
}
