import type * as Wasmex from "wasmex";

/** What was typed into a field as the value to pass. What can't be read goes on as text: the package says what is wrong with it. */
export function parseValue(text: string, type: Wasmex.ValueType): Wasmex.WasmValue {
  const trimmed = text.trim();
  if (type === "i64") {
    try {
      return trimmed === "" ? (trimmed as unknown as Wasmex.WasmValue) : BigInt(trimmed);
    } catch {
      return trimmed as unknown as Wasmex.WasmValue;
    }
  }
  if (type === "i32" || type === "f32" || type === "f64") {
    const value = Number(trimmed);
    const readable = trimmed !== "" && (!Number.isNaN(value) || trimmed === "NaN");
    return readable ? value : (trimmed as unknown as Wasmex.WasmValue);
  }
  if (type === "externref") return trimmed === "" ? null : trimmed;
  return null;
}

/** A value as one would write it in JavaScript. */
export function showValue(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "function";
  return String(value);
}

export const showResults = (results: readonly unknown[]): string => `[${results.map(showValue).join(", ")}]`;

/** A type as a line of a manifest. */
export function showType(type: Wasmex.ExternType): string {
  switch (type.kind) {
    case "function": {
      const results = type.results.length === 1 ? type.results[0] : `[${type.results.join(", ")}]`;
      return `(${type.parameters.join(", ")}) → ${type.results.length === 0 ? "nothing" : results}`;
    }
    case "memory": {
      const most = type.maximum === undefined ? "no maximum" : `at most ${type.maximum}`;
      return `memory of ${type.minimum} ${type.minimum === 1 ? "page" : "pages"}, ${most}${type.shared ? ", shared" : ""}${type.address ? ", 64-bit" : ""}`;
    }
    case "table":
      return `table of ${type.minimum} ${type.element}`;
    case "global":
      return `${type.mutable ? "mutable " : ""}global ${type.value}`;
    case "tag":
      return `tag (${type.parameters.join(", ")})`;
  }
}
