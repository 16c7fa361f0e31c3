import { CallError, UnsupportedError } from "./errors.js";
import type { ModuleShape, ShapeType } from "./shape.js";
import { toEngine, type WasmValue } from "./values.js";

export function notFound(kind: string, name: string): CallError {
  return new CallError(`exported ${kind} \`${String(name)}\` not found`);
}

/** Whether an import or export is of that kind, typed or not. */
export function isKind(type: ShapeType | undefined, kind: string): boolean {
  return type !== undefined && (type.kind === kind || (type.kind === "untyped" && type.of === kind));
}

export function firstMemory({ exports }: ModuleShape): string | undefined {
  return [...exports].find(([, type]) => isKind(type, "memory"))?.[0];
}

/**
 * The name of an exported memory: the first one's where none is asked for.
 * @throws CallError where there is none
 */
export function memoryName(shape: ModuleShape, name = firstMemory(shape)): string {
  if (name === undefined) throw new CallError("The WebAssembly module has no exported memory.");
  if (!isKind(shape.exports.get(name), "memory")) throw notFound("memory", name);
  return name;
}

/** The exported globals of an instance. */
export interface Globals {
  /**
   * The global's value; of an `i64` as `bigint`.
   *
   * @throws CallError where there is no such global
   * @throws UnsupportedError where JavaScript cannot hold its value (`v128`)
   */
  get(name: string): WasmValue;
  /**
   * @throws CallError where there is no such global, it is immutable or the value is outside its type
   */
  set(name: string, value: unknown): void;
}

export function globalsOf(exports: WebAssembly.Exports, shape: ModuleShape): Globals {
  const find = (name: string): [WebAssembly.Global, ShapeType | undefined] => {
    const type = shape.exports.get(name);
    if (!isKind(type, "global")) throw notFound("global", name);
    return [exports[name] as WebAssembly.Global, type];
  };
  return {
    get(name) {
      const [global] = find(name);
      try {
        return global.value as WasmValue;
      } catch (cause) {
        throw new UnsupportedError(`JavaScript cannot hold the value of the global \`${name}\``, { cause });
      }
    },
    set(name, value) {
      const [global, type] = find(name);
      if (type?.kind === "global" && !type.mutable) {
        throw new CallError("Could not set global: immutable global cannot be set");
      }
      const checked = type?.kind === "global" ? toEngine(value, type.value, 0) : value;
      try {
        global.value = checked;
      } catch (cause) {
        throw new CallError(`Could not set global: ${(cause as Error).message}`, { cause });
      }
    },
  };
}
