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

/** The exported functions; both threads number them alike, in the module's order. What one of them needs is made when it is called. */
export class ExportPlans {
  readonly #names: string[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #plans: (FunctionPlan | undefined)[] = [];
  readonly #exports: ReadonlyMap<string, ShapeType>;

  constructor(exports: ReadonlyMap<string, ShapeType>) {
    this.#exports = exports;
    for (const [name, type] of exports) {
      if (type.kind === "function" || (type.kind === "untyped" && type.of === "function")) {
        this.#indexes.set(name, this.#names.push(name) - 1);
      }
    }
  }

  has(name: string): boolean {
    return this.#indexes.has(name);
  }

  at(index: number): FunctionPlan {
    let plan = this.#plans[index];
    if (plan === undefined) {
      const name = this.#names[index] as string;
      const type = this.#exports.get(name);
      plan = functionPlan(name, index, type?.kind === "function" ? type : undefined);
      this.#plans[index] = plan;
    }
    return plan;
  }

  /**
   * The plan for a call of that name with these params.
   * @throws CallError where there is no such function or the number of params is wrong
   */
  for(name: string, params: readonly unknown[]): FunctionPlan {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new CallError(`exported function \`${name}\` not found`);
    const plan = this.at(index);
    const { type } = plan;
    if (type !== undefined && type.parameters.length !== params.length) {
      throw new CallError(
        `number of params does not match. expected ${type.parameters.length}, got ${params.length}`,
      );
    }
    return plan;
  }
}
