import type { WasmValue } from "./values.js";

/** Exports of which no type was given: any name, any params, results as they come. */
export interface AnyExports {
  [name: string]: (...params: never[]) => unknown;
}

type IsAny<E> = string extends keyof E ? true : false;

/** The names that can be called. */
export type ExportName<E> = IsAny<E> extends true ? string : keyof E & string;

/** An `i64` takes a safe integer as well. */
type Given<P> = P extends readonly unknown[]
  ? { readonly [I in keyof P]: P[I] extends bigint ? bigint | number : P[I] }
  : readonly unknown[];

/** What follows the name in a call: params may be left out where there are none. */
export type CallArguments<E, K extends ExportName<E>, Options> =
  IsAny<E> extends true
    ? [params?: readonly unknown[], options?: number | Options]
    : E[K & keyof E] extends (...params: infer P) => unknown
      ? P extends []
        ? [params?: readonly [], options?: number | Options]
        : [params: Given<P>, options?: number | Options]
      : never;

/** A call's results: always an array, whether the type names one bare (`number`), several (`[number, bigint]`) or none (`void`). */
export type CallResults<E, K extends ExportName<E>> =
  IsAny<E> extends true
    ? WasmValue[]
    : E[K & keyof E] extends (...params: never[]) => infer R
      ? [R] extends [void]
        ? []
        : R extends readonly unknown[]
          ? R
          : [R]
      : never;
