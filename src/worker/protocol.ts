/** What host and worker say to each other by message. Calls go through shared memory where there is any (`ring.ts`). */
import type { SharedPipe } from "../pipe.js";
import type { ModuleData } from "../shape.js";
import type { FileSystemDescription } from "../vfs/share.js";
import type { WasiOptions } from "../wasi/options.js";

/** The shared memory between a host and its worker. */
export interface Channel {
  readonly words: SharedArrayBuffer;
  readonly toWorker: SharedPipe;
  readonly toHost: SharedPipe;
  /** How the worker wakes the host: through `Atomics.waitAsync`, or by message where the engine lacks that. */
  readonly bell: "wait" | "message";
  /** Milliseconds for which the worker looks for the next record before it sleeps; 0 where there is one core only. */
  readonly spin: number;
}

/** How the worker comes by one import that the user gave. */
export interface ImportPlan {
  /** What the engine would refuse, in words. */
  readonly problem?: string;
  /** A shared memory, or a constant for an immutable global; without one it is a function of the host's. */
  readonly value?: WebAssembly.Memory | number | bigint;
}

/** Where a guest's standard stream leads. */
export type StreamPlan =
  | { readonly kind: "null" }
  /** The terminal itself, where any thread may write to it. */
  | { readonly kind: "direct" }
  /** A pipe of the user's. */
  | { readonly kind: "pipe"; readonly pipe: SharedPipe }
  /** A pipe that the host empties into a callback or the console, or fills with its own input once the guest asks. */
  | { readonly kind: "host"; readonly pipe: SharedPipe }
  /** Without shared memory: all the input there is, and output by message. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "message" };

export interface WasiPlan {
  readonly stdin: StreamPlan;
  readonly stdout: StreamPlan;
  readonly stderr: StreamPlan;
  /** What else of the user's options can be cloned. */
  readonly options: WasiOptions;
  /** The file system, as the thread opens it. */
  readonly fs: FileSystemDescription | undefined;
  /** Place of the function that does the operations of its proxied backends. */
  readonly files: number | undefined;
  /** Places of the user's own sources among the host's functions. */
  readonly clock: number | undefined;
  readonly random: number | undefined;
}

export interface StartMessage {
  readonly kind: "start";
  /** Names the thread in the locks it takes. */
  readonly id: number;
  readonly module: ModuleData;
  readonly channel: Channel | undefined;
  /** In the module's order. */
  readonly imports: readonly (readonly [namespace: string, name: string, plan: ImportPlan])[];
  readonly wasi: WasiPlan | undefined;
  readonly limits: { readonly openFiles?: number } | undefined;
}

/** A call where there is no shared memory. */
export interface CallMessage {
  readonly kind: "call";
  /** Place of the function among the exports. */
  readonly index: number;
  readonly values: readonly unknown[];
}

/** What has been written to the guest's stdin since then, where there is no shared memory. */
export interface InputMessage {
  readonly kind: "input";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export type HostMessage = StartMessage | CallMessage | InputMessage;

export type WorkerMessage =
  /** The thread's script has been loaded. */
  | { readonly kind: "here" }
  /** The instance is there; its start function has run, `_initialize` has not. */
  | { readonly kind: "made"; readonly memories: ReadonlyMap<string, WebAssembly.Memory> }
  | { readonly kind: "ready" }
  /** No instance could be made: the error in the codec's bytes, or the host error of that number. */
  | {
      readonly kind: "failed";
      readonly hostError: number;
      readonly bytes: Uint8Array<ArrayBuffer> | undefined;
    }
  | { readonly kind: "bell" }
  | { readonly kind: "result"; readonly values: readonly unknown[] }
  | { readonly kind: "error"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "output"; readonly stream: 1 | 2; readonly bytes: Uint8Array<ArrayBuffer> };
