export {
  CallError,
  CompileError,
  ExitError,
  type Frame,
  HostFunctionError,
  LinkError,
  StoppedError,
  TimeoutError,
  TrapError,
  type TrapReason,
  UnsupportedError,
  WasmexError,
} from "./errors.js";
export { type CompileOptions, Module } from "./module.js";
export type {
  ExternKind,
  ExternType,
  FunctionType,
  GlobalType,
  ImportEntry,
  MemoryType,
  RefType,
  TableType,
  TagType,
  ValueType,
} from "./shape.js";
export type { ModuleSource, Progress } from "./source.js";
