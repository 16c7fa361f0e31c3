import type { Rewriting } from "./binary/rewrite.js";
import { checkSignal, disown } from "./deferred.js";
import type { Engine } from "./engine.js";
import { TrapError, UnsupportedError, WasmexError } from "./errors.js";
import type { Imports } from "./imports.js";
import { Module } from "./module.js";
import { loadPart, platform, type SpawnThread, spawnThread, type Thread } from "./platform.js";
import { Process } from "./process.js";
import type { ModuleShape } from "./shape.js";
import type { ModuleSource } from "./source.js";
import { threadVariant } from "./thread-variant.js";
import type { AnyExports } from "./typed-exports.js";
import type { VirtualFileSystem } from "./vfs/virtual-file-system.js";
import type { WasiOptions } from "./wasi/options.js";
import { ExportPlans } from "./worker/plans.js";

/** Bounds on what one guest may take; past them it sees the error that a real system gives. */
export interface Limits {
  /** Most pages (64 KiB) of each memory: `memory.grow` answers -1. */
  readonly memoryPages?: number | undefined;
  /** Most elements of each table: `table.grow` answers -1. */
  readonly tableElements?: number | undefined;
  /** Most descriptors at once, the standard streams and preopens included: `EMFILE`. */
  readonly openFiles?: number | undefined;
  /** Most bytes in a file system in memory: `ENOSPC`. */
  readonly fileSystemBytes?: number | undefined;
  /** Most unread bytes in each pipe: `EAGAIN`, but a guest on a thread that writes to a `blocking` pipe waits for room. */
  readonly pipeBytes?: number | undefined;
}

/** What to start a process with. */
export interface StartOptions {
  /** The module, or anything that `Module.compile` takes: with a promise of a module the thread comes up while that is compiled. */
  readonly module?: Module | ModuleSource | PromiseLike<Module | ModuleSource> | undefined;
  /** The same as `module`. */
  readonly bytes?: ModuleSource | PromiseLike<ModuleSource> | undefined;
  /** What the module imports, by namespace and name; wins over the WASI functions of the same name. */
  readonly imports?: Imports | undefined;
  /** WASI preview 1: `true` for its defaults. */
  readonly wasi?: boolean | WasiOptions | undefined;
  /** Where to run: `"auto"` (the default) is a thread of its own where memory can be shared with it, else this one. */
  readonly thread?: "auto" | "worker" | "inline" | undefined;
  /** Names the process and its thread, in debuggers for one. */
  readonly name?: string | undefined;
  /** Address of `dist/worker.js`, for pages that forbid `blob:` workers. */
  readonly workerUrl?: string | URL | undefined;
  /** Ends the process when it is aborted, as `stop()` does; before the process is there, `start` rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Has a guest on this thread ended at the deadline of its call, too: a check is compiled into its loops and its functions. A guest
   * on a thread of its own is ended with the thread and gets none but where the engine needs them. Default: `false`.
   */
  readonly interruptible?: boolean | undefined;
  /** Bounds on what the guest may take; default: those of the engine, 65536 descriptors, and file systems of 2 GiB. */
  readonly limits?: Limits | undefined;
}

const LIMITS: readonly string[] = [
  "memoryPages",
  "tableElements",
  "openFiles",
  "fileSystemBytes",
  "pipeBytes",
] satisfies (keyof Limits)[];

function checkLimits(limits: Limits): Limits {
  for (const [key, limit] of Object.entries<unknown>({ ...limits })) {
    if (!LIMITS.includes(key)) {
      throw new WasmexError(`limits.${key} is unknown: the keys are ${LIMITS.join(", ")}`);
    }
    if (limit !== undefined && !(typeof limit === "number" && limit >= 0)) {
      throw new WasmexError(`limits.${key}: pass a number from 0 on, not ${String(limit)}`);
    }
  }
  return limits;
}

/** Whether the guest gets a thread of its own. */
function wantsThread(thread: unknown): boolean {
  if (thread === "worker" || thread === "inline") return thread === "worker";
  if (thread !== "auto") {
    throw new WasmexError(`thread: pass "auto", "worker" or "inline", not ${String(thread)}`);
  }
  const { threads, sharedMemory } = platform().threadSupport();
  return threads && sharedMemory;
}

/**
 * Starts an instance of a module, on a thread of its own wherever that is possible.
 *
 * @throws (rejects) CompileError, LinkError; UnsupportedError for what this engine or page lacks
 *
 * ```ts
 * await using guest = await Wasmex.start({ module, wasi: { stdout: pipe } });
 * ```
 */
export async function start<Exports extends object = AnyExports>(
  options: StartOptions = {},
): Promise<Process<Exports>> {
  const { signal } = options;
  disown(options);
  checkSignal(signal);
  const process = await startUntil<Exports>(options, signal);
  if (signal === undefined) return process;
  if (signal.aborted) {
    await process.stop();
    throw signal.reason;
  }
  const stop = (): void => void process.stop();
  signal.addEventListener("abort", stop);
  void process.exited.then(() => signal.removeEventListener("abort", stop));
  return process;
}

/**
 * `start` with a signal for the start alone.
 * @internal
 */
export async function startUntil<Exports extends object = AnyExports>(
  options: StartOptions,
  signal: AbortSignal | undefined,
): Promise<Process<Exports>> {
  signal?.throwIfAborted();
  const given = options.module ?? options.bytes;
  if (given === undefined) throw new WasmexError("start: pass a `module`, or `bytes` to compile one from");
  const limits = checkLimits(options.limits ?? {});
  const { name, workerUrl, thread = "auto" } = options;
  const worker = wantsThread(thread);
  const wasi = options.wasi === true ? {} : options.wasi || undefined;
  const spawn = (): Promise<Thread> => startThread({ url: workerUrl, name, wasi: wasi !== undefined });
  // The thread comes up while the module is compiled.
  let starting = worker ? spawn() : undefined;
  // So does what it takes here.
  const opening = loadEngine(worker);
  opening.catch(() => undefined);
  try {
    const module =
      given instanceof Module
        ? given
        : await Module.compile(given, { thread: worker ? "worker" : "inline", signal });
    if (wasi !== undefined) {
      const checkOptions = await loadPart(async () => (await import("./wasi/options.js")).checkOptions);
      checkOptions(wasi);
    }
    const request = {
      module,
      imports: options.imports,
      wasi: wasi && (await limitFiles(wasi, limits)),
      limits,
      signal,
      interruptible: options.interruptible === true,
    };
    const attempt = async (pages?: number, ...fewer: number[]): Promise<Process<Exports>> => {
      try {
        const { memoryPages = pages } = limits;
        return await begin({ ...request, limits: { ...limits, memoryPages } }, name, starting, await opening);
      } catch (error) {
        const [next] = fewer;
        const retries = starting !== undefined && limits.memoryPages === undefined && isOutOfMemory(error);
        if (!retries || next === undefined || !fits(module, next)) throw error;
        collect();
        starting = spawn();
        return attempt(...fewer);
      }
    };
    return await attempt(undefined, ...FEWER_PAGES);
  } catch (error) {
    // `launch` ends the thread itself; here it may not have come that far.
    void starting?.then(
      (started) => started.terminate(),
      () => undefined,
    );
    throw error;
  }
}

/**
 * Most pages of a memory, from try to try: a shared memory takes up addresses for all that it may grow to, and engines have none left
 * sooner or later.
 */
const FEWER_PAGES = [16_384, 4_096, 1_024];

/** What an instance is made of, wherever it is going to live. */
export interface Launch {
  /** The thread that it gets; `undefined` for an instance on this one. */
  readonly starting: Promise<Thread> | undefined;
  readonly shape: ModuleShape;
  readonly plans: ExportPlans;
  readonly imports: Imports | undefined;
  readonly wasi: WasiOptions | undefined;
  readonly limits: Limits;
  /** Gives up the instance, and the thread with it, when it is aborted before the instance is ready. */
  readonly signal: AbortSignal | undefined;
  /** Whether a call on this thread ends at its deadline. */
  readonly interruptible: boolean;
}

/** Makes an instance, and what calls it; loaded for threads and for this one apart. */
type OpenEngine = (launch: Launch) => Promise<Engine>;

async function loadEngine(worker: boolean): Promise<OpenEngine> {
  return worker
    ? loadPart(async () => (await import("./worker/launch.js")).openEngine)
    : loadPart(async () => (await import("./inline.js")).openEngine);
}

interface StartRequest {
  readonly module: Module;
  readonly imports: Imports | undefined;
  readonly wasi: WasiOptions | undefined;
  readonly limits: Limits;
  readonly signal: AbortSignal | undefined;
  readonly interruptible: boolean;
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof TrapError && error.reason === "out_of_memory";
}

/** Whether the module's memories begin with no more than so many pages. */
function fits(module: Module, pages: number): boolean {
  return Object.values(module.exports).every((type) => type.kind !== "memory" || type.minimum <= pages);
}

async function begin<Exports extends object>(
  { module, imports, wasi, limits, signal, interruptible }: StartRequest,
  name: string | undefined,
  starting: Promise<Thread> | undefined,
  openEngine: OpenEngine,
): Promise<Process<Exports>> {
  const { memoryPages, tableElements } = limits;
  const { loops, ...variant } = threadVariant(starting !== undefined);
  const rewriting = { ...variant, memoryPages, tableElements } as Rewriting;
  const checked = module.variant({ ...rewriting, loops: loops || (starting === undefined && interruptible) });
  // On a thread checks are for the engine's sake: a module that can't have them runs without.
  const compiled = await (loops ? checked.catch(() => module.variant(rewriting)) : checked);
  const shape = module.shape(compiled);
  const plans = new ExportPlans(shape.exports);
  const engine = await openEngine({ starting, shape, plans, imports, wasi, limits, signal, interruptible });
  module.markInstantiated();
  return new Process(engine, shape, plans, name);
}

/** Bounds the file system that a guest is given; one in memory is made here where there is none, so that it has the bound. */
async function limitFiles(wasi: WasiOptions, { fileSystemBytes }: Limits): Promise<WasiOptions> {
  const { fs, preopen } = wasi;
  if (fileSystemBytes === undefined || preopen === undefined) return wasi;
  if (fs !== undefined) {
    const backend = fs.mounts.root.backend as { setLimit?: (bytes: number) => void };
    backend.setLimit?.(fileSystemBytes);
    return wasi;
  }
  if (platform().hasDirectories) return wasi;
  const newMounts = await loadPart(async () => (await import("./vfs/directories.js")).newMounts);
  return { ...wasi, fs: { mounts: newMounts(Object.keys(preopen), fileSystemBytes) } as VirtualFileSystem };
}

function startThread(options: Parameters<SpawnThread>[0]): Promise<Thread> {
  const { threads, reason } = platform().threadSupport();
  const starting = threads
    ? spawnThread(options)
    : Promise.reject(new UnsupportedError(`thread: "worker" is not possible here: ${reason}`));
  // A failure is told to whoever waits for the thread; until then it is nobody's.
  starting.catch(() => undefined);
  return starting;
}

/**
 * Has the engine look for memory that nobody uses any more, as it does where this thread asks for more than is left: memory of guests that
 * have ended is this thread's, and a new guest's thread can't have that looked for.
 */
function collect(): void {
  try {
    new WebAssembly.Memory({ initial: 0, maximum: 65_536, shared: true });
  } catch {
    // There is none left.
  }
}
