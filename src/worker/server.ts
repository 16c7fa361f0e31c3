import { armChecks } from "../binary/checks.js";
import { wrongCount } from "../calls.js";
import { ExitError, TrapError, WasmexError } from "../errors.js";
import { isKind } from "../exported-globals.js";
import type { HostTarget } from "../imports.js";
import { instantiateSync } from "../instantiate.js";
import type { Pipe } from "../pipe.js";
import { setLockOwner, setStopWord } from "../pipe-owners.js";
import { platform } from "../platform.js";
import { settleOverflow, toCallError } from "../traps.js";
import { resultArray } from "../values.js";
import { encodeThrown, postValues } from "./codec.js";
import { type Endpoint, type Exported, type Functions, failureOf, openEndpoint } from "./endpoint.js";
import type { GuestWasi, Post } from "./guest-wasi.js";
import { ExportPlans, functionPlan } from "./plans.js";
import type { CallMessage, HostMessage, StartMessage } from "./protocol.js";
import { STOPPED } from "./record.js";
import * as records from "./records.js";
import { NOTHING } from "./ring.js";

type Callback = (...values: never[]) => never;

/**
 * Makes this thread run one instance for the host that started it.
 *
 * @param post sends a message to the host
 * @param guestWasi what a guest's WASI is made of; left out of the code of threads for guests without
 * @returns what to hand every message of the host's to
 */
export function serveThread(post: Post, guestWasi?: GuestWasi): (message: unknown) => void {
  let functions: Functions | undefined;
  let started: StartMessage | undefined;
  let stdin: unknown;
  const makeWasi: GuestWasi = (...plan) => {
    // Whose guest has WASI has this.
    const made = (guestWasi as GuestWasi)(...plan);
    stdin = made.wasi.stdin;
    return made;
  };
  return (data) => {
    const message = data as HostMessage;
    if (message.kind === "start") {
      started = message;
      functions = start(message, post, makeWasi);
    } else if (started !== undefined) {
      if (message.kind === "input") (stdin as Pipe).write(message.bytes);
      else serveMessage(message, functions?.(message.index) as Exported, started, post);
    }
  };
}

function start(message: StartMessage, post: Post, guestWasi: GuestWasi): Functions | undefined {
  setLockOwner(message.id);
  if (message.channel !== undefined) setStopWord(new Int32Array(message.channel.words, STOPPED * 4, 1));
  let functions: Functions | undefined;
  const endpoint =
    message.channel &&
    openEndpoint({
      channel: message.channel,
      now: platform().monotonicNow,
      ringByMessage: () => post({ kind: "bell" }),
      toError: (thrown, exported, values) => guestError(thrown, message, exported, values),
    });
  try {
    instantiate(message, endpoint, message.wasi && guestWasi(message.wasi, endpoint, post), (exports) => {
      functions = exportedFunctions(message, exports);
      endpoint?.expose(functions);
      post({ kind: "made", memories: sharedMemories(exports, message) });
      // What it calls of the host's may reach its exports.
      if (typeof exports._initialize === "function") endpoint?.ask(records.MADE, 0, NOTHING, [], NOTHING);
    });
    post({ kind: "ready" });
  } catch (thrown) {
    const id = failureOf(thrown);
    post({ kind: "failed", hostError: id, bytes: id === 0 ? encodeThrown(startError(thrown)) : undefined });
    return undefined;
  }
  return endpoint === undefined ? functions : endpoint.serve();
}

function instantiate(
  message: StartMessage,
  endpoint: Endpoint | undefined,
  wasi: ReturnType<GuestWasi> | undefined,
  made: (exports: WebAssembly.Exports) => void,
): void {
  // Never called: it stands for each of the host's functions until `ask` takes its place.
  const stub: Callback = () => undefined as never;
  const imports: Record<string, Record<string, object | number | bigint>> = Object.create(null);
  for (const [module, name, plan] of message.imports) {
    imports[module] ??= Object.create(null) as Record<string, object | number | bigint>;
    const namespace = imports[module];
    const { problem, value = stub } = plan;
    namespace[name] = problem === undefined ? value : { link: () => problem };
  }
  // They are asked for in the module's order, which the host numbers them by: a name may be imported twice, as two types.
  let next = 0;
  const ask = (host: HostTarget): unknown => {
    const index = next++;
    const { type, parameters, results } = functionPlan(host.label, index, host.type);
    const count = type?.results.length ?? 1;
    return (...values: unknown[]): unknown => {
      // Without shared memory the host starts no guest that calls it.
      const answered = (endpoint as Endpoint).ask(records.HOST_CALL, index, parameters, values, results);
      return count === 1 ? answered[0] : count === 0 ? undefined : answered;
    };
  };
  instantiateSync(message.module, {
    imports,
    ...wasi,
    wasiInternals: { limits: message.limits },
    hooks: {
      wrapHost: ask,
      made: () => undefined,
      begin(exports) {
        // Asking the engine for something is where JavaScriptCore sees that the thread has been terminated.
        armChecks(exports, () => void platform().monotonicNow());
        made(exports);
      },
    },
  });
}

/** The exported functions by their places, each looked up when it is first called. */
function exportedFunctions(message: StartMessage, exports: WebAssembly.Exports): Functions {
  const plans = new ExportPlans(message.module.exports);
  const found: Exported[] = [];
  return (index) => {
    let exported = found[index];
    if (exported === undefined) {
      const plan = plans.at(index);
      const call = exports[plan.name] as Exported["call"];
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

function sharedMemories(
  exports: WebAssembly.Exports,
  { module }: StartMessage,
): Map<string, WebAssembly.Memory> {
  const memories = new Map<string, WebAssembly.Memory>();
  for (const [name, type] of module.exports) {
    if (!isKind(type, "memory")) continue;
    const memory = exports[name] as WebAssembly.Memory;
    if (!(memory.buffer instanceof ArrayBuffer)) memories.set(name, memory);
  }
  return memories;
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
  settleOverflow(thrown);
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
    postValues(results, () => post({ kind: "result", values: [...results] }));
  } catch (thrown) {
    if (thrown instanceof ExitError && thrown.code === 0) post({ kind: "result", values: [] });
    else {
      const error = guestError(thrown, started, exported, values);
      post({ kind: "error", bytes: encodeThrown(error) });
    }
  }
}
