/**
 * What a module declares, in the words of the WebAssembly JS type-reflection proposal, and the plain data of it that an
 * instance needs: nothing here knows the binary format, so the worker can do without its reader.
 */

/** The heap types that have a short name when they are nullable. */
export type AbstractRefType =
  | "funcref"
  | "externref"
  | "anyref"
  | "eqref"
  | "i31ref"
  | "structref"
  | "arrayref"
  | "exnref"
  | "nullref"
  | "nullfuncref"
  | "nullexternref"
  | "nullexnref"
  | "contref"
  | "nullcontref";

/** A reference type; what has no short name is written as in the text format: `(ref func)`, `(ref null 3)`. */
export type RefType = AbstractRefType | `(ref ${string})`;

/** The type of a WebAssembly value. */
export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128" | RefType;

/** A function's signature. */
export interface FunctionType {
  /** Always `"function"`. */
  kind: "function";
  /** In order. */
  parameters: ValueType[];
  /** In order; empty for a function without results. */
  results: ValueType[];
}

/** A linear memory. */
export interface MemoryType {
  /** Always `"memory"`. */
  kind: "memory";
  /** In pages. */
  minimum: number;
  /** In pages; absent where the module sets none. */
  maximum?: number;
  /** Whether the module itself declares it shared. */
  shared: boolean;
  /** Set for a 64-bit memory. */
  address?: "i64";
  /** Bytes of a page, where the module names a size of its own (custom-page-sizes proposal). */
  pageSize?: number;
}

/** A table of references. */
export interface TableType {
  /** Always `"table"`. */
  kind: "table";
  /** In elements. */
  minimum: number;
  /** In elements; absent where the module sets none. */
  maximum?: number;
  /** What it holds. */
  element: RefType;
  /** Set for a 64-bit table. */
  address?: "i64";
}

/** A global. */
export interface GlobalType {
  /** Always `"global"`. */
  kind: "global";
  /** The type of its value. */
  value: ValueType;
  /** Whether it can be set. */
  mutable: boolean;
}

/** A tag: the type of an exception. */
export interface TagType {
  /** Always `"tag"`. */
  kind: "tag";
  /** What the exception carries. */
  parameters: ValueType[];
}

/** What an import or an export is (WebAssembly JS type-reflection proposal). */
export type ExternType = FunctionType | MemoryType | TableType | GlobalType | TagType;

/** The kinds of imports and exports. */
export type ExternKind = ExternType["kind"];

/** One import, in the module's order. */
export interface ImportEntry {
  /** Its namespace. */
  readonly module: string;
  /** Its name in that namespace. */
  readonly name: string;
  /** What the module asks for. */
  readonly type: ExternType;
}

/** An import or export of a `WebAssembly.Module` that was compiled elsewhere: its bytes, and so its types, are unknown. */
export interface Untyped {
  readonly kind: "untyped";
  /** What the engine says it is. */
  readonly of: ExternKind;
}

/** An export or import as an instance sees it. */
export type ShapeType = ExternType | Untyped;

export interface ShapeImport {
  readonly module: string;
  readonly name: string;
  readonly type: ShapeType;
}

/** All that a thread needs of a module to instantiate it. Plain data: it can be posted as it is. */
export interface ModuleData {
  /** What the engine instantiates; its memories may have been made shared, the types below are the module's own. */
  readonly compiled: WebAssembly.Module;
  /** Keyed by name in the module's order (a `Map`, so that no name of a module can meet a prototype). */
  readonly exports: ReadonlyMap<string, ShapeType>;
  readonly importEntries: readonly ShapeImport[];
}

/** What an instance is made from. */
export interface ModuleShape extends ModuleData {
  /**
   * Name of the function of that index (imports counted) by the name section. Absent where the bytes are not at hand, as
   * in a worker: the host adds the names there.
   */
  readonly functionName?: (index: number) => string | undefined;
  /** A module of few bytes that has nothing but the import of that index, where the bytes are at hand: finds out what fits it. */
  readonly probe?: ((index: number) => Uint8Array<ArrayBuffer>) | undefined;
  /** The module's byte at that offset, where the bytes are at hand: tells traps apart that an engine words alike. */
  readonly byteAt?: (offset: number) => number | undefined;
  /** Where in the module itself lies what stands at an offset of `compiled`, where that has been rewritten. */
  readonly originalOffset?: ((offset: number) => number) | undefined;
}
