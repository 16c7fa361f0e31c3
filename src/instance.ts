import { boundCall, type EngineFunction, type ListCall, listCall } from "./calls.js";
import { InstanceContext, type InstanceHooks } from "./context.js";
import { CallError, UnsupportedError, WasmexError } from "./errors.js";
import { Globals, isKind, memoryName, notFound } from "./exported-globals.js";
import { syncHostCall } from "./host-calls.js";
import { type Imports, importObject, type Link, linkFailure, linkImports } from "./imports.js";
import { type ElementType, Memory } from "./memory.js";
import type { Module } from "./module.js";
import type { FunctionType, ModuleShape } from "./shape.js";
import { toCallError, toGuestError } from "./traps.js";
import { describeValue, type WasmValue } from "./values.js";
import { WasiExit } from "./wasi/exit.js";
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

let internals: {
  functionType(instance: Instance, name: string): [EngineFunction, FunctionType | undefined];
  rescue(
    instance: Instance,
    error: unknown,
    type: FunctionType | undefined,
    params: readonly unknown[],
  ): WasmValue[];
};

/**
 * An export and its type, `undefined` where the types of the module are unknown.
 * @throws CallError where there is no such function
 * @internal
 */
export function exportedFunction(
  instance: Instance,
  name: string,
): [EngineFunction, FunctionType | undefined] {
  return internals.functionType(instance, name);
}

/**
 * Throws what the caller is to see of an export's error; answers `[]` where the program ended well.
 * @internal
 */
export function rescueCall(
  instance: Instance,
  error: unknown,
  type: FunctionType | undefined,
  params: readonly unknown[],
): WasmValue[] {
  return internals.rescue(instance, error, type, params);
}

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

  static {
    internals = {
      functionType: (instance, name) => instance.#functionType(name),
      rescue: (instance, error, type, params) => instance.#rescue(error, type, params),
    };
  }

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
    const wasi = isWanted(options.wasi) ? await loadWasi() : undefined;
    const shape = module.shape(await module.variant());
    const instance = await createInstance(shape, { ...options, ...(wasi && { wasiFactory: wasi }) });
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
      bound = boundCall(target, type, (error, params) => this.#rescue(error, type, params));
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
    this.#globals ??= new Globals(this.#exports, this.#shape);
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
    if (error instanceof WasiExit && error.code === 0) return [];
    if (!Array.isArray(params)) throw new CallError(`params: pass an array, not ${describeValue(params)}`);
    throw toCallError(error, this.#shape, type, params);
  }
}

function checkModule(module: unknown): void {
  if (typeof (module as Module | undefined)?.variant !== "function") {
    throw new WasmexError(`Instance: pass a Module, not ${describeValue(module)}; Module.compile makes one`);
  }
}

function isWanted(wasi: InstanceOptions["wasi"]): wasi is true | WasiOptions {
  return wasi !== undefined && wasi !== false;
}

/** What `createInstance` takes: the options, and what a thread has made ready itself. */
export interface InstanceParts extends InstanceOptions {
  readonly hooks?: InstanceHooks | undefined;
  /** In place of the factory that is registered. */
  readonly wasiFactory?: WasiFactory | undefined;
  /** Handed to the factory. */
  readonly wasiInternals?: unknown;
  /** In place of `imports`: what the host has linked already. */
  readonly links?: readonly Link[] | undefined;
}

interface Plan {
  readonly links: readonly Link[];
  readonly imports: WebAssembly.Imports;
  readonly wasi: WasiHost | undefined;
  readonly context: InstanceContext;
  readonly hooks: InstanceHooks;
}

function plan(shape: ModuleShape, parts: InstanceParts): Plan {
  const hooks = parts.hooks ?? {};
  let wasi: WasiHost | undefined;
  if (isWanted(parts.wasi)) {
    const factory = parts.wasiFactory ?? wasiFactory();
    if (factory === undefined) {
      throw new UnsupportedError(
        "WASI has not been loaded: use `await Instance.create`, or import `Wasi` first",
      );
    }
    wasi = factory(parts.wasi === true ? {} : parts.wasi, parts.wasiInternals);
  }
  const links = parts.links ?? linkImports(shape.importEntries, parts.imports, wasi?.getImportObject());
  const context = new InstanceContext(hooks);
  const wrap = hooks.wrapHost ?? syncHostCall;
  const imports = importObject(links, (host) => wrap(host, context));
  if (wasi !== undefined) {
    // The start function may call WASI before there are exports.
    const index = shape.importEntries.findIndex((entry) => isKind(entry.type, "memory"));
    const link = links[index];
    if (link !== undefined && "value" in link) wasi.bind(link.value as WebAssembly.Memory);
  }
  return { links, imports, wasi, context, hooks };
}

/** Throws what the caller is to see of a failed instantiation. */
function refuse(error: unknown, shape: ModuleShape, { links }: Plan): never {
  if (error instanceof WebAssembly.LinkError || error instanceof TypeError) {
    throw linkFailure(shape.importEntries, links, error);
  }
  throw toGuestError(error, shape);
}

/** Binds what could not be bound before; answers the reactor's `_initialize`, if it is one. */
function complete(
  engine: WebAssembly.Instance,
  shape: ModuleShape,
  { wasi, context }: Plan,
): [Instance, EngineFunction | undefined] {
  const instance = new Instance(engine, shape);
  context.attach(instance);
  if (wasi !== undefined) {
    for (const [name, type] of shape.exports) {
      if (isKind(type, "memory")) {
        const { memory } = engine.exports;
        wasi.bind(
          (isKind(shape.exports.get("memory"), "memory")
            ? memory
            : engine.exports[name]) as WebAssembly.Memory,
        );
        break;
      }
    }
  }
  const { _initialize, _start } = engine.exports;
  const isReactor = typeof _initialize === "function" && typeof _start !== "function";
  return [instance, isReactor ? (_initialize as EngineFunction) : undefined];
}

function initialized(error: unknown, shape: ModuleShape): void {
  if (error instanceof WasiExit && error.code === 0) return;
  throw toGuestError(error, shape);
}

/**
 * Makes an instance of a shape, with the engine's own instantiation off the thread where it can.
 * @internal
 */
export async function createInstance(shape: ModuleShape, parts: InstanceParts = {}): Promise<Instance> {
  const planned = plan(shape, parts);
  let engine: WebAssembly.Instance;
  try {
    engine = await WebAssembly.instantiate(shape.compiled, planned.imports);
  } catch (error) {
    return refuse(error, shape, planned);
  }
  const [instance, initialize] = complete(engine, shape, planned);
  if (initialize !== undefined) {
    try {
      await (planned.hooks.initialize === undefined ? initialize() : planned.hooks.initialize(initialize));
    } catch (error) {
      initialized(error, shape);
    }
  }
  return instance;
}

/**
 * The same at once.
 * @internal
 */
export function createInstanceSync(shape: ModuleShape, parts: InstanceParts = {}): Instance {
  const planned = plan(shape, parts);
  let engine: WebAssembly.Instance;
  try {
    engine = new WebAssembly.Instance(shape.compiled, planned.imports);
  } catch (error) {
    return refuse(error, shape, planned);
  }
  const [instance, initialize] = complete(engine, shape, planned);
  if (initialize !== undefined) {
    try {
      initialize();
    } catch (error) {
      initialized(error, shape);
    }
  }
  return instance;
}
