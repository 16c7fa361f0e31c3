import { LinkError } from "./errors.js";
import { accepts, describeGiven, describeType, isExportedFunction } from "./link-check.js";
import type { Memory } from "./memory.js";
import type { FunctionType, GlobalType, ShapeImport, ValueType } from "./shape.js";
import { describeValue, type JsResult, type JsTypes, toEngine, type WasmValue } from "./values.js";

/** How the types are written that a function can have. */
const VALUE_TYPE = /^([if](32|64)|v128|[a-z0-9]+ref|\(ref .+\))$/;

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

/** A host function with its WebAssembly signature, as {@link fn} makes it. */
export class HostFunction {
  /** Its parameter types. */
  readonly parameters: readonly ValueType[];
  /** Its result types. */
  readonly results: readonly ValueType[];
  /** @internal */
  readonly callback: (context: Context, ...params: never[]) => unknown;

  /** @internal */
  constructor(
    parameters: readonly ValueType[],
    results: readonly ValueType[],
    callback: (context: Context, ...params: never[]) => unknown,
  ) {
    if (!Array.isArray(parameters) || !Array.isArray(results) || typeof callback !== "function") {
      throw new TypeError("fn takes a list of parameter types, a list of result types and a function");
    }
    for (const type of [...parameters, ...results]) {
      if (!VALUE_TYPE.test(String(type))) {
        throw new TypeError(
          `fn: ${describeValue(type)} is no value type: use i32, i64, f32, f64, externref or funcref`,
        );
      }
    }
    this.parameters = parameters;
    this.results = results;
    this.callback = callback;
  }
}

/**
 * A host function for `imports`, checked against the module's own signature when an instance is made.
 *
 * @param parameters its parameter types; the callback gets numbers, and `bigint` for `"i64"`
 * @param results its result types: one is returned bare, several as an array, none as nothing
 * @param callback called with the {@link Context} and the params; may be async where the guest can wait for it
 *
 * ```ts
 * const imports = { env: { add: Wasmex.fn(["i32", "i64"], ["i64"], (_context, a, b) => BigInt(a) + b) } };
 * ```
 */
export function fn<
  const P extends readonly ValueType[],
  const R extends readonly ValueType[],
  // A parameter of its own, so that an array which the callback returns is taken for a tuple.
  const Result extends JsResult<R> | Promise<JsResult<R>>,
>(parameters: P, results: R, callback: (context: Context, ...params: JsTypes<P>) => Result): HostFunction {
  return new HostFunction(parameters, results, callback as HostFunction["callback"]);
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
}

/** What was found for one import of a module: a host function, or a value that the engine takes as it is. */
export type Link =
  | { readonly module: string; readonly name: string; readonly host: HostTarget }
  | { readonly module: string; readonly name: string; readonly value: unknown; readonly wasi: boolean };

/**
 * The member of that name, own or inherited, but for what every object inherits: a module may import `constructor`.
 */
export function member(object: unknown, name: string): unknown {
  if ((typeof object !== "object" && typeof object !== "function") || object === null) return undefined;
  for (let holder: object = object; ; ) {
    if (Object.hasOwn(holder, name)) return Reflect.get(object, name);
    const next: object | null = Object.getPrototypeOf(holder);
    if (next === null || Object.getPrototypeOf(next) === null) return undefined;
    holder = next;
  }
}

/** Whether a number is one of the global's type: the engine would cut it to size without a word. */
function isValueOf({ value: type }: GlobalType, value: unknown): boolean {
  try {
    toEngine(value, type, 0);
    return true;
  } catch {
    return false;
  }
}

function sameTypes(left: readonly ValueType[], right: readonly ValueType[]): boolean {
  return left.length === right.length && left.every((type, index) => type === right[index]);
}

function missing(entry: ShapeImport): string {
  const hint = entry.module.startsWith("wasi_") ? "; is `wasi` set?" : "";
  return `unknown import: \`${entry.module}::${entry.name}\` has not been defined, expected ${describeType(entry.type)}${hint}`;
}

function incompatible(entry: ShapeImport, given: string): string {
  return `incompatible import type for \`${entry.module}::${entry.name}\`: expected ${describeType(entry.type)}, given ${given}`;
}

function linkOne(entry: ShapeImport, value: unknown, wasi: boolean): Link | string {
  const { module, name, type } = entry;
  const isFunction = type.kind === "function" || (type.kind === "untyped" && type.of === "function");
  if (!isFunction) {
    // Objects of the engine are compared by the engine, see `linkFailure`.
    const isObject = typeof value === "object" && value !== null && !(value instanceof HostFunction);
    const isConstant = type.kind === "global" && (typeof value === "number" || typeof value === "bigint");
    if (isConstant && !isValueOf(type, value)) return incompatible(entry, describeGiven(value, type));
    if (isObject || isConstant || (type.kind === "global" && !type.mutable && typeof value !== "undefined")) {
      return { module, name, value, wasi };
    }
    return incompatible(entry, describeGiven(value, type));
  }
  const known = type.kind === "function" ? type : undefined;
  const label = `${module}::${name}`;
  if (value instanceof HostFunction) {
    const given: FunctionType = {
      kind: "function",
      parameters: [...value.parameters],
      results: [...value.results],
    };
    if (
      known !== undefined &&
      !(sameTypes(known.parameters, given.parameters) && sameTypes(known.results, given.results))
    ) {
      return incompatible(entry, describeType(given));
    }
    return {
      module,
      name,
      host: { label, type: known ?? given, callback: value.callback, takesContext: true },
    };
  }
  if (typeof value !== "function") return incompatible(entry, describeGiven(value, type));
  // WASI's own functions and exports of other instances need no conversion: the engine calls them directly.
  if (wasi || isExportedFunction(value)) return { module, name, value, wasi };
  return {
    module,
    name,
    host: { label, type: known, callback: value as HostTarget["callback"], takesContext: false },
  };
}

/**
 * Finds what each import of a module is to be.
 *
 * @param entries the module's imports
 * @param imports what the user gives
 * @param wasi WASI's functions by namespace; those of the user win
 * @throws LinkError that lists everything missing or incompatible
 */
export function linkImports(
  entries: readonly ShapeImport[],
  imports: Imports | undefined,
  wasi: object | undefined,
): Link[] {
  const problems: string[] = [];
  const links: Link[] = [];
  const engines: [ShapeImport, unknown][] = [];
  for (const entry of entries) {
    const given = member(member(imports, entry.module), entry.name);
    const value = given === undefined ? member(member(wasi, entry.module), entry.name) : given;
    if (value === undefined) {
      problems.push(missing(entry));
      continue;
    }
    const link = linkOne(entry, value, given === undefined);
    if (typeof link === "string") {
      problems.push(link);
    } else {
      links.push(link);
      if ("value" in link && !link.wasi) engines.push([entry, value]);
    }
  }
  if (problems.length > 0) throw linkError([...problems, ...mismatches(engines)]);
  return links;
}

function linkError(problems: readonly string[], cause?: unknown): LinkError {
  return new LinkError(problems.join("\n"), cause === undefined ? undefined : { cause });
}

function mismatches(engines: readonly (readonly [ShapeImport, unknown])[]): string[] {
  return engines
    .filter(([entry, value]) => accepts(entry.type, value) === false)
    .map(([entry, value]) => incompatible(entry, describeGiven(value, entry.type)));
}

/** The error for what the engine refused to link, in the module's own words where they can be found. */
export function linkFailure(
  entries: readonly ShapeImport[],
  links: readonly Link[],
  cause: Error,
): LinkError {
  const engines = links.flatMap((link, index) => {
    const entry = entries[index];
    return "value" in link && !link.wasi && entry !== undefined ? [[entry, link.value] as const] : [];
  });
  const found = mismatches(engines);
  return linkError(found.length > 0 ? found : [cause.message], cause);
}

/** The object that the engine takes the imports from. */
export function importObject(
  links: readonly Link[],
  wrap: (host: HostTarget) => unknown,
): WebAssembly.Imports {
  const object: Record<string, Record<string, unknown>> = Object.create(null);
  for (const link of links) {
    const { module, name } = link;
    object[module] ??= Object.create(null) as Record<string, unknown>;
    const value = "host" in link ? wrap(link.host) : link.value;
    const namespace = object[module];
    if (!Object.hasOwn(namespace, name)) {
      namespace[name] = value;
      continue;
    }
    // Imported twice, maybe as two types: the engine reads the property once for each import, in order.
    const before = Object.getOwnPropertyDescriptor(namespace, name) as PropertyDescriptor;
    let read = 0;
    const queue: unknown[] = (before.get as { queue?: unknown[] } | undefined)?.queue ?? [before.value];
    queue.push(value);
    const get = Object.assign(() => queue[read++ % queue.length], { queue });
    Object.defineProperty(namespace, name, { get, configurable: true, enumerable: true });
  }
  return object as WebAssembly.Imports;
}
