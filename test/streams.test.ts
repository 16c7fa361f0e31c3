import { describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { fixture, thread } from "./support/index.js";

const compiled = fixture("streams.wat").then((bytes) => Wasmex.Module.compile(bytes));
const inWorker = thread === "worker";

async function begin(wasi: Wasmex.WasiOptions, limits: Wasmex.Limits = {}): Promise<Wasmex.Process> {
  return Wasmex.start({ module: await compiled, thread, wasi: { stdin: "null", ...wasi }, limits });
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "resolved",
    (error: unknown) => error,
  );

const fail = (error: Error): never => {
  throw error;
};

describe(`standard streams of a Process (${thread})`, () => {
  it("one Pipe is stdin, stdout and stderr at once", async () => {
    const pipe = new Wasmex.Pipe();
    await using guest = await begin({ stdin: pipe, stdout: pipe, stderr: pipe });
    pipe.write("in");
    expect(await guest.callFunction("read")).toEqual([2]);
    await guest.callFunction("say");
    expect(pipe.readString()).toBe("a line\na line\n");
    expect(await guest.callFunction("read")).toEqual([0]);
  });

  it("a Pipe made as a terminal is one to the guest", async () => {
    const module = await Wasmex.Module.compile(`(module
      (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "filetype") (param i32) (result i32)
        (drop (call $stat (local.get 0) (i32.const 0)))
        (i32.load8_u (i32.const 0))))`);
    const [stdin, stdout] = [new Wasmex.Pipe({ blocking: true, terminal: true }), new Wasmex.Pipe()];
    await using guest = await Wasmex.start({ module, thread, wasi: { stdin, stdout } });
    expect([stdin.blocking, stdout.blocking]).toEqual([true, false]);
    // WASI preview 1, `filetype`: a character device, unknown.
    expect(await guest.callFunction("filetype", [0])).toEqual([2]);
    expect(await guest.callFunction("filetype", [1])).toEqual([0]);
  });

  it("a Pipe serves several processes, one after the other and at once", async () => {
    const stdout = new Wasmex.Pipe();
    await using first = await begin({ stdout });
    await using second = await begin({ stdout, stderr: "null" });
    await Promise.all([first.callFunction("say"), second.callFunction("say")]);
    expect(stdout.readString()).toBe("a line\na line\n");
  });

  it("a callback gets its chunks before the call resolves", async () => {
    const seen: string[] = [];
    await using guest = await begin({
      stdout: (chunk) => void seen.push(new TextDecoder().decode(chunk)),
      stderr: (chunk) => void seen.push(`! ${new TextDecoder().decode(chunk)}`),
    });
    await guest.callFunction("say");
    expect(seen.sort()).toEqual(["! a line\n", "a line\n"]);
    expect(await guest.callFunction("write", [60_000])).toEqual([0]);
    expect(seen.slice(2).join("").length).toBe(60_000);
  });

  it("a callback that throws ends the call, and the guest can be called again", async () => {
    const full = new Error("full");
    let broken = true;
    let told = 0;
    await using guest = await begin({
      stderr: "null",
      stdout(chunk) {
        if (broken) throw full;
        told += chunk.length;
      },
    });
    const message = "wasi.stdout failed: full";
    // On a thread the first may have ended by itself when the chunk arrives; the other never does.
    for (const name of ["say", "chatter"]) {
      broken = true;
      const error = await failure(guest.callFunction(name, [], Number.POSITIVE_INFINITY));
      expect(error).toMatchObject({ name: "HostFunctionError", message });
      expect((error as Error).cause).toBe(full);
      // What the call had written beside is not the next one's.
      expect(await guest.callFunction("time")).toHaveLength(1);
      broken = false;
      told = 0;
      expect(await guest.callFunction("write", [1])).toEqual([0]);
      expect(told).toBe(1);
    }
    const ran = await failure(
      Wasmex.run({ module: await compiled, thread, wasi: { stdout: () => fail(full) } }),
    );
    expect(ran).toMatchObject({ name: "HostFunctionError", message, cause: full, stderr: "" });
  });

  it("a callback that throws ends the call whose output it was, and none that waits", async () => {
    const full = new Error("full");
    let calls = 0;
    await using guest = await begin({
      stderr: "null",
      stdout() {
        if (++calls === 1) throw full;
      },
    });
    const [said, ...behind] = await Promise.all([
      failure(guest.callFunction("say")),
      ...Array.from({ length: 3 }, () => guest.callFunction("time")),
    ]);
    expect(said).toMatchObject({ name: "HostFunctionError", cause: full });
    expect(behind.map((results) => results?.length)).toEqual([1, 1, 1]);
  });

  it("a callback that throws while the guest is started ends the start", async () => {
    const full = new Error("full");
    const bytes = `(module
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "_initialize")
        (i32.store (i32.const 4) (i32.const 6))
        (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))))`;
    const started = await failure(Wasmex.start({ bytes, thread, wasi: { stderr: () => fail(full) } }));
    expect(started).toMatchObject({
      name: "HostFunctionError",
      message: "wasi.stderr failed: full",
      cause: full,
    });
  });

  it("a callback may answer a promise, which nobody waits for", async () => {
    const chunks: string[] = [];
    await using guest = await begin({
      stdout: async (chunk) => {
        await undefined;
        chunks.push(new TextDecoder().decode(chunk));
      },
    });
    await guest.callFunction("say");
    await new Promise<void>((resolve) => setTimeout(resolve));
    expect(chunks).toEqual(["a line\n"]);
  });

  it("a clock or random source that fails ends the call", async () => {
    const broken = new Error("no battery");
    await using guest = await begin({ clock: () => fail(broken), random: () => fail(broken) });
    for (const [name, key] of [
      ["time", "clock"],
      ["random", "random"],
    ] as const) {
      const error = await failure(guest.callFunction(name));
      expect(error).toMatchObject({ name: "HostFunctionError", message: `wasi.${key} failed: no battery` });
      expect((error as Error).cause).toBe(broken);
    }
    const answers = [() => "soon", () => undefined, () => Number.NaN, () => Promise.reject(broken)];
    await using vague = await begin({
      clock: () => answers.shift()?.() as unknown as number,
      random: async () => {
        throw broken;
      },
    });
    for (const [name, why] of [
      ["time", "it answered soon"],
      ["time", "it answered undefined"],
      ["time", "it answered NaN"],
      ["time", "it answered [object Promise]"],
      ["random", "it answered [object Promise]"],
    ] as const) {
      const message = `wasi.${name === "time" ? "clock" : "random"} failed: ${why}`;
      expect(await failure(vague.callFunction(name))).toMatchObject({ name: "HostFunctionError", message });
    }
  });

  it("limits.pipeBytes is EAGAIN for the guest", async () => {
    const stdout = new Wasmex.Pipe();
    await using guest = await begin({ stdout }, { pipeBytes: 100 });
    expect(await guest.callFunction("write", [100])).toEqual([0]);
    expect(await guest.callFunction("write", [1])).toEqual([6]);
    expect(stdout.read().length).toBe(100);
    expect(await guest.callFunction("write", [1])).toEqual([0]);
  });

  it.runIf(inWorker && Wasmex.capabilities().sharedMemory)(
    "a guest that writes to a full blocking Pipe waits until the host reads",
    async () => {
      // 4,096 bytes, 64 times; answers the first errno.
      const module = await Wasmex.Module.compile(`(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\\00\\10\\00\\00\\00\\10\\00\\00")
        (func (export "pour") (result i32) (local $turn i32) (local $errno i32)
          (loop $again
            (local.set $errno (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
            (local.set $turn (i32.add (local.get $turn) (i32.const 1)))
            (br_if $again (i32.and (i32.eqz (local.get $errno)) (i32.lt_u (local.get $turn) (i32.const 64)))))
          (local.get $errno)))`);
      const stdout = new Wasmex.Pipe({ blocking: true, limit: 10_000 });
      await using guest = await Wasmex.start({ module, thread, wasi: { stdout } });
      let [bytes, most] = [0, 0];
      const pouring = guest.callFunction("pour").finally(() => stdout.end());
      for await (const chunk of stdout) {
        bytes += chunk.length;
        most = Math.max(most, chunk.length);
      }
      expect(await pouring).toEqual([0]);
      expect(bytes).toBe(64 * 4096);
      expect(most).toBeLessThanOrEqual(10_000);
      const other = new Wasmex.Pipe({ limit: 10_000 });
      await using hasty = await Wasmex.start({ module, thread, wasi: { stdout: other } });
      expect(await hasty.callFunction("pour")).toEqual([6]);
      // One that waits for room when the host ends the pipe has had a part of it taken, and then nobody to write to: EIO.
      const ending = new Wasmex.Pipe({ blocking: true, limit: 10 });
      await using left = await Wasmex.start({ module, thread, wasi: { stdout: ending } });
      const waiting = left.callFunction("pour");
      while (ending.size < 10) await new Promise((resolve) => setTimeout(resolve));
      ending.end();
      expect(await waiting).toEqual([29]);
      expect(left.memory("uint32").get(4)).toBe(10);
      // A guest that waits for room is stopped like any other.
      const full = new Wasmex.Pipe({ blocking: true, limit: 10 });
      const stuck = await Wasmex.start({ module, thread, wasi: { stdout: full } });
      expect(await failure(stuck.callFunction("pour", [], 50))).toBeInstanceOf(Wasmex.TimeoutError);
    },
  );

  it.runIf(!inWorker || Wasmex.capabilities().sharedMemory)(
    "a Pipe that ends takes what there is room for, then it is EIO, and one that FDFLAGS_NONBLOCK is set for is EAGAIN when it is full",
    async () => {
      const module = await Wasmex.Module.compile(`(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $flags (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "hasten") (result i32) (call $flags (i32.const 1) (i32.const 4)))
        (func (export "write") (param i32) (result i32)
          (i32.store (i32.const 4) (local.get 0))
          (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16))))`);
      for (const blocking of [false, true]) {
        const ended = new Wasmex.Pipe({ blocking, limit: 10 });
        await using late = await Wasmex.start({ module, thread, wasi: { stdout: ended } });
        ended.end();
        expect(await late.callFunction("write", [4])).toEqual([0]);
        expect(await late.callFunction("write", [100])).toEqual([0]);
        expect(late.memory("uint32").get(4)).toBe(6);
        expect(await late.callFunction("write", [100])).toEqual([29]);
        expect(ended.read()).toHaveLength(10);

        const full = new Wasmex.Pipe({ blocking, limit: 10 });
        await using hasty = await Wasmex.start({ module, thread, wasi: { stdout: full } });
        expect(await hasty.callFunction("hasten")).toEqual([0]);
        expect(await hasty.callFunction("write", [100])).toEqual([0]);
        expect(hasty.memory("uint32").get(4)).toBe(10);
        expect(await hasty.callFunction("write", [100])).toEqual([6]);
      }
    },
  );

  it("limits.fileSystemBytes is ENOSPC for the guest", async () => {
    const fs = new Wasmex.VirtualFileSystem({ "/dir": {} });
    const preopen = { "/dir": { flags: ["read", "write", "create"] as const } };
    await using guest = await begin({ fs, preopen }, { fileSystemBytes: 20_000 });
    expect(await guest.callFunction("save", [5000])).toEqual([0]);
    expect(await guest.callFunction("save", [60_000])).toEqual([51]);
  });

  it("wasi options may be proxies all through, as frameworks make them of what they watch", async () => {
    const watched = <T extends object>(target: T): T =>
      new Proxy(target, {
        get(of, key, receiver) {
          const value = Reflect.get(of, key, receiver);
          return typeof value === "object" && value !== null ? watched(value) : value;
        },
      });
    const wasi = watched({
      args: ["one", "two"],
      env: { NAME: "value" },
      preopen: { "/there": { flags: ["read", "write", "create"] as const, alias: "/dir" } },
    });
    const { args, env, preopen } = wasi;
    const fs = new Wasmex.VirtualFileSystem({ "/there": {} });
    await using guest = await begin({ args, env, preopen, fs });
    expect(await guest.callFunction("save", [5])).toEqual([0]);
    expect(fs.stat("/there/file").size).toBe(5);
  });

  it("proc_exit ends the call, 0 well", async () => {
    await using guest = await begin({});
    expect(await guest.callFunction("exit", [0])).toEqual([]);
    const error = await failure(guest.callFunction("exit", [7]));
    expect(error).toBeInstanceOf(Wasmex.ExitError);
    expect((error as Wasmex.ExitError).code).toBe(7);
  });

  it("own clock and random sources are asked", async () => {
    await using guest = await begin({ clock: () => 1234, random: (bytes) => void bytes.fill(1) });
    expect(await guest.callFunction("time")).toEqual([1_234_000_000n]);
    expect(await guest.callFunction("random")).toEqual([0x01010101]);
  });

  it("a file that the guest wrote is there when the call resolves, and the other way round", async () => {
    const fs = new Wasmex.VirtualFileSystem({ "/dir": {} });
    await using guest = await begin({ fs, preopen: { "/dir": { flags: ["read", "write", "create"] } } });
    expect(await guest.callFunction("save", [2000])).toEqual([0]);
    expect(fs.readFile("/dir/file").length).toBe(2000);
    fs.remove("/dir/file");
    expect(await guest.callFunction("save", [5])).toEqual([0]);
    expect(fs.stat("/dir/file").size).toBe(5);
  });

  it("run captures what is left open, and answers the exit code", async () => {
    const module = await compiled;
    expect(await Wasmex.run({ module, thread })).toEqual({ exitCode: 3, stdout: "a line\n", stderr: "" });
    const stdout = new Wasmex.Pipe();
    expect(await Wasmex.run({ module, thread, wasi: { stdout } })).toEqual({
      exitCode: 3,
      stdout: "",
      stderr: "",
    });
    expect(stdout.readString()).toBe("a line\n");
    expect(await failure(Wasmex.run({ bytes: "(module)", thread }))).toBeInstanceOf(Wasmex.CallError);
    const signal = AbortSignal.abort(new Error("no"));
    expect(await failure(Wasmex.run({ module, thread, signal }))).toBe(signal.reason);
  });

  it("run tells what a program had written that trapped or took too long", async () => {
    const bytes = (end: string) => `(module
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 16) "so far")
      (func (export "_start")
        (i32.store (i32.const 0) (i32.const 16))
        (i32.store (i32.const 4) (i32.const 6))
        (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
        ${end}))`;
    const trapped = await failure(Wasmex.run({ bytes: bytes("unreachable"), thread }));
    expect(trapped).toMatchObject({ name: "TrapError", stdout: "", stderr: "so far" });
    const options = { bytes: bytes("(loop (br 0))"), thread, timeout: 300, interruptible: true };
    const late = await failure(Wasmex.run(options));
    expect(late).toMatchObject({ name: "TimeoutError", stdout: "", stderr: "so far" });
    expect((late as Error).message).toBe(
      "the call of `_start` took longer than 300 ms: the guest was stopped",
    );
  });

  it.runIf(inWorker)("run ends with its timeout", async () => {
    const bytes = `(module (memory (export "memory") 1) (func (export "_start") (loop $again (br $again))))`;
    expect(await failure(Wasmex.run({ bytes, thread, timeout: 200 }))).toBeInstanceOf(Wasmex.TimeoutError);
  });

  it.runIf(inWorker)("a blocking stdin is waited for, and its output is there meanwhile", async () => {
    const stdin = new Wasmex.Pipe({ blocking: true });
    const stdout = new Wasmex.Pipe();
    await using guest = await begin({ stdin, stdout });
    const copied = guest.callFunction("cat");
    const lines = stdout.lines();
    for (const line of ["one", "two", "three"]) {
      stdin.write(`${line}\n`);
      expect(await lines.next()).toEqual({ done: false, value: line });
    }
    stdin.end();
    expect(await copied).toEqual([14]);
  });

  it.runIf(inWorker)("output by callback is told while the guest runs", async () => {
    // However many writes a chunk holds: that depends on when the host looks.
    let told = "";
    let onChunk = (): void => undefined;
    const toldUntil = (isEnough: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        onChunk = () => {
          if (isEnough()) resolve();
        };
        onChunk();
      });
    const stdout = (chunk: Uint8Array): void => {
      told += new TextDecoder().decode(chunk);
      onChunk();
    };
    const stdin = new Wasmex.Pipe({ blocking: true });
    await using guest = await begin({ stdin, stdout });
    let isRunning = true;
    const copied = guest.callFunction("cat").finally(() => {
      isRunning = false;
    });
    let written = "";
    for (let line = 1; line <= 20; line++) {
      written += `line ${line}\n`;
      stdin.write(`line ${line}\n`);
      await toldUntil(() => told.length >= written.length);
      expect(told).toBe(written);
      expect(isRunning).toBe(true);
    }
    // What is written last is told before the call resolves.
    const rest = "the end\n".repeat(1000);
    stdin.write(rest);
    stdin.end();
    expect(await copied).toEqual([written.length + rest.length]);
    expect(told).toBe(written + rest);
  });

  it.runIf(inWorker)("output by callback is told while the guest never pauses", async () => {
    let chunks = 0;
    let enough = (): void => undefined;
    const told = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const guest = await begin({
      stdout: () => {
        if (++chunks === 5) enough();
      },
    });
    const call = failure(guest.callFunction("chatter", [], Number.POSITIVE_INFINITY));
    await told;
    await guest.stop();
    expect(await call).toBeInstanceOf(Wasmex.StoppedError);
    expect(chunks).toBeGreaterThanOrEqual(5);
  });

  it.runIf(inWorker)("a guest that waits is timed out like any other", async () => {
    for (const [name, params] of [
      ["read", []],
      ["sleep", [10n ** 12n]],
      ["chatter", []],
      ["store", []],
    ] as const) {
      const fs = new Wasmex.VirtualFileSystem({ "/dir": {} });
      const guest = await begin({
        stdin: new Wasmex.Pipe({ blocking: true }),
        stdout: () => {},
        fs,
        preopen: { "/dir": { flags: ["read", "write", "create"] } },
      });
      const began = performance.now();
      const bare = new Promise<number>((resolve) => setTimeout(() => resolve(performance.now() - began), 50));
      expect(await failure(guest.callFunction(name, params, 50)), name).toBeInstanceOf(Wasmex.TimeoutError);
      const took = performance.now() - began;
      // On a machine that is busy even a bare timer is late.
      expect(took - (await bare)).toBeLessThan(50);
      expect((await guest.exited).kind).toBe("timeout");
      // What the thread held of the file system is free again.
      fs.writeFile("/dir/file", "host");
      expect(fs.readFile("/dir/file", "utf8")).toBe("host");
    }
  });

  it("poll_oneoff sleeps as long as it is told", async () => {
    await using guest = await begin({});
    const began = performance.now();
    expect(await guest.callFunction("sleep", [15_000_000n])).toEqual([0]);
    expect(performance.now() - began).toBeGreaterThanOrEqual(14);
  });
});
