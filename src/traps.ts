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
import { afterOverflow } from "./overflow.js";
import type { FunctionType, ModuleShape } from "./shape.js";
import { describeThrown, isReference, refusal } from "./values.js";

/**
 * What V8, SpiderMonkey and JavaScriptCore say of each trap beside the word itself, in lower case and with underscores. The first that
 * the text contains counts, so the order matters. V8 had one text for an indirect call of null and of another signature until 2025: they
 * share a word.
 *
 * No regular expressions here: this runs where the guest has used up the stack, and V8 ends the whole program when it
 * can't compile an expression there.
 */
const MESSAGES =
  "unreachable;uncaught_exception;stack_overflow,call_stack,recursion;integer_divide_by_zero,by_zero;\
invalid_conversion_to_integer,integer_range,_trunc_;integer_overflow,result_unrep;unaligned_atomic,unaligned;\
indirect_call_type_mismatch,null_fun,mismatch,call_indirect_to,indirect_call;out_of_memory,too_large,too_many,to_alloc,not_alloc;\
null_reference,null;cast_failure,cast;out_of_bounds_array,array;out_of_bounds_table,table,element,call_indirect;\
out_of_bounds_memory,memory,segment,index_out";

function reasonOf(message: string): TrapReason {
  const text = message.toLowerCase().replaceAll(" ", "_");
  const all = MESSAGES.split(";").map((each) => each.split(","));
  const found = all.find((parts) => parts.some((part) => text.includes(part)));
  return (found?.[0] ?? "unknown") as TrapReason;
}

/**
 * SpiderMonkey has one text for every index out of bounds and one for every integer overflow; the instruction tells them
 * apart (core specification, 5.4 "Instructions").
 */
function refine(message: string, offset = Number.NaN, { byteAt }: ModuleShape): TrapReason | undefined {
  const opcode = byteAt?.(offset);
  if (opcode === undefined) return undefined;
  if (message === "integer overflow" && opcode !== 0x6d && opcode !== 0x7f)
    return "invalid_conversion_to_integer";
  if (message !== "index out of bounds") return undefined;
  if (opcode === 0xfb) return "out_of_bounds_array";
  const isTable =
    [0x11, 0x13, 0x25, 0x26].includes(opcode) || (opcode === 0xfc && Number(byteAt?.(offset + 1)) >= 0x0c);
  return isTable ? "out_of_bounds_table" : undefined;
}

/** The guest's frames of an engine's stack: all three write `wasm-function[index]`, JavaScriptCore without the offset. */
function framesOf(stack: string, { functionName, originalOffset }: ModuleShape): Frame[] {
  // Whatever begins the stack is no frame.
  const [, ...rest] = stack.split("wasm-function[");
  const frames = rest.map((text) => {
    // "1]:0x1a2b" in V8 and SpiderMonkey; `parseInt` stops where the number does.
    const index = Number.parseInt(text, 10);
    const found = Number.parseInt(text.split("]:0x")[1] ?? "", 16);
    const offset = Number.isNaN(found) ? undefined : (originalOffset?.(found) ?? found);
    return { index, name: functionName?.(index), offset };
  });
  return frames.filter(({ index }) => index >= 0);
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
  const [frame] = frames;
  const reason = refine(message, frame?.offset, shape) ?? reasonOf(message);
  const what = reason === "unknown" ? message : reason.replaceAll("_", " ");
  const where = frame === undefined ? "" : ` in \`${frame.name ?? `function ${frame.index}`}\``;
  return new TrapError(`wasm trap: ${what}${where}`, { cause, reason, frames });
}

/**
 * Whether the guest's stack has overflowed: a `RangeError` in V8 and JavaScriptCore, an `InternalError` in SpiderMonkey. What was cut off by
 * that is put in order.
 */
export function settleOverflow(error: unknown): error is Error {
  const { message = "" } = error instanceof Error ? error : {};
  const overflowed =
    message.startsWith("Maximum call stack size") || message.startsWith("too much recursion");
  if (overflowed) afterOverflow.settle?.();
  return overflowed;
}

/** The error of this package for whatever came out of the guest. */
export function toGuestError(error: unknown, shape: ModuleShape): Error {
  // It has no stack trace yet.
  if (error instanceof ExitError) return new ExitError(error.code);
  if (error instanceof WasmexError) return error;
  if (settleOverflow(error)) {
    // There may be no stack left to read the engine's own with (a program's `Error.prepareStackTrace` may do anything), so the frames
    // wait until they are asked for.
    return new TrapError("wasm trap: stack overflow", {
      cause: error,
      reason: "stack_overflow",
      frames: () => framesOf(error.stack ?? "", shape),
    });
  }
  // An engine may be without exceptions.
  const { Exception } = WebAssembly as { Exception?: typeof WebAssembly.Exception };
  const isException = Exception !== undefined && error instanceof Exception;
  if (
    isException ||
    error instanceof WebAssembly.RuntimeError ||
    (error instanceof RangeError && error.message.toLowerCase().includes("memory"))
  ) {
    const { message, stack = "" } = error as Error;
    return trapError(isException ? "uncaught exception" : message, stack, shape, error);
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
  const options = { cause: error };
  // Types unknown: the engine converted the values, and said no.
  if (type === undefined) return new CallError(error.message, options);
  const unreadable = type.results.find((each) => each === "v128" || each === "exnref");
  if (unreadable !== undefined) {
    return new UnsupportedError(
      `JavaScript has no ${unreadable} values, as this function returns one`,
      options,
    );
  }
  const index = type.parameters.findIndex(
    (each, at) => isReference(each) && !fitsReference(each, params[at]),
  );
  const refused = type.parameters[index];
  if (refused === undefined) return toGuestError(error, shape);
  return new CallError(refusal(params[index], refused, index + 1).message, options);
}

/** Whether the engine would take the value; as far as that is known here, else not. */
function fitsReference(type: string, value: unknown): boolean {
  return type === "externref" || type === "anyref" || (value === null && !type.startsWith("(ref "));
}
