import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as Wasmex from "wasmex";

/** Computes, traps, loops without end, grows its memory, writes and reads a file. */
const GUEST = `(module
  (import "env" "host" (func $host (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (memory (export "memory") 2 64)
  (data (i32.const 64) "soak")
  (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "host") (param i32) (result i32) (call $host (local.get 0)))
  (func (export "trap") unreachable)
  (func (export "spin") (loop $again (br $again)))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "file") (result i32)
    (drop (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4)
      (i32.const 9) (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 0)))
    (i32.store (i32.const 8) (i32.const 0))
    (i32.store (i32.const 12) (i32.const 65536))
    (drop (call $write (i32.load (i32.const 0)) (i32.const 8) (i32.const 1) (i32.const 16)))
    (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))
    (call $close (i32.load (i32.const 0)))))`;

interface Sample {
  /** Bytes of JavaScript objects and of buffers after a collection. */
  readonly live: number;
  /** Bytes in memory, and bytes of addresses: what a shared memory reserves counts here as soon as it is made. */
  readonly rss: number;
  readonly addresses: number;
  readonly threads: number;
  readonly descriptors: number;
  /** Timers, ports and the like that the event loop knows of. */
  readonly handles: number;
}

export interface SoakReport {
  readonly rounds: number;
  readonly starts: number;
  readonly timeouts: number;
  readonly restarts: number;
  readonly first: Sample;
  readonly last: Sample;
}

/** Linux tells what a program holds; elsewhere only the memory is compared. */
function entries(path: string): number {
  try {
    return readdirSync(path).length;
  } catch {
    return 0;
  }
}

function addresses(): number {
  try {
    return Number(/VmSize:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024;
  } catch {
    return 0;
  }
}

async function sample(): Promise<Sample> {
  // What the collector frees, it frees now (`--expose-gc`).
  for (let turn = 0; turn < 3; turn++) {
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    live: heapUsed + external,
    rss,
    addresses: addresses(),
    threads: entries("/proc/self/task"),
    descriptors: entries("/proc/self/fd"),
    handles: process.getActiveResourcesInfo().length,
  };
}

/**
 * How much more each may be at the end. What is live after a collection wavers by half a megabyte, addresses by one, and resident
 * bytes by what the allocator keeps; a shared memory that is left behind takes ten gigabytes of addresses, a thread two megabytes.
 */
const SLACK: Readonly<Record<keyof Sample, number>> = {
  live: 6 * 2 ** 20,
  rss: 64 * 2 ** 20,
  addresses: 64 * 2 ** 20,
  threads: 0,
  descriptors: 0,
  handles: 0,
};

/**
 * Starts, calls, timeouts, restarts and file work for so long, on threads, on this thread, in memory and in a host directory.
 * @throws Error where memory, threads or descriptors grew
 */
export async function soak(
  milliseconds: number,
  log: (line: string) => void = () => {},
): Promise<SoakReport> {
  const module = await Wasmex.Module.compile(GUEST);
  const directory = await mkdtemp(join(tmpdir(), "wasmex-soak-"));
  const fs = new Wasmex.VirtualFileSystem({ "/work": {} });
  const imports = { env: { host: Wasmex.fn(["i32"], ["i32"], async (_context, n) => n + 1) } };
  const counts = { rounds: 0, starts: 0, timeouts: 0, restarts: 0 };
  const end = performance.now() + milliseconds;
  const warm = performance.now() + milliseconds / 4;
  let first: Sample | undefined;
  let told = performance.now();

  const round = async () => {
    counts.rounds++;
    const onHost = counts.rounds % 3 === 0;
    const stdout = new Wasmex.Pipe();
    const flags = ["read", "write", "create"] as const;
    const wasi = onHost
      ? { stdout, preopen: { [directory]: { flags: [...flags] } } }
      : { fs, stdout, preopen: { "/work": { flags: [...flags] } } };
    const guest = await Wasmex.start({ module, imports, wasi, thread: "worker" });
    counts.starts++;
    for (let n = 0; n < 50; n++) await guest.callFunction("sum", [n, n]);
    for (let n = 0; n < 20; n++) await guest.callFunction("host", [n]);
    for (let n = 0; n < 10; n++) await guest.callFunction("file");
    await guest.callFunction("grow");
    await guest.callFunction("trap").catch(() => undefined);
    if (stdout.read().length !== 10 * 65536) throw new Error("the pipe lost bytes");
    if (counts.rounds % 2 === 0) {
      counts.timeouts++;
      await guest.callFunction("spin", [], 5).then(
        () => Promise.reject(new Error("an endless loop ended")),
        () => undefined,
      );
    }
    await guest.stop();

    const supervisor = await Wasmex.Supervisor.start(
      [Wasmex.childSpec({ id: "child", module, imports, wasi })],
      {
        maxRestarts: 100,
      },
    );
    const child = supervisor.child("child");
    await child.callFunction("spin", [], 5).catch(() => undefined);
    await child.exited;
    for (let turn = 0; turn < 6000; turn++) {
      const now = supervisor.child("child");
      if (now !== child) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await supervisor.child("child").callFunction("sum", [1, 1]);
    counts.restarts++;
    await supervisor.stop();

    const inline = await Wasmex.start({
      module,
      imports: { env: { host: (n: number) => n } },
      wasi,
      thread: "inline",
    });
    for (let n = 0; n < 20; n++) await inline.callFunction("file");
    stdout.read();
    await inline.stop();
  };

  try {
    while (performance.now() < end) {
      await round();
      if (first === undefined && performance.now() > warm) first = await sample();
      if (performance.now() - told > 30_000) {
        told = performance.now();
        log(`${counts.rounds} rounds, ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`);
      }
    }
    first ??= await sample();
    const last = await sample();
    const report = { ...counts, first, last };
    for (const key of Object.keys(SLACK) as (keyof Sample)[]) {
      if (last[key] > first[key] + SLACK[key]) throw new Error(`${key} grew: ${JSON.stringify(report)}`);
    }
    return report;
  } finally {
    await rm(directory, { recursive: true });
  }
}
