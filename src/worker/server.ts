import { armChecks } from "../binary/checks.js";
import { wrongCount } from "../calls.js";
import { ExitError, HostFunctionError, TrapError, WasmexError } from "../errors.js";
import { fn } from "../fn.js";
import type { HostTarget } from "../imports.js";
import { createInstanceSync, type Instance } from "../instance.js";
import { setLockOwner } from "../pipe-owners.js";
import { platform } from "../platform.js";
import { toCallError } from "../traps.js";
import { resultArray } from "../values.js";
import type { Backend } from "../vfs/contract.js";
import { attachFileSystem } from "../vfs/share.js";
import { WasiExit } from "../wasi/exit.js";
import type { WasiOptions } from "../wasi/options.js";
import { wasiFactory } from "../wasi/provider.js";
import "../wasi/wasi.js";
import { encodeThrown } from "./codec.js";
import { type Endpoint, type Exported, type Functions, HostFailure, openEndpoint } from "./endpoint.js";
import { proxyBackend } from "./file-proxy.js";
import { openStream } from "./guest-streams.js";
import { ExportPlans, functionPlan } from "./plans.js";
import type { CallMessage, HostMessage, StartMessage, WasiPlan, WorkerMessage } from "./protocol.js";
import * as records from "./records.js";

type Post = (message: WorkerMessage) => void;
type Callback = (...values: never[]) => never;

/**
 * Makes this thread run one instance for the host that started it.
 *
 * @param post sends a message to the host
 * @returns what to hand every message of the host's to
 */
export function serveThread(post: Post): (message: unknown) => void {
  let functions: Functions | undefined;
  let started: StartMessage | undefined;
  return (data) => {
    const message = data as HostMessage;
    if (message.kind === "start") {
      started = message;
      functions = start(message, post);
    } else if (started !== undefined) {
      serveMessage(message, functions?.(message.index) as Exported, started, post);
    }
  };
}

function start(message: StartMessage, post: Post): Functions | undefined {
  setLockOwner(message.id);
  let functions: Functions;
  const endpoint =
    message.channel &&
    openEndpoint({
      channel: message.channel,
      now: platform().monotonicNow,
      ringByMessage: () => post({ kind: "bell" }),
      toError: (thrown, exported, values) => guestError(thrown, message, exported, values),
    });
  try {
    const instance = instantiate(message, endpoint, post);
    functions = exportedFunctions(message, instance);
    post({ kind: "ready", memories: sharedMemories(instance) });
  } catch (thrown) {
    const id = failureOf(thrown);
    post({ kind: "failed", hostError: id, bytes: id === 0 ? encodeThrown(startError(thrown)) : undefined });
    return undefined;
  }
  return endpoint === undefined ? functions : endpoint.serve(functions);
}

function instantiate(message: StartMessage, endpoint: Endpoint | undefined, post: Post): Instance {
  const indexes = new Map<unknown, number>();
  const imports: Record<string, Record<string, object | number | bigint>> = Object.create(null);
  for (const [module, plans] of message.imports) {
    const namespace: Record<string, object | number | bigint> = Object.create(null);
    imports[module] = namespace;
    for (const [name, plan] of plans) {
      if (plan.kind === "memory") namespace[name] = plan.memory;
      else if (plan.kind === "value") namespace[name] = plan.value;
      else {
        const stub: Callback = () => {
          throw new TypeError("a host function's stand-in was called");
        };
        indexes.set(stub, plan.index);
        const { signature } = plan;
        namespace[name] =
          signature === undefined ? stub : fn(signature.parameters, signature.results, stub as never);
      }
    }
  }
  const ask = (host: HostTarget): unknown => {
    const index = indexes.get(host.callback) ?? -1;
    const { type, parameters, results } = functionPlan(host.label, index, host.type);
    const count = type?.results.length ?? 1;
    if (endpoint === undefined) throw new TypeError("host functions need shared memory");
    return (...values: unknown[]): unknown => {
      const answered = endpoint.ask(records.HOST_CALL, index, parameters, values, results);
      return count === 1 ? answered[0] : count === 0 ? undefined : answered;
    };
  };
  return createInstanceSync(message.module, {
    imports,
    wasi: message.wasi && wasiOptions(message.wasi, endpoint, post),
    wasiFactory: wasiFactory(),
    wasiInternals: { limits: message.limits },
    hooks: {
      wrapHost: ask,
      // Asking the engine for something is where JavaScriptCore sees that the thread has been terminated.
      begin: (exports) => armChecks(exports, () => void platform().monotonicNow()),
    },
  });
}

function wasiOptions(plan: WasiPlan, endpoint: Endpoint | undefined, post: Post): WasiOptions {
  const host = {
    ring: () => endpoint?.ring(),
    wantInput: () => endpoint?.tell(records.WANT_INPUT),
    post: (stream: 1 | 2, bytes: Uint8Array<ArrayBuffer>) => post({ kind: "output", stream, bytes }),
  };
  const call = (index: number, values: unknown[]): unknown =>
    endpoint?.ask(records.HOST_CALL, index, undefined, values, undefined)[0];
  const { clock, random, fs, files = -1 } = plan;
  const open = (index: number, shared: unknown): Backend => {
    const opened = shared === undefined ? undefined : platform().openShared?.(shared);
    return opened ?? proxyBackend((...operation) => call(files, [index, ...operation]));
  };
  return {
    ...plan.options,
    stdin: openStream(plan.stdin, 0, host),
    stdout: openStream(plan.stdout, 1, host),
    stderr: openStream(plan.stderr, 2, host),
    ...(fs && { fs: { mounts: attachFileSystem(fs, open) } }),
    ...(clock !== undefined && { clock: (name) => call(clock, [name]) as number | bigint }),
    ...(random !== undefined && { random: (bytes) => bytes.set(call(random, [bytes.length]) as Uint8Array) }),
  } as WasiOptions;
}

/** The exported functions by their places, each looked up when it is first called. */
function exportedFunctions(message: StartMessage, instance: Instance): Functions {
  const plans = new ExportPlans(message.module.exports);
  const found: Exported[] = [];
  return (index) => {
    let exported = found[index];
    if (exported === undefined) {
      const plan = plans.at(index);
      const call = instance.exports[plan.name] as Exported["call"];
      exported = { plan, call: plan.type === undefined ? counted(call) : call };
      found[index] = exported;
    }
    return exported;
  };
}

/** Of a function whose type is unknown the engine tells how many params it takes, on this thread alone. */
function counted(call: Exported["call"]): Exported["call"] {
  return (...values) => {
    if (values.length !== call.length) throw wrongCount(call.length, values.length);
    return call(...values);
  };
}

function sharedMemories(instance: Instance): Map<string, WebAssembly.Memory> {
  const memories = new Map<string, WebAssembly.Memory>();
  if (typeof SharedArrayBuffer === "undefined") return memories;
  for (const [name, value] of Object.entries(instance.exports)) {
    if (value instanceof WebAssembly.Memory && value.buffer instanceof SharedArrayBuffer)
      memories.set(name, value);
  }
  return memories;
}

/** The number of the host error behind what was thrown; 0 where there is none. */
function failureOf(thrown: unknown): number {
  if (thrown instanceof HostFailure) return thrown.id;
  return thrown instanceof HostFunctionError && thrown.cause instanceof HostFailure ? thrown.cause.id : 0;
}

/**
 * What to send to the host for what a guest threw. Traps go as the engine has them: the host knows the module's bytes, and so
 * the names and the exact reason.
 */
function guestError(
  thrown: unknown,
  message: StartMessage,
  { plan }: Exported,
  values: readonly unknown[],
): unknown {
  if (thrown instanceof WasmexError) return thrown;
  if (thrown instanceof WasiExit) return new ExitError(thrown.code);
  if (thrown instanceof TypeError) return toCallError(thrown, message.module, plan.type, values);
  return portable(thrown);
}

/** What to send for what came of the start function or `_initialize`: of a trap the engine's own error, as of a call. */
function startError(thrown: unknown): unknown {
  return thrown instanceof TrapError ? portable(thrown.cause) : thrown;
}

/** What a guest threw as an error that can cross to another thread. */
function portable(thrown: unknown): unknown {
  const { Exception } = WebAssembly as { Exception?: typeof WebAssembly.Exception };
  if (Exception !== undefined && thrown instanceof Exception) {
    const error = new WebAssembly.RuntimeError("uncaught exception");
    error.stack = (thrown as { stack?: string }).stack ?? "";
    return error;
  }
  return thrown;
}

function serveMessage({ values }: CallMessage, exported: Exported, started: StartMessage, post: Post): void {
  try {
    const results = resultArray(exported.call(...values), exported.plan.type?.results.length);
    post({ kind: "result", values: [...results] });
  } catch (thrown) {
    if (thrown instanceof WasiExit && thrown.code === 0) post({ kind: "result", values: [] });
    else {
      const error = guestError(thrown, started, exported, values);
      post({ kind: "error", bytes: encodeThrown(error) });
    }
  }
}
