import { UnsupportedError } from "../errors.js";
import type { Imports } from "../imports.js";
import { ByteQueue } from "../pipe-queue.js";
import { platform, type Thread } from "../platform.js";
import type { ModuleShape } from "../shape.js";
import type { Limits } from "../start.js";
import type { WasiOptions } from "../wasi/options.js";
import { WorkerEngine } from "./host.js";
import { HostFunctions } from "./host-functions.js";
import type { Channel, StartMessage, WasiPlan } from "./protocol.js";
import { CHANNEL_BYTES } from "./ring.js";
import { HostStreams } from "./streams.js";

/** How long a worker looks for the next record before it sleeps, in milliseconds. */
const WORKER_SPIN = 0.1;
/** What one message's values may take at most. */
const EXTRA_BYTES = 1 << 28;

let threads = 1;

export interface Launch {
  readonly shape: ModuleShape;
  readonly imports: Imports | undefined;
  readonly wasi: WasiOptions | undefined;
  readonly limits: Limits;
}

function makeChannel(): Channel {
  const { parallelism } = platform().threadSupport();
  return {
    words: new SharedArrayBuffer(CHANNEL_BYTES),
    toWorker: ByteQueue.create(false).share(EXTRA_BYTES),
    toHost: ByteQueue.create(false).share(EXTRA_BYTES),
    bell: "waitAsync" in Atomics ? "wait" : "message",
    // On one core the other side can't go on while this one looks.
    spin: parallelism === 1 ? 0 : WORKER_SPIN,
  };
}

/** Has a thread make an instance; answers when it is ready for calls. The thread is ended where that fails. */
export async function launch(
  starting: Promise<Thread>,
  { shape, imports, wasi, limits }: Launch,
): Promise<WorkerEngine> {
  const thread = await starting;
  let engine: WorkerEngine | undefined;
  try {
    const { compiled, exports, importEntries } = shape;
    const functions = new HostFunctions(shape, imports);
    const streams = wasi && new HostStreams(wasi, limits.pipeBytes);
    const channel = makeChannel();
    const id = ++threads;
    const message: StartMessage = {
      kind: "start",
      id,
      module: { compiled, exports, importEntries },
      channel,
      imports: functions.plans,
      wasi: wasi && streams && planWasi(wasi, streams, functions),
      limits: limits.openFiles === undefined ? undefined : { openFiles: limits.openFiles },
    };
    engine = new WorkerEngine(thread, {
      id,
      shape,
      channel,
      functions,
      streams,
      retire: () => undefined,
      recover: () => undefined,
    });
    await engine.start(message);
    return engine;
  } catch (error) {
    await (engine === undefined ? thread.terminate() : engine.exited);
    throw error;
  }
}

function planWasi(wasi: WasiOptions, streams: HostStreams, functions: HostFunctions): WasiPlan {
  const { args, env, programName, preopen, clock, random, fs } = wasi;
  const [stdin, stdout, stderr] = streams.plans;
  if (fs !== undefined) throw new UnsupportedError("file systems across threads are not built in yet");
  return {
    stdin,
    stdout,
    stderr,
    options: {
      ...(args && { args }),
      ...(env && { env }),
      ...(programName !== undefined && { programName }),
      ...(preopen && { preopen }),
    },
    fs: undefined,
    clock: clock && functions.add("wasi.clock", clock),
    random:
      random &&
      functions.add("wasi.random", (length: number) => {
        const bytes = new Uint8Array(length);
        random(bytes);
        return bytes;
      }),
  };
}
