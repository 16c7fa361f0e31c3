import { contextOf } from "./context.js";
import { type Context, type HostFunction, incompatible, type Link } from "./imports.js";
import { describeType } from "./link-check.js";
import type { FunctionType, ShapeImport, ValueType } from "./shape.js";
import { describeValue, type JsResult, type JsTypes } from "./values.js";

/** How the types are written that a function can have. */
const VALUE_TYPE = /^([if](32|64)|v128|[a-z0-9]+ref|\(ref .+\))$/;

class TypedFunction implements HostFunction {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly callback: HostFunction["callback"];

  constructor(
    parameters: readonly ValueType[],
    results: readonly ValueType[],
    callback: HostFunction["callback"],
  ) {
    this.parameters = parameters;
    this.results = results;
    this.callback = callback;
  }

  link(entry: ShapeImport, label: string): Link | string {
    const { callback } = this;
    const type: FunctionType = {
      kind: "function",
      parameters: [...this.parameters],
      results: [...this.results],
    };
    const given = describeType(type);
    const isKnown = entry.type.kind !== "untyped";
    if (isKnown && describeType(entry.type) !== given) return incompatible(entry, given);
    return { entry, host: { label, type, callback, takesContext: true, contextOf } };
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
  return new TypedFunction([...parameters], [...results], callback as HostFunction["callback"]);
}
