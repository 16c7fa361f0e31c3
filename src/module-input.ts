/** What a module is made from: text or the engine's own, and what the engine says of them. */
import { isContainer } from "./binary/container.js";
import { decodeUtf8 } from "./binary/cursor.js";
import type { ModuleInterface } from "./binary/interface.js";
import { CompileError, UnsupportedError } from "./errors.js";
import type { ExternKind, ExternType } from "./shape.js";
import { classOf } from "./source-bytes.js";

/** What the engine objects to, without its prefix. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^WebAssembly\.[\w.]+(\(\))?: /, "") : String(error);
}

export function isEngineModule(source: unknown): source is WebAssembly.Module {
  return classOf(source) === "WebAssembly.Module";
}

/** @throws CompileError for bytes that can't be text */
export function textOf(bytes: Uint8Array<ArrayBuffer>, what: string): string {
  if (isContainer(bytes))
    throw new CompileError(`${what} is a serialized module: pass it to Module.deserialize`);
  try {
    const text = decodeUtf8(bytes);
    if (!text.includes("\0")) return text.replace(/^\uFEFF/, "");
  } catch {
    // Told below.
  }
  const first = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  throw new CompileError(
    `${what} is neither a WebAssembly module nor text: it begins with ${first}, not with 00 61 73 6d`,
  );
}

/** Why something can't be told of a module that is the engine's alone. */
export const FOREIGN =
  "unknown of a WebAssembly.Module that was compiled elsewhere: pass the bytes to Module.compile";

const DETAILS = ["parameters", "results", "minimum", "shared", "element", "value", "mutable"];

/** A type of which no more than the kind is known: asking for more is an error that says what to do. */
function kindOnly(kind: ExternKind): ExternType {
  const type = { kind };
  for (const detail of DETAILS) {
    Object.defineProperty(type, detail, {
      get: () => {
        throw new UnsupportedError(`${detail}: ${FOREIGN}`);
      },
    });
  }
  return Object.freeze(type) as ExternType;
}

/** What the engine tells of a module whose bytes are unknown. */
export function kindsOf(compiled: WebAssembly.Module): ModuleInterface {
  return {
    exports: new Map(WebAssembly.Module.exports(compiled).map(({ name, kind }) => [name, kindOnly(kind)])),
    imports: Object.freeze(
      WebAssembly.Module.imports(compiled).map(({ module, name, kind }) =>
        Object.freeze({ module, name, type: kindOnly(kind) }),
      ),
    ),
  };
}

/** By how many bytes the code of a rewritten module lies further on than in the module that was given. */
export const shifts = new WeakMap<WebAssembly.Module, number>();
