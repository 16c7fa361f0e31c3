import type * as Background from "./compile.js";
import { WasmexError } from "./errors.js";
import type { ByteQueue } from "./pipe-queue.js";
import type { Backend, Result } from "./vfs/contract.js";

/** One background thread, as the platform offers it. */
export interface Thread {
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  /** Told of every message from the thread. */
  onMessage: ((message: unknown) => void) | undefined;
  /** Told once when the thread has died by itself: a failed load, an uncaught error, out of memory, `process.exit`. */
  onDeath: ((reason: Error) => void) | undefined;
  /** Ends the thread at once, whatever it does; answers whether it is known to be gone: if not, it may go on for some moments. */
  terminate(): Promise<boolean>;
  /** Whether the thread keeps the host's event loop alive. */
  setKeepsAlive(keeps: boolean): void;
}

/** What the engine and page offer, and why not what they don't. */
export interface ThreadSupport {
  /** Threads can be started at all. */
  readonly threads: boolean;
  /** Memory can be shared with them. */
  readonly sharedMemory: boolean;
  /** One sentence: what is missing and which step would give it; empty where nothing is. */
  readonly reason: string;
  /** Whether a thread that is terminated in a loop of its guest's comes to its end. */
  readonly endsLoops?: boolean;
  /** Whether the engine has few addresses for memory that can grow. */
  readonly fewAddresses?: boolean;
  /** How many threads can run at once, where that is known. */
  readonly parallelism?: number;
}

/** The terminal in Node, the console in browsers. */
export interface HostStdio {
  /** Whether `write` reaches the terminal from any thread; else a background guest's output goes through its host. */
  readonly onAnyThread?: boolean;
  /** Writes at once; answers the bytes taken or a negated errno. */
  write(fd: 1 | 2, bytes: Uint8Array, start: number, length: number): Result;
  /** Reads what is there, waiting for it where this thread may; 0 is the end. */
  read(target: Uint8Array, start: number, length: number): Result;
  /** Whether a person sits there; taken to be so where it isn't known. */
  isTerminal?(fd: 0 | 1 | 2): boolean;
  /**
   * A guest on another thread has found its input, this queue, empty: gives it what arrives next, once, or ends it. Answers how to stop:
   * what the guest has not read is left to others.
   */
  follow(queue: ByteQueue): () => void;
}

/** Everything that the core takes from its surroundings. An entry point applies one with `usePlatform`. */
export interface Platform {
  readonly name: string;
  /** Milliseconds since the epoch, with a fraction. */
  now(): number;
  /** Milliseconds since some fixed point, never going back. */
  monotonicNow(): number;
  /** Fills bytes that are not shared memory. */
  randomFill(bytes: Uint8Array): void;
  readonly stdio: HostStdio;
  threadSupport(): ThreadSupport;
  /**
   * Calls `ring` after so many milliseconds where timers may be held up; answers how to forget it, if it does. It stands beside a timer of its
   * caller's: either may come first, and both may come.
   */
  watch?(ring: () => void, milliseconds: number): (() => void) | undefined;
  /** Whether the thread that asks may wait: by `Atomics.wait`, where there is shared memory. */
  mayBlock(): boolean;
  /** A directory of the host, where there are any; throws `UnsupportedError` where not. */
  openDirectory(path: string | URL): Backend;
  readonly hasDirectories: boolean;
  /** Opens on this thread what a backend of another described with `share`. */
  openShared?(shared: unknown): Backend;
  /** The text parser, loaded on first use. */
  loadWabt(): Promise<unknown>;
  /** Reads a `URL` that `fetch` doesn't (`file:` in Node); `undefined` leaves it to `fetch`. */
  readUrl?(url: URL): Promise<Uint8Array> | undefined;
}

/** Starts a thread that runs the worker's code (`src/worker/server.ts`), from `url` where one is given. */
export type SpawnThread = (options: {
  url: string | URL | undefined;
  name: string | undefined;
  /** Whether the guest gets WASI. */
  wasi: boolean;
}) => Promise<Thread>;

/** Set by every entry point before anybody can ask, or with what is loaded first. */
let current: Platform;
let spawn: SpawnThread | undefined;

/**
 * Applies the platform's threads. They are no part of `Platform`, so that a bundler can leave them out of an app that starts none: an
 * entry point calls this with what starts guests, not by itself.
 */
export function useThreads(spawnThread: SpawnThread): void {
  spawn = spawnThread;
}

export const spawnThread: SpawnThread = (options) => {
  if (spawn === undefined) throw new Error('no threads: import "wasmex", not a file inside it');
  return spawn(options);
};

/** Set by every entry point before anybody can ask. */
let load: () => Promise<typeof Background>;

/**
 * Says where to load from what `Module` needs in the background. An entry point calls it once; what it loads along with that may apply the
 * platform, so that a bundler can leave it out of the file that an app loads first.
 */
export function useLoading(loader: () => Promise<typeof Background>): void {
  load = loader;
}

export function loading(): Promise<typeof Background> {
  return load();
}

/**
 * One member of a part of the package that is loaded when it is first needed. `build.mjs` knows the form of these calls: where all is one file it
 * puts the member itself in their place.
 */
export function loadPart<T>(load: () => Promise<T>): Promise<T> {
  return load().catch((cause) => {
    throw new WasmexError(
      `a part of wasmex could not be loaded (${cause}): reload the page if the app was deployed anew`,
      { cause },
    );
  });
}

/** Applies the platform that the core runs on. Entry points call it once, when they are loaded. */
export function usePlatform(platform: Platform): void {
  current = platform;
}

export function platform(): Platform {
  return current;
}
