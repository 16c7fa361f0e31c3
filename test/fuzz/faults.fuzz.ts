import * as Wasmex from "wasmex";
import { MemoryBackend } from "../../src/vfs/memory-backend.js";
import { checkArena } from "../vfs/arena-check.js";
import { random } from "../vfs/arena-operations.js";

/** Computes, calls the host, writes files, reads and writes pipes, each until it is stopped or has done `n` rounds. */
const GUEST = `(module
  (import "env" "host" (func $host (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (memory (export "memory") 4)
  (data (i32.const 64) "file-a")
  (data (i32.const 96) "file-b")
  (func (export "spin") (param i32) (result i32) (loop $again (br $again)) (i32.const 0))
  (func (export "ticks") (param i32) (result i32)
    (loop $again (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 8))) (br $again)) (i32.const 0))
  (func (export "hosts") (param $n i32) (result i32)
    (loop $again
      (drop (call $host (local.get $n)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (i32.gt_s (local.get $n) (i32.const 0))))
    (i32.const 1))
  (func (export "files") (param $n i32) (result i32)
    (loop $again
      (i32.store8 (i32.const 69) (i32.add (i32.const 97) (i32.rem_u (local.get $n) (i32.const 20))))
      (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 6)
          (i32.const 1) (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 0)))
        (then
          (i32.store (i32.const 8) (i32.const 1024))
          (i32.store (i32.const 12) (i32.mul (local.get $n) (i32.const 97)))
          (drop (call $write (i32.load (i32.const 0)) (i32.const 8) (i32.const 1) (i32.const 16)))
          (drop (call $close (i32.load (i32.const 0))))))
      (drop (call $rename (i32.const 3) (i32.const 64) (i32.const 6) (i32.const 3) (i32.const 96) (i32.const 6)))
      (if (i32.and (local.get $n) (i32.const 1))
        (then (drop (call $unlink (i32.const 3) (i32.const 96) (i32.const 6)))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (i32.gt_s (local.get $n) (i32.const 0))))
    (i32.const 2))
  (func (export "pipes") (param $n i32) (result i32)
    (i32.store (i32.const 8) (i32.const 1024))
    (i32.store (i32.const 12) (i32.const 300))
    (loop $again
      (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (i32.gt_s (local.get $n) (i32.const 0))))
    (drop (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 16)))
    (i32.const 3))
  (func (export "boom") (param i32) (result i32) unreachable))`;

// A symbol and objects that strike when they are looked at: `message`, or any member at all.
const THROWN: readonly (() => unknown)[] = [
  () => "no error at all",
  () => undefined,
  () => Symbol("thrown"),
  () => ({
    get message(): string {
      throw new Error("a message that throws");
    },
  }),
  () => new Proxy(new Error("hidden"), { get: strike, getPrototypeOf: strike }),
];

function strike(): never {
  throw new Error("a trap of a proxy");
}

const NAMES = ["spin", "hosts", "files", "pipes", "boom"] as const;
const SETTLED_WITHIN = 5000;

type Pick = (below: number) => number;

/** What a host function may do to its caller. */
function hostFunction(pick: Pick, stop: () => void): Wasmex.HostFunction {
  const manner = pick(8);
  const thrown = THROWN[pick(THROWN.length)] as () => unknown;
  return Wasmex.fn(["i32"], ["i32"], (_context, n) => {
    if (n % 5 !== 0) return n;
    switch (manner) {
      case 0:
        throw thrown();
      case 1:
        return Promise.reject(thrown());
      case 2:
        return new Promise<number>(() => {});
      case 3:
        stop();
        return n;
      case 4:
        return {} as number;
      case 5:
        return new Promise<number>((resolve) => setTimeout(() => resolve(n)));
      default:
        return n;
    }
  });
}

async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} did not settle within ${SETTLED_WITHIN} ms`)),
      SETTLED_WITHIN,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function oneCase(module: Wasmex.Module, pick: Pick, names: readonly string[]): Promise<void> {
  const backend = new MemoryBackend();
  const fs = new Wasmex.VirtualFileSystem();
  fs.mount("/work", backend);
  const stdin = new Wasmex.Pipe({ blocking: pick(2) === 0 });
  const stdout = new Wasmex.Pipe();
  let guest: Wasmex.Process | undefined;
  guest = await within(
    "start",
    Wasmex.start({
      module,
      thread: "worker",
      imports: { env: { host: hostFunction(pick, () => void guest?.stop()) } },
      wasi: { fs, stdin, stdout, preopen: { "/work": { flags: ["read", "write", "create"] } } },
    }),
  );
  const controller = new AbortController();
  const calls = Array.from({ length: 1 + pick(4) }, () => {
    const name = names[pick(names.length)] as string;
    const timeout = pick(3) === 0 ? 1 + pick(20) : Number.POSITIVE_INFINITY;
    const call = (guest as Wasmex.Process).callFunction(name, [1 + pick(60)], {
      timeout,
      signal: controller.signal,
    });
    // Looked at below; a rejection meanwhile is no unhandled one.
    call.catch(() => undefined);
    return call;
  });
  await new Promise((resolve) => setTimeout(resolve, pick(12)));
  if (pick(3) === 0) stdin.end();
  if (pick(4) === 0) controller.abort(new Error("aborted"));
  const stopping = guest.stop();
  for (const outcome of await within("a call", Promise.allSettled(calls))) {
    const isKnown =
      outcome.status === "fulfilled" ||
      outcome.reason instanceof Wasmex.WasmexError ||
      outcome.reason === controller.signal.reason;
    if (!isKnown)
      throw new Error(`a call rejected with ${String(outcome.reason)}`, { cause: outcome.reason });
  }
  await within("stop", stopping);
  await within("exited", guest.exited);
  checkArena(backend.memory);
  fs.writeFile("/work/after", "still here");
  if (fs.readFile("/work/after", "utf8") !== "still here") throw new Error("the file system lost a write");
  for (const name of fs.readdir("/work")) fs.stat(`/work/${name}`);
  stdout.write("!");
  if (!stdout.readString().endsWith("!")) throw new Error("the pipe lost a write");
}

/**
 * Processes stopped, timed out and aborted at random points of calls, host calls, pipes and file writes: every promise
 * settles, the file system is whole, the pipe works on.
 * @throws Error with the seed of the case
 */
export async function fuzz({
  seed,
  milliseconds = Number.POSITIVE_INFINITY,
  most = Number.POSITIVE_INFINITY,
  stopsLoops = true,
}: {
  seed: number;
  milliseconds?: number;
  /** Cases at most. */
  most?: number;
  /** Whether the engine ends a terminated thread that is in a loop without calls. */
  stopsLoops?: boolean;
}): Promise<{ cases: number }> {
  const module = await Wasmex.Module.compile(GUEST);
  const end = performance.now() + milliseconds;
  const names = NAMES.map((name) => (name === "spin" && !stopsLoops ? "ticks" : name));
  let cases = 0;
  for (; (performance.now() < end && cases < most) || cases === 0; cases++) {
    try {
      await oneCase(module, random(seed + cases), names);
    } catch (error) {
      throw new Error(`faults, seed ${seed + cases}: ${String(error)}`, { cause: error });
    }
  }
  return { cases };
}
