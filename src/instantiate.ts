/** From a module's shape and what it imports to an instance of the engine's, on any thread. */

import type { EngineFunction } from "./calls.js";
import type { Reach } from "./context.js";
import { ExitError, UnsupportedError } from "./errors.js";
import { firstMemory, isKind } from "./exported-globals.js";
import { isPromise } from "./host-calls.js";
import { type HostTarget, type Imports, importObject, linkFailure, linkImports } from "./imports.js";
import type { ModuleShape } from "./shape.js";
import { toGuestError } from "./traps.js";
import type { WasiOptions } from "./wasi/options.js";
import { type WasiFactory, type WasiHost, wasiFactory } from "./wasi/provider.js";

/** What an instance is made with, beside its module. */
export interface InstanceOptions {
  /** What the module imports, by namespace and name. */
  readonly imports?: Imports | undefined;
  /** WASI preview 1: `true` for its defaults. */
  readonly wasi?: boolean | WasiOptions | undefined;
}

/** The program ended itself, and well. */
export function isGoodEnd(error: unknown): boolean {
  return error instanceof ExitError && error.code === 0;
}

/** What those who make an instance need to be different. `T` is what they make of the engine's. */
export interface InstanceHooks<T> {
  /** Makes what the engine calls for a host function. */
  readonly wrapHost: (host: HostTarget, reach: Reach) => unknown;
  /** Gets the engine's instance before its `_initialize` is called, and what its host functions reach. */
  readonly made: (engine: WebAssembly.Instance, reach: Reach) => T;
  /** The signal of the call that is running. */
  readonly signal?: () => AbortSignal;
  /** Gets the exports before anything else is called; may call a start function. */
  readonly begin?: (exports: WebAssembly.Exports) => void;
  /** Makes what the engine is given of an import, a host function that is wrapped already included. */
  readonly wrapAny?: (value: unknown) => unknown;
  /** Calls `_initialize`; where the guest may be suspended, with a promise. */
  readonly initialize?: (exported: EngineFunction) => unknown;
}

/** The options, and what a thread has made ready itself. */
export interface InstanceParts<T> extends InstanceOptions {
  readonly hooks: InstanceHooks<T>;
  /** In place of the factory that is registered. */
  readonly wasiFactory?: WasiFactory | undefined;
  /** Handed to the factory. */
  readonly wasiInternals?: unknown;
}

interface Plan<T> {
  readonly imports: WebAssembly.Imports;
  /** Throws what the caller is to see of a failed instantiation. */
  refuse(error: unknown): never;
  /** Binds what could not be bound before, and calls a reactor's `_initialize`: a promise where that has to wait. */
  complete(engine: WebAssembly.Instance): T | PromiseLike<T>;
}

function plan<T>(shape: ModuleShape, parts: InstanceParts<T>): Plan<T> {
  const { signal, wrapHost, begin, made, initialize, wrapAny } = parts.hooks;
  const own = new WeakSet();
  let wasi: WasiHost | undefined;
  if (parts.wasi) {
    const factory = parts.wasiFactory ?? wasiFactory();
    if (factory === undefined) {
      throw new UnsupportedError(
        "WASI has not been loaded: use `await Instance.create`, or import `Wasi` first",
      );
    }
    wasi = factory(parts.wasi === true ? {} : parts.wasi, { ...(parts.wasiInternals as object), own });
  }
  const links = linkImports(shape, parts.imports, wasi?.getImportObject());
  const reach: Reach = { signal, own };
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
      const memory = isKind(shape.exports.get("memory"), "memory") ? "memory" : firstMemory(shape);
      wasi?.bind(memory === undefined ? null : (exports[memory] as WebAssembly.Memory));
      try {
        begin?.(exports);
      } catch (error) {
        throw toGuestError(error, shape);
      }
      const instance = made(engine, reach);
      const { _initialize, _start } = exports;
      if (typeof _initialize !== "function" || typeof _start === "function") return instance;
      const ended = (error: unknown): T => {
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

/** Makes an instance of a shape, with the engine's own instantiation off the thread where it can. */
export async function instantiate<T>(shape: ModuleShape, parts: InstanceParts<T>): Promise<T> {
  const { imports, refuse, complete } = plan(shape, parts);
  return complete(await WebAssembly.instantiate(shape.compiled, imports).catch(refuse));
}

/** The same at once. */
export function instantiateSync<T>(shape: ModuleShape, parts: InstanceParts<T>): T {
  const { imports, refuse, complete } = plan(shape, parts);
  let engine: WebAssembly.Instance;
  try {
    engine = new WebAssembly.Instance(shape.compiled, imports);
  } catch (error) {
    return refuse(error);
  }
  // Nothing here waits.
  return complete(engine) as T;
}
