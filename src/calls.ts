/**
 * Calls of exports, with the checks that their signatures need. Closures are made per number of params: code that is
 * generated from text would be quicker to write, but pages may forbid it (Content-Security-Policy).
 */
import { CallError } from "./errors.js";
import type { FunctionType, ValueType } from "./shape.js";
import { type Converter, converterOf, resultArray, toEngine, type WasmValue } from "./values.js";

/** An exported function, as the engine gives it. */
export type EngineFunction = (...values: unknown[]) => unknown;

/** Calls an export with a list of values. */
export type ListCall = (params: readonly unknown[]) => WasmValue[];

/** Throws what the caller is to see of an export's error; answers where the program ended well. */
export type Rescue = (error: unknown, params: readonly unknown[]) => unknown;

export function wrongCount(expected: number, given: number): CallError {
  return new CallError(`number of params does not match. expected ${expected}, got ${given}`);
}

/** The values as the engine takes them. */
export function convertParams(params: readonly unknown[], types: readonly ValueType[]): unknown[] {
  if (params.length !== types.length) throw wrongCount(types.length, params.length);
  return types.map((type, index) => toEngine(params[index], type, index + 1));
}

/** Without types the engine converts, and an array is taken for several results. */
function untypedCall(target: EngineFunction): ListCall {
  return (list) => {
    if (list.length !== target.length) throw wrongCount(target.length, list.length);
    const result = target(...list);
    return resultArray(result, undefined);
  };
}

/**
 * A call that takes its params as a list and answers a list.
 *
 * The same closures stand here for lists of numbers and for others, as V8 keeps what kinds of lists a place in the source has
 * seen: where it was both, it converts each list of numbers first, which takes many times as long as the call.
 */
export function listCall(target: EngineFunction, type: FunctionType | undefined): ListCall {
  if (type === undefined) return untypedCall(target);
  const types = type.parameters;
  const results = type.results.length;
  const [a, b, c, d] = types.map(converterOf) as [Converter, Converter, Converter, Converter];
  const general: ListCall = (list) => resultArray(target(...convertParams(list, types)), results);

  if (types.every((each) => each === "i32" || each === "f32" || each === "f64")) {
    switch (types.length) {
      case 0:
        return (list) => (list.length === 0 ? resultArray(target(), results) : general(list));
      case 1:
        return (list) => (list.length === 1 ? resultArray(target(a(list[0], 1)), results) : general(list));
      case 2:
        return (list) =>
          list.length === 2 ? resultArray(target(a(list[0], 1), b(list[1], 2)), results) : general(list);
      case 3:
        return (list) =>
          list.length === 3
            ? resultArray(target(a(list[0], 1), b(list[1], 2), c(list[2], 3)), results)
            : general(list);
      case 4:
        return (list) =>
          list.length === 4
            ? resultArray(target(a(list[0], 1), b(list[1], 2), c(list[2], 3), d(list[3], 4)), results)
            : general(list);
    }
  } else {
    switch (types.length) {
      case 1:
        return (list) => (list.length === 1 ? resultArray(target(a(list[0], 1)), results) : general(list));
      case 2:
        return (list) =>
          list.length === 2 ? resultArray(target(a(list[0], 1), b(list[1], 2)), results) : general(list);
      case 3:
        return (list) =>
          list.length === 3
            ? resultArray(target(a(list[0], 1), b(list[1], 2), c(list[2], 3)), results)
            : general(list);
      case 4:
        return (list) =>
          list.length === 4
            ? resultArray(target(a(list[0], 1), b(list[1], 2), c(list[2], 3), d(list[3], 4)), results)
            : general(list);
    }
  }
  return general;
}

/** A call that takes its params one by one and answers as the engine does. */
export function boundCall(
  target: EngineFunction,
  type: FunctionType | undefined,
  rescue: Rescue,
): EngineFunction {
  const types: readonly ValueType[] = type?.parameters ?? new Array(target.length).fill("externref");
  const [a, b, c, d] = types.map(converterOf) as [Converter, Converter, Converter, Converter];
  // `arguments.length` is free where a rest parameter would build an array on each call.
  switch (types.length) {
    case 0:
      return function () {
        try {
          // biome-ignore lint/complexity/noArguments: see above
          if (arguments.length !== 0) throw wrongCount(0, arguments.length);
          return target();
        } catch (error) {
          return rescue(error, []);
        }
      };
    case 1:
      return function (p) {
        try {
          // biome-ignore lint/complexity/noArguments: see above
          if (arguments.length !== 1) throw wrongCount(1, arguments.length);
          return target(a(p, 1));
        } catch (error) {
          return rescue(error, [p]);
        }
      };
    case 2:
      return function (p, q) {
        try {
          // biome-ignore lint/complexity/noArguments: see above
          if (arguments.length !== 2) throw wrongCount(2, arguments.length);
          return target(a(p, 1), b(q, 2));
        } catch (error) {
          return rescue(error, [p, q]);
        }
      };
    case 3:
      return function (p, q, r) {
        try {
          // biome-ignore lint/complexity/noArguments: see above
          if (arguments.length !== 3) throw wrongCount(3, arguments.length);
          return target(a(p, 1), b(q, 2), c(r, 3));
        } catch (error) {
          return rescue(error, [p, q, r]);
        }
      };
    case 4:
      return function (p, q, r, s) {
        try {
          // biome-ignore lint/complexity/noArguments: see above
          if (arguments.length !== 4) throw wrongCount(4, arguments.length);
          return target(a(p, 1), b(q, 2), c(r, 3), d(s, 4));
        } catch (error) {
          return rescue(error, [p, q, r, s]);
        }
      };
    default:
      return (...params) => {
        try {
          return target(...convertParams(params, types));
        } catch (error) {
          return rescue(error, params);
        }
      };
  }
}
