import { platform } from "./platform.js";

/** What this engine and page offer. */
export interface Capabilities {
  /** Where `thread: "auto"` runs a guest here. */
  readonly thread: "worker" | "inline";
  /** Why, in one sentence; for `"inline"` with the step that would change it. */
  readonly reason: string;
  /** Whether threads can be started at all. */
  readonly threads: boolean;
  /** Whether memory can be shared with them. */
  readonly sharedMemory: boolean;
  /** Whether the calling thread may sleep: inline guests can then wait, too. */
  readonly blocking: boolean;
  /** Whether inline guests can wait for async host functions (JavaScript promise integration). */
  readonly jspi: boolean;
  /** Whether guests can be given directories of the host's own. */
  readonly hostDirectories: boolean;
  /** What the engine compiles of WebAssembly's later features. */
  readonly features: {
    /** 128-bit vectors (`v128`). */
    readonly simd: boolean;
    /** Exceptions with `try_table` and `exnref`. */
    readonly exceptions: boolean;
    /** Structs and arrays that the engine collects. */
    readonly gc: boolean;
    /** Memories with 64-bit addresses. */
    readonly memory64: boolean;
    /** More than one memory in a module. */
    readonly multiMemory: boolean;
    /** `return_call` and its relatives. */
    readonly tailCalls: boolean;
  };
}

/** Whether the engine takes a module of these sections. */
function takes(...sections: number[]): boolean {
  return WebAssembly.validate(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections]));
}

/**
 * What this engine and page offer, which thread `"auto"` takes here, and why.
 *
 * ```ts
 * const { thread, reason } = Wasmex.capabilities();
 * ```
 */
export function capabilities(): Capabilities {
  const { threads, sharedMemory, reason } = platform().threadSupport();
  const worker = threads && sharedMemory;
  return {
    thread: worker ? "worker" : "inline",
    reason: worker ? "guests get a thread of their own and share their memory with this one" : reason,
    threads,
    sharedMemory,
    blocking: sharedMemory && platform().mayBlock(),
    jspi: WebAssembly.Suspending !== undefined && WebAssembly.promising !== undefined,
    hostDirectories: platform().hasDirectories,
    features: {
      // (func (result v128) i32.const 0 i8x16.splat)
      simd: takes(1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 8, 1, 6, 0, 0x41, 0, 0xfd, 15, 0x0b),
      // (func try_table end)
      exceptions: takes(1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 8, 1, 6, 0, 0x1f, 0x40, 0, 0x0b, 0x0b),
      // (type (struct))
      gc: takes(1, 3, 1, 0x5f, 0),
      // (memory i64 0)
      memory64: takes(5, 3, 1, 4, 0),
      // (memory 0) (memory 0)
      multiMemory: takes(5, 5, 2, 0, 0, 0, 0),
      // (func return_call 0)
      tailCalls: takes(1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 6, 1, 4, 0, 0x12, 0, 0x0b),
    },
  };
}
