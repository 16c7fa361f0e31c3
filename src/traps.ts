import {
  CallError,
  ExitError,
  type Frame,
  HostFunctionError,
  TrapError,
  type TrapReason,
  UnsupportedError,
  WasmexError,
} from "./errors.js";
import type { FunctionType, ModuleShape } from "./shape.js";
import { describeThrown, isReference, refusal } from "./values.js";
import { WasiExit } from "./wasi/exit.js";

/**
 * What V8, SpiderMonkey and JavaScriptCore say of each trap, in lower case. The first that the text contains counts, so the
 * order matters. V8 had one text for an indirect call of null and of another signature until 2025: they share a word.
 *
 * No regular expressions here: this runs where the guest has used up the stack, and V8 ends the whole program when it
 * can't compile an expression there.
 */
const MESSAGES: readonly (readonly [TrapReason, ...string[]])[] = [
  ["unreachable", "unreachable"],
  ["uncaught_exception", "uncaught exception"],
  ["stack_overflow", "call stack", "too much recursion", "stack overflow"],
  ["integer_divide_by_zero", "by zero"],
  ["invalid_conversion_to_integer", "in integer range", "invalid conversion", " trunc "],
  ["integer_overflow", "result unrepresentable", "integer overflow"],
  ["unaligned_atomic", "unaligned"],
  ["indirect_call_type_mismatch", "null function", "signature mismatch", "call_indirect to", "indirect call"],
  ["out_of_memory", "too large", "too many", "failed to allocate", "out of memory", "could not allocate"],
  ["null_reference", "null"],
  ["cast_failure", "cast"],
  ["out_of_bounds_array", "array"],
  ["out_of_bounds_table", "table", "element", "call_indirect"],
  ["out_of_bounds_memory", "memory", "data segment", "index out of bounds"],
];

function reasonOf(message: string): TrapReason {
  const text = message.toLowerCase();
  for (const [reason, ...parts] of MESSAGES) {
    for (const part of parts) if (text.includes(part)) return reason;
  }
  return "unknown";
}

/**
 * SpiderMonkey has one text for every index out of bounds and one for every integer overflow; the instruction tells them
 * apart (core specification, 5.4 "Instructions").
 */
function refine(message: string, offset: number | undefined, shape: ModuleShape): TrapReason | undefined {
  if (offset === undefined || shape.byteAt === undefined) return undefined;
  const opcode = shape.byteAt(offset);
  if (message === "integer overflow") {
    return opcode === 0x6d || opcode === 0x7f ? "integer_overflow" : "invalid_conversion_to_integer";
  }
  if (message !== "index out of bounds") return undefined;
  if (opcode === 0xfb) return "out_of_bounds_array";
  const isTable =
    opcode === 0x11 ||
    opcode === 0x13 ||
    opcode === 0x25 ||
    opcode === 0x26 ||
    (opcode === 0xfc && (shape.byteAt(offset + 1) ?? 0) >= 0x0c);
  return isTable ? "out_of_bounds_table" : "out_of_bounds_memory";
}

const FRAME = "wasm-function[";

/** The guest's frames of an engine's stack: all three write `wasm-function[index]`, JavaScriptCore without the offset. */
function framesOf(stack: string, shape: ModuleShape): Frame[] {
  const frames: Frame[] = [];
  for (let at = stack.indexOf(FRAME); at >= 0; at = stack.indexOf(FRAME, at)) {
    at += FRAME.length;
    const end = stack.indexOf("]", at);
    const index = Number(stack.slice(at, end));
    if (end < 0 || !Number.isInteger(index)) continue;
    // "]:0x1a2b" in V8 and SpiderMonkey; `parseInt` stops where the number does.
    const offset = stack.startsWith(":0x", end + 1)
      ? Number.parseInt(stack.slice(end + 4, end + 20), 16)
      : Number.NaN;
    frames.push({
      index,
      name: shape.functionName?.(index),
      offset: Number.isNaN(offset) ? undefined : offset - (shape.offsetShift ?? 0),
    });
  }
  return frames;
}

/**
 * The trap behind an engine's error.
 *
 * @param message the engine's text
 * @param stack the engine's stack, in any engine's format
 * @param shape of the module that trapped; names the frames where it can
 */
export function trapError(message: string, stack: string, shape: ModuleShape, cause: unknown): TrapError {
  const frames = framesOf(stack, shape);
  const reason = refine(message, frames[0]?.offset, shape) ?? reasonOf(message);
  const what = reason === "unknown" ? message : reason.replaceAll("_", " ");
  const [frame] = frames;
  const where = frame === undefined ? "" : ` in \`${frame.name ?? `function ${frame.index}`}\``;
  return new TrapError(`wasm trap: ${what}${where}`, { cause, reason, frames });
}

/** Stack overflow: a `RangeError` in V8 and JavaScriptCore, an `InternalError` in SpiderMonkey. */
function isStackOverflow(error: Error): boolean {
  return (
    error.message.startsWith("Maximum call stack size") || error.message.startsWith("too much recursion")
  );
}

/**
 * A stack overflow. There may be no stack left to read the engine's own with (a program's `Error.prepareStackTrace` may do
 * anything), so the frames wait until they are asked for.
 */
function stackOverflow(error: Error, shape: ModuleShape): TrapError {
  return new TrapError("wasm trap: stack overflow", {
    cause: error,
    reason: "stack_overflow",
    frames: () => framesOf(error.stack ?? "", shape),
  });
}

/** The error of this package for whatever came out of the guest. */
export function toGuestError(error: unknown, shape: ModuleShape): Error {
  if (error instanceof WasmexError) return error;
  if (error instanceof WasiExit) return new ExitError(error.code);
  if (error instanceof Error && isStackOverflow(error)) return stackOverflow(error, shape);
  if (error instanceof WebAssembly.RuntimeError) {
    return trapError(error.message, error.stack ?? "", shape, error);
  }
  // An engine may be without exceptions.
  const { Exception } = WebAssembly as { Exception?: typeof WebAssembly.Exception };
  if (Exception !== undefined && error instanceof Exception) {
    return trapError("uncaught exception", error.stack ?? "", shape, error);
  }
  if (error instanceof RangeError && error.message.toLowerCase().includes("memory")) {
    return trapError(error.message, error.stack ?? "", shape, error);
  }
  return new HostFunctionError(`host code failed: ${describeThrown(error)}`, { cause: error });
}

/** The same for a call, whose params and results the engine may have refused. */
export function toCallError(
  error: unknown,
  shape: ModuleShape,
  type: FunctionType | undefined,
  params: readonly unknown[],
): Error {
  if (!(error instanceof TypeError)) return toGuestError(error, shape);
  const unreadable = type?.results.find((each) => each === "v128" || each === "exnref");
  if (unreadable !== undefined) {
    return new UnsupportedError(`JavaScript has no ${unreadable} values, as this function returns one`, {
      cause: error,
    });
  }
  const index = type?.parameters.findIndex(
    (each, at) => isReference(each) && !fitsReference(each, params[at]),
  );
  if (type !== undefined && index !== undefined && index >= 0) {
    const refused = refusal(params[index], type.parameters[index] ?? "externref", index + 1);
    return new CallError(refused.message, { cause: error });
  }
  // Types unknown: the engine converted the values, and said no.
  if (type === undefined) return new CallError(error.message, { cause: error });
  return toGuestError(error, shape);
}

/** Whether the engine would take the value; as far as that is known here, else not. */
function fitsReference(type: string, value: unknown): boolean {
  if (type === "externref" || type === "anyref") return true;
  return value === null && !type.startsWith("(ref ");
}
