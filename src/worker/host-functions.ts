import { HostFunctionError, UnsupportedError } from "../errors.js";
import { isKind } from "../exported-globals.js";
import { callHost, hostError, isPromise } from "../host-calls.js";
import {
  type Context,
  type HostTarget,
  type Imports,
  incompatible,
  isHostFunction,
  member,
} from "../imports.js";
import { accepts, describeGiven, isExportedFunction } from "../link-check.js";
import type { FunctionType, ModuleShape, ShapeImport } from "../shape.js";
import { classOf } from "../source-bytes.js";
import { describeThrown, resultArray } from "../values.js";
import type { Layout } from "./layout.js";
import { type FunctionPlan, functionPlan } from "./plans.js";
import type { ImportPlan } from "./protocol.js";
import { OUTPUT_FAILED } from "./records.js";
import { NOTHING, unpack, type Values } from "./ring.js";

/** Errors kept for the guest's calls to end with: one that catches them never says so. */
const MOST_ERRORS = 1000;

interface Served {
  readonly host: HostTarget;
  readonly plan: FunctionPlan;
}

/** Without an error its number is 0. */
type Answer = (layout: Layout, values: readonly unknown[], errorId: number) => void;

/** The functions that a guest on another thread calls here: the user's imports, and what else only this thread has. */
export class HostFunctions {
  readonly plans: [namespace: string, name: string, plan: ImportPlan][] = [];
  readonly #served: Served[] = [];
  readonly #errors = new Map<number, unknown>();
  /** What a function that takes the guest's output failed with last. */
  outputFailure: unknown;
  #errorId = 0;
  /** The errors that calls of this very guest have ended with. */
  readonly own = new WeakSet<object>();
  #waiting = 0;

  /**
   * @throws UnsupportedError for an object of the engine's that can't be sent to another thread
   */
  constructor({ importEntries, probe }: ModuleShape, imports: Imports | undefined) {
    for (const entry of importEntries) {
      const value = member(member(imports, entry.module), entry.name);
      if (value === undefined) continue;
      const fits = (): boolean => accepts(probe?.(importEntries.indexOf(entry)), value);
      this.plans.push([entry.module, entry.name, this.#plan(entry, value, fits)]);
    }
  }

  /** Whether the guest calls anything here. */
  get any(): boolean {
    return this.#served.length > 0;
  }

  /** Whether the guest waits for a function: only then can it be called meanwhile. */
  get guestWaits(): boolean {
    return this.#waiting > 0;
  }

  /** Adds a function for the worker's own use; its values travel as bytes. Answers its place. */
  add(label: string, callback: (...params: never[]) => unknown): number {
    return this.#add({ label, type: undefined, callback, takesContext: false });
  }

  plan(index: number): FunctionPlan {
    return (this.#served[index] as Served).plan;
  }

  /**
   * Calls the function of that place.
   * @param answer told once, now or later: the results, or the number of the error
   */
  serve(index: number, context: Context, params: Values, answer: Answer): void {
    const { host, plan } = this.#served[index] as Served;
    const failed = (error: unknown): void => {
      this.#errorId = (this.#errorId % 0xfffff) + 1;
      this.#errors.set(this.#errorId, error);
      if (this.#errors.size > MOST_ERRORS) this.#errors.delete(this.#errors.keys().next().value as number);
      this.#waiting--;
      answer(NOTHING, [], this.#errorId);
    };
    const done = (result: unknown): void => {
      try {
        answer(
          plan.results,
          plan.type === undefined ? [result] : resultArray(result, plan.type.results.length),
          0,
        );
        this.#waiting--;
      } catch (error) {
        // References that can't cross.
        failed(new HostFunctionError(describeThrown(error), { cause: error }));
      }
    };
    this.#waiting++;
    let result: unknown;
    try {
      result = callHost(host, context, unpack(params) as unknown[], this);
    } catch (error) {
      failed(hostError(host, error, this));
      return;
    }
    if (isPromise(result)) result.then(done, failed);
    else done(result);
  }

  /**
   * The error of that number, with its identity.
   * @param nested whether the guest is still in a call that could end with it too
   */
  error(id: number, nested = false): unknown {
    if (id === OUTPUT_FAILED) return this.outputFailure;
    const error = this.#errors.get(id);
    if (!nested) this.#errors.delete(id);
    return error ?? new HostFunctionError("a host function failed whose error is no longer kept");
  }

  /** No call is under way: nobody asks for the errors any more. */
  forgetErrors(): void {
    this.#errors.clear();
  }

  #plan(entry: ShapeImport, value: unknown, fits: () => boolean): ImportPlan {
    const { module, name, type } = entry;
    const label = `${module}::${name}`;
    const typed = isHostFunction(value);
    const isFunction = typeof value === "function" && isKind(type, "function");
    if (!typed && (!isFunction || isExportedFunction(value))) {
      const what = classOf(value);
      const isMemory = what === "WebAssembly.Memory";
      if (isMemory && classOf((value as WebAssembly.Memory).buffer) === "SharedArrayBuffer") {
        return { value: value as WebAssembly.Memory };
      }
      // The thread has no bytes to find out by what the engine would have: it gets the words.
      if (!what.startsWith("WebAssembly") && !fits()) {
        return { problem: incompatible(entry, describeGiven(value, type)) };
      }
      if (typeof value === "number" || typeof value === "bigint") return { value };
      throw new UnsupportedError(
        `the import \`${label}\` is a ${what}${isMemory ? " that is not shared" : ""}, which cannot cross to another thread: start the module with thread: "inline"`,
      );
    }
    const known = type.kind === "function" ? type : undefined;
    const link = typed && value.link(entry, label);
    if (typeof link === "string") return { problem: link };
    const callback = value as HostTarget["callback"];
    this.#add(
      link && "host" in link ? link.host : { label, type: known, callback, takesContext: false },
      known,
    );
    return {};
  }

  #add(host: HostTarget, type?: FunctionType): number {
    return this.#served.push({ host, plan: functionPlan(host.label, this.#served.length, type) }) - 1;
  }
}
