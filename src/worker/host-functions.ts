import { HostFunctionError, UnsupportedError } from "../errors.js";
import { callHost, isPromise } from "../host-calls.js";
import { type Context, HostFunction, type HostTarget, type Imports, member } from "../imports.js";
import type { ModuleData } from "../shape.js";
import { describeThrown, resultArray } from "../values.js";
import type { Client } from "./client.js";
import { decode } from "./codec.js";
import { type FunctionPlan, functionPlan } from "./plans.js";
import type { ImportPlan } from "./protocol.js";
import { ID } from "./ring.js";
import { readValues } from "./values.js";

interface Served {
  readonly host: HostTarget;
  readonly plan: FunctionPlan;
}

function cannotCross(label: string, what: string): UnsupportedError {
  return new UnsupportedError(
    `the import \`${label}\` is ${what}, which cannot cross to another thread: start the module with thread: "inline"`,
  );
}

function isSharedMemory(value: unknown): value is WebAssembly.Memory {
  return (
    value instanceof WebAssembly.Memory &&
    typeof SharedArrayBuffer !== "undefined" &&
    value.buffer instanceof SharedArrayBuffer
  );
}

/** The functions that a guest on another thread calls here: the user's imports, and what else only this thread has. */
export class HostFunctions {
  readonly plans = new Map<string, Map<string, ImportPlan>>();
  readonly #served: Served[] = [];
  readonly #errors = new Map<number, unknown>();
  #errorId = 0;
  #waiting = 0;

  /**
   * @throws UnsupportedError for an object of the engine's that can't be sent to another thread
   */
  constructor(module: ModuleData, imports: Imports | undefined) {
    if (imports === undefined) return;
    for (const entry of module.importEntries) {
      const value = member(member(imports, entry.module), entry.name);
      if (value === undefined) continue;
      const plan = this.#plan(entry.module, entry.name, entry.type, value);
      let namespace = this.plans.get(entry.module);
      if (namespace === undefined) {
        namespace = new Map();
        this.plans.set(entry.module, namespace);
      }
      namespace.set(entry.name, plan);
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
    const host: HostTarget = { label, type: undefined, callback, takesContext: false };
    return this.#served.push({ host, plan: functionPlan(label, this.#served.length, undefined) }) - 1;
  }

  /** Calls the function of that place with the values of the record at `at`; answers when it has, now or later. */
  serve(client: Client, context: Context, index: number, at: number): void {
    const { host, plan } = this.#served[index] as Served;
    const { words } = client;
    const id = words.int32[at + ID] as number;
    const { layout } = plan.parameters;
    const values =
      layout === undefined ? (decode(client.extra(at)) as unknown[]) : readValues(words, at, layout);
    client.release();
    this.#waiting++;
    try {
      const result = callHost(host, context, values);
      if (isPromise(result)) {
        result.then(
          (settled) => this.#answer(client, id, plan, settled),
          (error: unknown) => this.#fail(client, id, error),
        );
      } else this.#answer(client, id, plan, result);
    } catch (error) {
      this.#fail(client, id, error);
    }
  }

  /** The error of that number, with its identity. */
  error(id: number): unknown {
    return this.#errors.get(id);
  }

  /** No call is under way: nobody asks for the errors any more. */
  forgetErrors(): void {
    if (this.#errors.size > 0) this.#errors.clear();
  }

  #answer(client: Client, id: number, { type, results }: FunctionPlan, result: unknown): void {
    try {
      const values = type === undefined ? [result] : resultArray(result, type.results.length);
      client.answer(id, results.layout, values);
      this.#waiting--;
    } catch (error) {
      // References that can't cross.
      this.#fail(client, id, new HostFunctionError(describeThrown(error), { cause: error }));
    }
  }

  #fail(client: Client, id: number, error: unknown): void {
    const errorId = (this.#errorId % 0xfffff) + 1;
    this.#errorId = errorId;
    this.#errors.set(errorId, error);
    this.#waiting--;
    client.answerFailed(id, errorId);
  }

  #plan(
    module: string,
    name: string,
    type: ModuleData["importEntries"][number]["type"],
    value: unknown,
  ): ImportPlan {
    const label = `${module}::${name}`;
    const known = type.kind === "function" ? type : undefined;
    if (value instanceof HostFunction) {
      const parameters = [...value.parameters];
      const results = [...value.results];
      const host: HostTarget = {
        label,
        type: known ?? { kind: "function", parameters, results },
        callback: value.callback,
        takesContext: true,
      };
      return { kind: "function", index: this.#serveHost(host), signature: { parameters, results } };
    }
    if (typeof value === "function") {
      const host: HostTarget = {
        label,
        type: known,
        callback: value as HostTarget["callback"],
        takesContext: false,
      };
      return { kind: "function", index: this.#serveHost(host), signature: undefined };
    }
    if (isSharedMemory(value)) return { kind: "memory", memory: value };
    if (typeof value === "number" || typeof value === "bigint") return { kind: "value", value };
    const what = Object.prototype.toString.call(value).slice(8, -1);
    throw cannotCross(
      label,
      what === "WebAssembly.Memory" ? "a WebAssembly.Memory that is not shared" : `a ${what}`,
    );
  }

  #serveHost(host: HostTarget): number {
    return this.#served.push({ host, plan: functionPlan(host.label, this.#served.length, host.type) }) - 1;
  }
}
