/** What the engine tells of a module that was compiled elsewhere, whose bytes are unknown. */
import { UnsupportedError } from "./errors.js";
import type { Content } from "./module-content.js";
import type { ExternKind, ExternType, ShapeType } from "./shape.js";

function foreign(wanted: string): never {
  throw new UnsupportedError(
    `${wanted}: unknown of a WebAssembly.Module that was compiled elsewhere: pass the bytes to Module.compile`,
  );
}

const DETAILS = ["parameters", "results", "minimum", "shared", "element", "value", "mutable"];

/** A type of which no more than the kind is known: asking for more is an error that says what to do. */
function kindOnly(kind: ExternKind): ExternType {
  const type = { kind };
  for (const detail of DETAILS) {
    Object.defineProperty(type, detail, { get: () => foreign(detail) });
  }
  return Object.freeze(type) as ExternType;
}

function untyped(of: ExternKind): ShapeType {
  return { kind: "untyped", of };
}

function listed<T>(compiled: WebAssembly.Module, typeOf: (kind: ExternKind) => T) {
  return {
    exports: new Map(WebAssembly.Module.exports(compiled).map(({ name, kind }) => [name, typeOf(kind)])),
    imports: Object.freeze(
      WebAssembly.Module.imports(compiled).map(({ module, name, kind }) =>
        Object.freeze({ module, name, type: typeOf(kind) }),
      ),
    ),
  };
}

/** The types, as the module's user and as its instances see them. */
export function foreignTypes(compiled: WebAssembly.Module): Pick<Content, "types" | "untyped" | "foreign"> {
  return { types: listed(compiled, kindOnly), untyped: listed(compiled, untyped), foreign };
}
