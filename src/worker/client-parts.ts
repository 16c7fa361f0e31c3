/** What the host's end of the channel works on. */
import type { ValueType } from "../shape.js";
import { toEngine } from "../values.js";
import type { CallerHost, Pending } from "./caller.js";
import type { Layout } from "./values.js";

/** What the client leaves to others. */
export interface ClientHost extends CallerHost {
  readonly now: () => number;
  /** Empties the pipes whose content has to be with the user before a reply is. */
  drain(): void;
  /** Serves a record of the worker's other than a reply; calls `release` once it has taken what the record holds. */
  serve(kind: number, index: number, at: number): void;
  /** The error of a host function, kept here so that its identity holds. */
  hostError(id: number): unknown;
  /** A call of the host's own has been answered. */
  replied(): void;
}

export const NOTHING = new Uint8Array(0);

export function engineValues(types: readonly ValueType[], params: readonly unknown[]): unknown[] {
  return params.map((value, index) => toEngine(value, types[index] ?? "externref", index + 1));
}

/** A record for a guest that waits in a host call. */
export interface Answer {
  readonly kind: number;
  readonly id: number;
  readonly layout: Layout;
  readonly values: readonly unknown[];
  /** The values, where they travel as bytes and had to wait. */
  readonly bytes?: Uint8Array | undefined;
}

export interface Queued {
  readonly pending: Pending;
  readonly values: unknown[];
}
