export { type Capabilities, capabilities } from "./capabilities.js";
export type { ElementType, ElementValue } from "./elements.js";
export {
  CallError,
  CompileError,
  ExitError,
  FileSystemError,
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
export type { Globals } from "./exported-globals.js";
export { fn } from "./fn.js";
export type { Context, HostFunction, Imports, ImportValue } from "./imports.js";
export { Instance } from "./instance.js";
export type { InstanceOptions } from "./instantiate.js";
export { Memory, type MemoryOwner } from "./memory.js";
export { type CompileOptions, Module } from "./module.js";
export { Pipe, type PipeOptions } from "./pipe.js";
export { type CallOptions, type ExitReason, Process } from "./process.js";
export { type RunOptions, type RunResult, run } from "./run.js";
export type {
  AbstractRefType,
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
export { type Limits, type StartOptions, start } from "./start.js";
export { type ChildSpec, childSpec, Supervisor, type SupervisorOptions } from "./supervisor.js";
export type { AnyExports, CallArguments, CallResults, ExportName } from "./typed-exports.js";
export type { JsType, JsTypes, WasmValue } from "./values.js";
export type { Backend, DirectoryVisitor, Filestat, Node, Result } from "./vfs/contract.js";
export type { FileContent } from "./vfs/host-files.js";
export type { FileKind, FileStat } from "./vfs/host-stat.js";
export { type FileSystemOptions, type Tree, VirtualFileSystem } from "./vfs/virtual-file-system.js";
export type {
  ClockName,
  ClockSource,
  OutputOption,
  PreopenFlag,
  PreopenOptions,
  RandomSource,
  WasiOptions,
} from "./wasi/options.js";
export { Wasi } from "./wasi/wasi.js";
