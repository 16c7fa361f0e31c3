import { ByteQueue } from "../pipe-queue.js";
import { loadPart, platform, type Thread, type ThreadSupport } from "../platform.js";
import type { Launch, Limits } from "../start.js";
import type { VirtualFileSystem } from "../vfs/virtual-file-system.js";
import { callOption, isThere } from "../wasi/callbacks.js";
import type { ClockName, WasiOptions } from "../wasi/options.js";
import { SharedEngine } from "./client.js";
import type { WorkerEngine, WorkerParts } from "./host.js";
import { HostFunctions } from "./host-functions.js";
import { MessageEngine, needsSharedMemory } from "./message-client.js";
import type { Channel, StartMessage, WasiPlan } from "./protocol.js";
import { CHANNEL_BYTES } from "./record.js";
import type { SharedFiles } from "./shared-files.js";
import { HostStreams } from "./streams.js";

/** How long a worker looks for the next record before it sleeps, in milliseconds. */
const WORKER_SPIN = 0.1;
/** What one message's values may take at most. */
const EXTRA_BYTES = 1 << 28;

let threads = 1;

interface PlannedWasi {
  readonly plan: WasiPlan;
  readonly streams: HostStreams;
  readonly files: SharedFiles | undefined;
}

function makeChannel({ parallelism }: ThreadSupport): Channel {
  return {
    words: new SharedArrayBuffer(CHANNEL_BYTES),
    toWorker: new ByteQueue(0).share(EXTRA_BYTES),
    toHost: new ByteQueue(0).share(EXTRA_BYTES),
    bell: "waitAsync" in Atomics ? "wait" : "message",
    // On one core the other side can't go on while this one looks.
    spin: parallelism === 1 ? 0 : WORKER_SPIN,
  };
}

/**
 * Has a thread make an instance; answers when it is ready for calls. The thread is ended where that fails.
 * @throws (rejects) the signal's reason where it was aborted
 */
export async function openEngine({
  starting,
  shape,
  plans,
  imports,
  wasi,
  limits,
  signal,
}: Launch): Promise<WorkerEngine> {
  // Whoever loads this has one.
  const thread = (await starting) as Thread;
  let engine: WorkerEngine | undefined;
  const stop = (): void => void engine?.stop();
  signal?.addEventListener("abort", stop);
  try {
    const { compiled, exports, importEntries } = shape;
    const support = platform().threadSupport();
    const functions = new HostFunctions(shape, imports);
    if (!support.sharedMemory && functions.any) throw needsSharedMemory("host functions need", support);
    const planned = wasi && (await planWasi(wasi, functions, limits));
    const channel = support.sharedMemory ? makeChannel(support) : undefined;
    const id = ++threads;
    const message: StartMessage = {
      kind: "start",
      id,
      module: { compiled, exports, importEntries },
      channel,
      imports: functions.plans,
      wasi: planned?.plan,
      limits: { openFiles: limits.openFiles } as StartMessage["limits"],
    };
    const parts: WorkerParts = {
      id,
      shape,
      plans,
      functions,
      streams: planned?.streams,
      retire: (grace) => planned?.files?.share.retire(grace),
      release: () => planned?.files?.served.release(),
    };
    engine =
      channel === undefined ? new MessageEngine(thread, parts) : new SharedEngine(thread, parts, channel);
    signal?.throwIfAborted();
    await engine.start(message);
    return engine;
  } catch (error) {
    const isAborted = signal?.aborted === true;
    if (engine === undefined) await thread.terminate();
    else await (isAborted ? engine.stop() : engine.exited);
    throw isAborted ? signal?.reason : error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function copyPreopen(preopen: Required<WasiOptions>["preopen"] & object): WasiOptions["preopen"] {
  const copies = Object.entries(preopen).map(([path, { flags, alias }]) => [
    path,
    { flags: [...flags], alias },
  ]);
  return Object.fromEntries(copies);
}

/** The user's WASI options, taken apart into what each thread needs. */
async function planWasi(wasi: WasiOptions, functions: HostFunctions, limits: Limits): Promise<PlannedWasi> {
  const { args, env, programName, preopen, clock, random, fs } = wasi;
  const support = platform().threadSupport();
  const shared = support.sharedMemory;
  if (!shared && (clock !== undefined || random !== undefined)) {
    throw needsSharedMemory("wasi.clock and wasi.random need", support);
  }
  if (!shared && fs !== undefined && preopen !== undefined) throw needsSharedMemory("wasi.fs needs", support);
  const streams = new HostStreams(wasi, limits.pipeBytes, shared);
  const [stdin, stdout, stderr] = streams.plans;
  const shareFiles =
    fs === undefined || !shared
      ? undefined
      : await loadPart(async () => (await import("./shared-files.js")).shareFiles);
  const files = shareFiles?.(fs as VirtualFileSystem, functions);
  const { own } = functions;
  const plan: WasiPlan = {
    stdin,
    stdout,
    stderr,
    // Copies: a message can't carry the proxies that some frameworks make of what they watch.
    options: {
      args: args && [...args],
      env: env && { ...env },
      programName,
      preopen: preopen && copyPreopen(preopen),
    } as WasiOptions,
    fs: files?.share.description,
    files: files?.index,
    clock:
      clock &&
      functions.add("wasi.clock", (name: ClockName) => callOption("wasi.clock", clock, name, isThere, own)),
    random:
      random &&
      functions.add("wasi.random", (length: number) => {
        const bytes = new Uint8Array(length);
        callOption("wasi.random", random, bytes, isThere, own);
        return bytes;
      }),
  };
  return { plan, streams, files };
}
