import { wrongCount } from "../calls.js";
import { CallError } from "../errors.js";
import { isKind, notFound } from "../exported-globals.js";
import type { FunctionType, ShapeType } from "../shape.js";
import { describeValue, toEngine } from "../values.js";
import { type Layout, layoutOf } from "./layout.js";

/** An exported or imported function as both threads see it. */
export interface FunctionPlan {
  readonly name: string;
  /** Place among the functions, the same on both threads. */
  readonly index: number;
  /** `undefined` where the module's bytes, and so its types, are unknown. */
  readonly type: FunctionType | undefined;
  readonly parameters: Layout;
  readonly results: Layout;
}

export function functionPlan(name: string, index: number, type: FunctionType | undefined): FunctionPlan {
  return { name, index, type, parameters: layoutOf(type?.parameters), results: layoutOf(type?.results) };
}

/** The params of a call as the engine takes them. Throws where they don't fit. */
export function engineValues({ type }: FunctionPlan, params: readonly unknown[]): unknown[] {
  const values: unknown[] = [];
  // Not by `map`, which leaves holes out.
  for (let index = 0; index < params.length; index++) {
    values.push(toEngine(params[index], type?.parameters[index] ?? "externref", index + 1));
  }
  return values;
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
      if (isKind(type, "function")) this.#indexes.set(name, this.#names.push(name) - 1);
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
    if (index === undefined) throw notFound("function", name);
    if (!Array.isArray(params)) throw new CallError(`params: pass an array, not ${describeValue(params)}`);
    const plan = this.at(index);
    const expected = plan.type?.parameters.length ?? params.length;
    if (expected !== params.length) throw wrongCount(expected, params.length);
    return plan;
  }
}
