import type { ValueType, WasmValue } from "../../../src/index.js";
import { UsageError } from "./arguments.js";

const INTEGER = /^([+-]?)(0x[0-9a-f]+|\d+)$/i;
const DECIMAL = /^([+-]?)(0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
const NAN = /^[+-]?nan$/i;

/** A type with its article: `an i32`. */
function one(type: ValueType): string {
  return `${/^([aei]|f\d)/.test(type) ? "an" : "a"} ${type}`;
}

function integer(word: string, bits: number): bigint | undefined {
  const [, sign, digits] = INTEGER.exec(word) ?? [];
  if (digits === undefined) return undefined;
  const value = sign === "-" ? -BigInt(digits) : BigInt(digits);
  const signed = BigInt.asIntN(bits, value);
  if (signed === value) return value;
  // As WebAssembly text has it: hexadecimal digits are bits, too.
  return /^0x/i.test(digits) && BigInt.asUintN(bits, value) === value ? signed : undefined;
}

function float(word: string, round: (value: number) => number): number | undefined {
  if (NAN.test(word)) return Number.NaN;
  const [, sign, digits] = INFINITE.exec(word) ?? DECIMAL.exec(word) ?? [];
  if (sign === undefined) return undefined;
  const magnitude = digits === undefined ? Number.POSITIVE_INFINITY : Number(digits);
  // Infinity is what is written so, and not what is too large.
  if (digits !== undefined && !Number.isFinite(round(magnitude))) return undefined;
  return sign === "-" ? -magnitude : magnitude;
}

/**
 * A word of the command line as the value that a parameter takes.
 * @throws UsageError for a word that is none
 */
export function parseValue(word: string, type: ValueType, position: number): WasmValue {
  let value: WasmValue | undefined;
  switch (type) {
    case "i32": {
      const whole = integer(word, 32);
      value = whole === undefined ? undefined : Number(whole);
      break;
    }
    case "i64":
      value = integer(word, 64);
      break;
    case "f32":
      value = float(word, Math.fround);
      break;
    case "f64":
      value = float(word, Number);
      break;
    case "externref":
      return word;
    default:
      throw new UsageError(
        `argument #${position} must be ${one(type)}, which no word of a command line can stand for`,
      );
  }
  if (value !== undefined) return value;
  const isTooLarge = (type.startsWith("i") ? INTEGER : DECIMAL).test(word);
  throw new UsageError(
    `argument #${position} must be ${one(type)}; ${JSON.stringify(word)} is ${isTooLarge ? "out of its range" : "none"}`,
  );
}

/** A result as it is printed, and as `parseValue` reads it again. */
export function printValue(value: WasmValue): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
