import * as fc from "fast-check";
import { ExitError, UnsupportedError } from "../../src/errors.js";
import { platform, usePlatform } from "../../src/platform.js";
import type { PreopenFlag } from "../../src/vfs/access.js";
import { VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import { FUNCTION_NAMES } from "../../src/wasi/signatures.js";
import { Wasi } from "../../src/wasi/wasi.js";
import { furnish, type HostileCall, hostileCalls, MEMORY_SIZE, outputsOf } from "./hostile-calls.js";

const ERRNO_FAULT = 21;
const LAST_ERRNO = 76;
const CALLS = 24;

const flagSets: PreopenFlag[][] = [
  ["read"],
  ["write"],
  ["create"],
  ["read", "write"],
  ["read", "write", "create"],
];

interface Case {
  readonly unstable: boolean;
  readonly flags: PreopenFlag[];
  readonly noise: number;
  readonly calls: readonly HostileCall[];
}

const cases: fc.Arbitrary<Case> = fc.record({
  unstable: fc.boolean(),
  flags: fc.constantFrom(...flagSets),
  noise: fc.integer(),
  calls: fc.array(hostileCalls(FUNCTION_NAMES), { maxLength: CALLS }),
});

function newWasi(flags: PreopenFlag[]): Wasi {
  const fs = new VirtualFileSystem({ "/file": "content of the file", "/dir": { inner: "x".repeat(5000) } });
  fs.symlink("dir/inner", "/link");
  fs.symlink("loop", "/loop");
  fs.symlink("../../etc", "/escape");
  const everything = ["read", "write", "create"] as const;
  return new Wasi(
    {
      args: ["a", "ö"],
      env: { HOME: "/" },
      stdin: "null",
      stdout: "null",
      stderr: () => {},
      fs,
      preopen: { "/": { flags, alias: "/" }, "/dir": { flags: everything } },
      random: (bytes) => bytes.fill(7),
      clock: () => 1_000_000n,
    },
    { limits: { openFiles: 12 } },
  );
}

/** Runs the calls one after the other; throws where one of them breaks the rules. */
function hold({ unstable, flags, noise, calls }: Case): void {
  const wasi = newWasi(flags);
  const memory = new WebAssembly.Memory({ initial: 1 });
  wasi.bind(memory);
  const namespace = unstable ? "wasi_unstable" : "wasi_snapshot_preview1";
  const functions = wasi.getImportObject()[namespace] as Record<
    string,
    (...parameters: (number | bigint)[]) => unknown
  >;
  const before = new Uint8Array(MEMORY_SIZE);
  openFiles(functions, memory);
  furnish(before.buffer, noise);
  try {
    for (const call of calls) {
      const run = functions[call.name];
      // `sock_accept` is younger than wasi_unstable.
      if (run === undefined) continue;
      const after = new Uint8Array(memory.buffer);
      after.set(before);
      const errno = answer(call, run);
      if (errno === undefined) continue;
      if (!Number.isInteger(errno) || errno < 0 || errno > LAST_ERRNO)
        throw new Error(`answered ${String(errno)}`);
      const outputs =
        errno === ERRNO_FAULT
          ? []
          : outputsOf(call, new DataView(before.buffer), { filestat: unstable ? 56 : 64 });
      compare(before, after, outputs, call);
    }
  } finally {
    wasi.close();
  }
}

/** Gives the guest a directory, a file to read and, as its rights allow, files to write and to append to. */
function openFiles(
  functions: Record<string, (...parameters: (number | bigint)[]) => unknown>,
  memory: WebAssembly.Memory,
): void {
  const open = (path: string, oflags: number, rights: bigint, fdflags: number): void => {
    const length = new TextEncoder().encodeInto(path, new Uint8Array(memory.buffer)).written;
    functions.path_open?.(4, 0, 0, length, oflags, rights, 0x1fffffffn, fdflags, 64);
  };
  open(".", 2, 0x0ffffffdn & ~64n, 0);
  open("inner", 0, 0x1fffffffn & ~65n, 0);
  open("inner", 0, 0x1fffffffn, 0);
  open("new", 1, 0x1fffffffn, 0);
  open("log", 1, 0x1fffffffn, 1);
}

/** The errno, or `undefined` for what a function may throw: exit, and a wait that this thread can't do. */
function answer(call: HostileCall, run: (...parameters: (number | bigint)[]) => unknown): number | undefined {
  try {
    return run(...call.parameters) as number;
  } catch (error) {
    if (error instanceof ExitError && call.name === "proc_exit") return undefined;
    if (error instanceof UnsupportedError && call.name === "poll_oneoff") return undefined;
    throw new Error(`${call.name} threw: ${String(error)}`, { cause: error });
  }
}

function compare(
  before: Uint8Array,
  after: Uint8Array,
  outputs: readonly (readonly [number, number])[],
  call: HostileCall,
): void {
  if (after.length !== before.length) throw new Error("the memory changed its size");
  for (let at = 0; at < before.length; at++) {
    if (before[at] === after[at]) continue;
    if (!outputs.some(([start, length]) => at >= start && at < start + length)) {
      throw new Error(`${call.name} changed byte ${at}, outside of what it was given`);
    }
  }
}

/**
 * Any pointer, length, flag, descriptor or path to any function of WASI: the answer is an errno, never an exception, and no byte
 * changes outside the buffers that the call was given; where the answer is `EFAULT` none at all.
 *
 * @throws Error with the seed and the smallest sequence of calls that breaks the rule
 */
export async function fuzz({
  seed,
  milliseconds,
}: {
  seed: number;
  milliseconds: number;
}): Promise<{ cases: number }> {
  const end = performance.now() + milliseconds;
  const usual = platform();
  // A guest may ask to sleep for years.
  usePlatform({ ...usual, mayBlock: () => false });
  let count = 0;
  try {
    for (let round = 0; performance.now() < end; round++) {
      const checked = fc.check(fc.property(cases, hold), { seed: seed + round, numRuns: 50 });
      if (checked.failed) {
        throw new Error(`seed ${seed + round}\n${fc.defaultReportMessage(checked)}`, {
          cause: checked.errorInstance,
        });
      }
      count += checked.numRuns;
      await new Promise((resolve) => setTimeout(resolve));
    }
  } finally {
    usePlatform(usual);
  }
  return { cases: count };
}
