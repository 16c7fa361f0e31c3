import type { Reach } from "./context.js";
import { LinkError } from "./errors.js";
import { isKind } from "./exported-globals.js";
import { accepts, describeGiven, describeType, isExportedFunction } from "./link-check.js";
import type { Memory } from "./memory.js";
import type { FunctionType, ModuleShape, ShapeImport, ShapeType, ValueType } from "./shape.js";
import { toEngine, type WasmValue } from "./values.js";

/** What a host function gets to work with. Its members may be taken apart: `({ memory }, pointer) => …`. */
export interface Context {
  /** The instance's first exported memory as `uint8` from its first byte. */
  readonly memory: Memory<"uint8">;
  /**
   * Calls an export of the instance that is calling. `await` it: in a background process it answers a promise, inline the
   * results themselves.
   */
  readonly callFunction: (name: string, params?: readonly unknown[]) => WasmValue[] | Promise<WasmValue[]>;
  /** Aborted when the call that led here times out or is stopped. */
  readonly signal: AbortSignal;
}

/**
 * A host function with its WebAssembly signature, as `fn` makes it. It links itself: an app that has none can do without what that takes.
 */
export interface HostFunction {
  /** Its parameter types. */
  readonly parameters: readonly ValueType[];
  /** Its result types. */
  readonly results: readonly ValueType[];
  /** @internal */
  readonly callback: (context: Context, ...params: never[]) => unknown;
  /** What it is for an import; in words what is wrong with it. @internal */
  link(entry: ShapeImport, label: string): Link | string;
}

/** By what it can do: a page may have two copies of this package. */
export function isHostFunction(value: unknown): value is HostFunction {
  return typeof value === "object" && typeof (value as HostFunction | null)?.link === "function";
}

/** What can stand for an import: `fn`, a plain function, or an object of the engine. */
export type ImportValue = HostFunction | ((...params: never[]) => unknown) | object | number | bigint;

/** What an instance imports, by namespace and name. */
export type Imports = Readonly<Record<string, Readonly<Record<string, ImportValue>> | object>>;

/** A host function for one import, ready to be called for the engine or for another thread. */
export interface HostTarget {
  /** `namespace::name`, for errors. */
  readonly label: string;
  /** `undefined` where the module's types are unknown: then the engine converts. */
  readonly type: FunctionType | undefined;
  readonly callback: (...params: never[]) => unknown;
  /** Whether the callback wants the context before its params. */
  readonly takesContext: boolean;
  /** Makes that of an instance. */
  readonly contextOf?: ((reach: Reach) => Context) | undefined;
}

/** What was found for one import of a module: a host function, or a value that the engine takes or refuses. */
export type Link =
  | { readonly entry: ShapeImport; readonly host: HostTarget }
  | { readonly entry: ShapeImport; readonly value: unknown; readonly wasi: boolean };

/**
 * The member of that name, own or inherited, but for what every object inherits: a module may import `constructor`.
 */
export function member(object: unknown, name: string): unknown {
  if ((typeof object !== "object" && typeof object !== "function") || object === null) return undefined;
  const value: unknown = Reflect.get(object, name);
  const isInherited = value === Reflect.get(Object.prototype, name) || name === "__proto__";
  return isInherited && !Object.hasOwn(object, name) ? undefined : value;
}

function missing({ module, name, type }: ShapeImport, hasWasi: boolean): string {
  const hint = !hasWasi && module.startsWith("wasi_") ? "; is `wasi` set?" : "";
  return `unknown import: \`${module}::${name}\` has not been defined, expected ${describeType(type)}${hint}`;
}

export function incompatible({ module, name, type }: ShapeImport, given: string): string {
  return `incompatible import type for \`${module}::${name}\`: expected ${describeType(type)}, given ${given}`;
}

/** Whether the engine would cut the number to the size of the global without a word. */
function isCut(type: ShapeType, value: unknown): boolean {
  if (type.kind !== "global" || (typeof value !== "number" && typeof value !== "bigint")) return false;
  try {
    toEngine(value, type.value, 0);
    return false;
  } catch {
    return true;
  }
}

/** Whether a value is for one import; in words what is wrong with it. What is the engine's to judge is left to it. */
function linkOne(entry: ShapeImport, value: unknown, wasi: boolean): Link | string {
  const { module, name, type } = entry;
  if (isCut(type, value)) return incompatible(entry, describeGiven(value, type));
  const isFunction = isKind(type, "function");
  const label = `${module}::${name}`;
  if (isHostFunction(value)) return value.link(entry, label);
  // WASI's own functions and exports of other instances need no conversion: the engine calls them directly.
  if (!isFunction || wasi || typeof value !== "function" || isExportedFunction(value))
    return { entry, value, wasi };
  const known = type.kind === "function" ? type : undefined;
  const callback = value as HostTarget["callback"];
  return { entry, host: { label, type: known, callback, takesContext: false } };
}

/**
 * Finds what each import of a module is to be.
 *
 * @param imports what the user gives
 * @param wasi WASI's functions by namespace; those of the user win
 * @throws LinkError that lists everything missing or incompatible
 */
export function linkImports(
  shape: ModuleShape,
  imports: Imports | undefined,
  wasi: object | undefined,
): Link[] {
  const problems: string[] = [];
  const links: Link[] = [];
  for (const entry of shape.importEntries) {
    const [given, ours] = [imports, wasi].map((all) => member(member(all, entry.module), entry.name));
    const value = given === undefined ? ours : given;
    const link =
      value === undefined ? missing(entry, wasi !== undefined) : linkOne(entry, value, given === undefined);
    if (typeof link === "string") problems.push(link);
    else links.push(link);
  }
  if (problems.length > 0) throw new LinkError([...problems, ...mismatches(shape, links)].join("\n"));
  return links;
}

/** What the engine would refuse. */
function mismatches({ importEntries, probe }: ModuleShape, links: readonly Link[]): string[] {
  return links.flatMap((link) => {
    if ("host" in link || link.wasi) return [];
    const { entry, value } = link;
    const fits = accepts(probe?.(importEntries.indexOf(entry)), value);
    return fits ? [] : incompatible(entry, describeGiven(value, entry.type));
  });
}

/** The error for what the engine refused to link, in the module's own words where they can be found. */
export function linkFailure(shape: ModuleShape, links: readonly Link[], cause: Error): LinkError {
  return new LinkError(mismatches(shape, links).join("\n") || cause.message, { cause });
}

/** The object that the engine takes the imports from. */
export function importObject(
  links: readonly Link[],
  wrap: (host: HostTarget) => unknown,
  wrapAny: (value: unknown) => unknown = (value) => value,
): WebAssembly.Imports {
  const values = links.map((link) => wrapAny("host" in link ? wrap(link.host) : link.value));
  // A name may be imported twice, as two types: the engine reads a property once for each import, in order.
  let read = 0;
  const namespace = new Proxy({}, { get: () => values[read++] });
  return new Proxy({}, { get: () => namespace });
}
