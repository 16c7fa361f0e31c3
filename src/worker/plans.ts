import { CallError } from "../errors.js";
import type { FunctionType, ShapeType, ValueType } from "../shape.js";
import { type Layout, layoutOf } from "./values.js";

/** How the values of a signature's one side travel. */
export interface SidePlan {
  readonly types: readonly ValueType[];
  readonly layout: Layout;
}

/** An exported or imported function as both threads see it. */
export interface FunctionPlan {
  readonly name: string;
  /** Place among the functions, the same on both threads. */
  readonly index: number;
  /** `undefined` where the module's bytes, and so its types, are unknown. */
  readonly type: FunctionType | undefined;
  readonly parameters: SidePlan;
  readonly results: SidePlan;
}

function side(types: readonly ValueType[] | undefined): SidePlan {
  return types === undefined ? { types: [], layout: undefined } : { types, layout: layoutOf(types) };
}

export function functionPlan(name: string, index: number, type: FunctionType | undefined): FunctionPlan {
  return { name, index, type, parameters: side(type?.parameters), results: side(type?.results) };
}

/** The exported functions by name; both threads number them alike, in the module's order. */
export function exportPlans(exports: ReadonlyMap<string, ShapeType>): Map<string, FunctionPlan> {
  const plans = new Map<string, FunctionPlan>();
  for (const [name, type] of exports) {
    if (type.kind === "function") plans.set(name, functionPlan(name, plans.size, type));
    else if (type.kind === "untyped" && type.of === "function") {
      plans.set(name, functionPlan(name, plans.size, undefined));
    }
  }
  return plans;
}

/**
 * The plan for a call of that name with these params.
 * @throws CallError where there is no such function or the number of params is wrong
 */
export function planFor(
  plans: ReadonlyMap<string, FunctionPlan>,
  name: string,
  params: readonly unknown[],
): FunctionPlan {
  const plan = plans.get(name);
  if (plan === undefined) throw new CallError(`exported function \`${name}\` not found`);
  const { type } = plan;
  if (type !== undefined && type.parameters.length !== params.length) {
    throw new CallError(
      `number of params does not match. expected ${type.parameters.length}, got ${params.length}`,
    );
  }
  return plan;
}
