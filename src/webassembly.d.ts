/** The WebAssembly JavaScript interface, for checks that have neither the DOM's library nor another's description of it. */
declare namespace WebAssembly {
  interface CompileError extends Error {}
  var CompileError: { prototype: CompileError; new (message?: string): CompileError };

  interface LinkError extends Error {}
  var LinkError: { prototype: LinkError; new (message?: string): LinkError };

  interface RuntimeError extends Error {}
  var RuntimeError: { prototype: RuntimeError; new (message?: string): RuntimeError };

  interface Tag {}
  var Tag: { prototype: Tag; new (type: { parameters: ValueType[] }): Tag };
  var JSTag: Tag;

  interface Exception {
    readonly stack: string | undefined;
    is(tag: Tag): boolean;
    getArg(tag: Tag, index: number): unknown;
  }
  var Exception: {
    prototype: Exception;
    new (tag: Tag, payload: unknown[], options?: { traceStack?: boolean }): Exception;
  };

  interface Global<T extends ValueType = ValueType> {
    value: ValueTypeMap[T];
    valueOf(): ValueTypeMap[T];
  }
  var Global: {
    prototype: Global;
    new <T extends ValueType = ValueType>(
      descriptor: GlobalDescriptor<T>,
      value?: ValueTypeMap[T],
    ): Global<T>;
  };

  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(delta: AddressValue): AddressValue;
  }
  var Memory: { prototype: Memory; new (descriptor: MemoryDescriptor): Memory };

  interface Table {
    readonly length: AddressValue;
    // biome-ignore lint/suspicious/noExplicitAny: as the DOM's library has it
    get(index: AddressValue): any;
    grow(delta: AddressValue, value?: unknown): AddressValue;
    set(index: AddressValue, value?: unknown): void;
  }
  var Table: { prototype: Table; new (descriptor: TableDescriptor, value?: unknown): Table };

  interface Module {}
  var Module: {
    prototype: Module;
    new (bytes: BufferSource): Module;
    customSections(module: Module, name: string): ArrayBuffer[];
    exports(module: Module): ModuleExportDescriptor[];
    imports(module: Module): ModuleImportDescriptor[];
  };

  interface Instance {
    readonly exports: Exports;
  }
  var Instance: { prototype: Instance; new (module: Module, imports?: Imports): Instance };

  interface GlobalDescriptor<T extends ValueType = ValueType> {
    mutable?: boolean;
    value: T;
  }
  interface MemoryDescriptor {
    address?: AddressType;
    initial: AddressValue;
    maximum?: AddressValue;
    shared?: boolean;
  }
  interface TableDescriptor {
    address?: AddressType;
    element: TableKind;
    initial: AddressValue;
    maximum?: AddressValue;
  }
  interface ModuleExportDescriptor {
    kind: ImportExportKind;
    name: string;
  }
  interface ModuleImportDescriptor {
    kind: ImportExportKind;
    module: string;
    name: string;
  }
  interface ValueTypeMap {
    anyfunc: Function;
    // biome-ignore lint/suspicious/noExplicitAny: as the DOM's library has it
    externref: any;
    f32: number;
    f64: number;
    i32: number;
    i64: bigint;
    v128: never;
  }

  type AddressType = "i32" | "i64";
  type AddressValue = number;
  type ImportExportKind = "function" | "global" | "memory" | "table" | "tag";
  type TableKind = "anyfunc" | "externref";
  type ExportValue = Function | Global | Memory | Table;
  type Exports = Record<string, ExportValue>;
  type ImportValue = ExportValue | number;
  type ModuleImports = Record<string, ImportValue>;
  type Imports = Record<string, ModuleImports>;
  type ValueType = keyof ValueTypeMap;

  function compile(bytes: BufferSource): Promise<Module>;
  function compileStreaming(source: Response | PromiseLike<Response>): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
  function validate(bytes: BufferSource): boolean;
}

type BufferSource = ArrayBufferView<ArrayBuffer> | ArrayBuffer;
