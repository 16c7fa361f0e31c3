/**
 * Calls of exports, with the checks that their signatures need. Closures are made per number of params: code that is
 * generated from text would be quicker to write, but pages may forbid it (Content-Security-Policy).
 */
import { CallError } from "./errors.js";
import type { FunctionType, ValueType } from "./shape.js";
import { resultArray, toEngine, type WasmValue } from "./values.js";

/** An exported function, as the engine gives it. */
export type EngineFunction = (...values: unknown[]) => unknown;

/** Calls an export with a list of values. */
export type ListCall = (params: readonly unknown[]) => WasmValue[];

/** Turns what an export threw into the error that the caller is to see; `[]` where the program ended well. */
export type Rescue = (error: unknown, params: readonly unknown[]) => WasmValue[];

function wrongCount(expected: number, given: number): CallError {
  return new CallError(`number of params does not match. expected ${expected}, got ${given}`);
}

function isI32(value: unknown): boolean {
  return typeof value === "number" && (value | 0) === value;
}

/** The values as the engine takes them. */
export function convertParams(params: readonly unknown[], types: readonly ValueType[]): unknown[] {
  if (params.length !== types.length) throw wrongCount(types.length, params.length);
  return types.map((type, index) => toEngine(params[index], type, index + 1));
}

/** Without types the engine converts, and an array is taken for several results. */
function untypedCall(target: EngineFunction): ListCall {
  return (params) => {
    if (params.length !== target.length) throw wrongCount(target.length, params.length);
    const result = target(...params);
    return Array.isArray(result) ? result : resultArray(result, result === undefined ? 0 : 1);
  };
}

/** A call that takes its params as a list and answers a list. */
export function listCall(target: EngineFunction, type: FunctionType | undefined): ListCall {
  if (type === undefined) return untypedCall(target);
  const types = type.parameters;
  const count = types.length;
  const results = type.results.length;
  const [a, b, c, d] = types as [ValueType, ValueType, ValueType, ValueType];
  const allI32 = types.every((each) => each === "i32");

  const general: ListCall = (params) => resultArray(target(...convertParams(params, types)), results);
  if (allI32 && results === 1) {
    // The commonest signatures by far: checked in place, anything else takes the general way and fails there.
    switch (count) {
      case 0:
        return (params) => (params.length === 0 ? [target() as WasmValue] : general(params));
      case 1:
        return (params) => {
          const p = params[0];
          return params.length === 1 && isI32(p) ? [target(p) as WasmValue] : general(params);
        };
      case 2:
        return (params) => {
          const p = params[0];
          const q = params[1];
          return params.length === 2 && isI32(p) && isI32(q) ? [target(p, q) as WasmValue] : general(params);
        };
      case 3:
        return (params) => {
          const p = params[0];
          const q = params[1];
          const r = params[2];
          return params.length === 3 && isI32(p) && isI32(q) && isI32(r)
            ? [target(p, q, r) as WasmValue]
            : general(params);
        };
    }
  }
  switch (count) {
    case 0:
      return (params) => (params.length === 0 ? resultArray(target(), results) : general(params));
    case 1:
      return (params) =>
        params.length === 1 ? resultArray(target(toEngine(params[0], a, 1)), results) : general(params);
    case 2:
      return (params) =>
        params.length === 2
          ? resultArray(target(toEngine(params[0], a, 1), toEngine(params[1], b, 2)), results)
          : general(params);
    case 3:
      return (params) =>
        params.length === 3
          ? resultArray(
              target(toEngine(params[0], a, 1), toEngine(params[1], b, 2), toEngine(params[2], c, 3)),
              results,
            )
          : general(params);
    case 4:
      return (params) =>
        params.length === 4
          ? resultArray(
              target(
                toEngine(params[0], a, 1),
                toEngine(params[1], b, 2),
                toEngine(params[2], c, 3),
                toEngine(params[3], d, 4),
              ),
              results,
            )
          : general(params);
    default:
      return general;
  }
}

/** A call that takes its params one by one and answers as the engine does. */
export function boundCall(
  target: EngineFunction,
  type: FunctionType | undefined,
  rescue: Rescue,
): EngineFunction {
  const types: readonly ValueType[] = type?.parameters ?? new Array(target.length).fill("externref");
  const [a, b, c, d] = types as [ValueType, ValueType, ValueType, ValueType];
  const failed = (error: unknown, ...params: unknown[]): unknown => {
    rescue(error, params);
    return undefined;
  };
  // `arguments.length` is free where a rest parameter would build an array on each call.
  switch (types.length) {
    case 0:
      return function () {
        try {
          // biome-ignore lint/complexity/noArguments: see above
          if (arguments.length !== 0) throw wrongCount(0, arguments.length);
          return target();
        } catch (error) {
          return failed(error);
        }
      };
    case 1:
      return function (p) {
        try {
          // biome-ignore lint/complexity/noArguments: see above
          if (arguments.length !== 1) throw wrongCount(1, arguments.length);
          return target(toEngine(p, a, 1));
        } catch (error) {
          return failed(error, p);
        }
      };
    case 2:
      return function (p, q) {
        try {
          // biome-ignore lint/complexity/noArguments: see above
          if (arguments.length !== 2) throw wrongCount(2, arguments.length);
          return target(toEngine(p, a, 1), toEngine(q, b, 2));
        } catch (error) {
          return failed(error, p, q);
        }
      };
    case 3:
      return function (p, q, r) {
        try {
          // biome-ignore lint/complexity/noArguments: see above
          if (arguments.length !== 3) throw wrongCount(3, arguments.length);
          return target(toEngine(p, a, 1), toEngine(q, b, 2), toEngine(r, c, 3));
        } catch (error) {
          return failed(error, p, q, r);
        }
      };
    case 4:
      return function (p, q, r, s) {
        try {
          // biome-ignore lint/complexity/noArguments: see above
          if (arguments.length !== 4) throw wrongCount(4, arguments.length);
          return target(toEngine(p, a, 1), toEngine(q, b, 2), toEngine(r, c, 3), toEngine(s, d, 4));
        } catch (error) {
          return failed(error, p, q, r, s);
        }
      };
    default:
      return (...params) => {
        try {
          return target(...convertParams(params, types));
        } catch (error) {
          return failed(error, ...params);
        }
      };
  }
}
