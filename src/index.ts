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
