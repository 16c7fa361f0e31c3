// What a process means to the Node process that it runs in. Programs of their own, so that their ends can be seen.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleOptions, workerSourceModule } from "../../build.mjs";
import { fixture, wat } from "../support/index.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wasmex-process-"));
  await build({
    ...bundleOptions("node"),
    absWorkingDir: root,
    entryPoints: ["platform/node/index.ts"],
    outfile: join(folder, "wasmex.mjs"),
    format: "esm",
    external: ["wabt"],
    logLevel: "error",
  });
});

afterAll(() => rm(folder, { recursive: true }));

const MODULE = `(module
  (import "env" "f" (func $f (result i32)))
  (func (export "ask") (result i32) (call $f))
  (func (export "one") (result i32) (i32.const 1))
  (func (export "spin") (loop $again (br $again))))`;

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly milliseconds: number;
}

/**
 * Runs a program in a Node of its own; \`f\` is the module's one import.
 * @param input all of its input, or what is typed for each question mark that it writes: the signal, the end or a text
 */
async function program(
  code: string,
  input?: string | readonly ("SIGINT" | "end" | (string & {}))[],
  flags: readonly string[] = [],
): Promise<Ended> {
  const file = join(folder, `program-${Math.random().toString(36).slice(2)}.mjs`);
  await writeFile(
    file,
    `import * as Wasmex from ${JSON.stringify(pathToFileURL(join(folder, "wasmex.mjs")).href)};
    const bytes = Uint8Array.of(${[...(await wat(MODULE))].join()});
    const begin = (f = () => 7, options = {}) => Wasmex.start({ bytes, imports: { env: { f } }, ...options });
    ${code}`,
  );
  const began = performance.now();
  const child = spawn(process.execPath, [...flags, file], { stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  const answers = Array.isArray(input) ? [...input] : [];
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    for (const _question of chunk.toString().matchAll(/\?/g)) {
      const answer = answers.shift();
      if (answer === "SIGINT") child.kill(answer);
      else if (answer === "end") child.stdin.end();
      else child.stdin.write(answer ?? "");
    }
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  if (typeof input === "string") child.stdin.end(input);
  const ended = await new Promise<number | null>((resolve) => child.on("close", resolve));
  child.stdin.destroy();
  return { code: ended, output, milliseconds: performance.now() - began };
}

describe("Process in its Node process", () => {
  it("an idle process does not keep Node alive", async () => {
    const { code, output, milliseconds } = await program(`
      const guest = await begin();
      console.log(await guest.callFunction("one"), await guest.callFunction("ask"));`);
    expect(output).toBe("[ 1 ] [ 7 ]\n");
    expect(code).toBe(0);
    expect(milliseconds).toBeLessThan(4500);
  });

  it("the promise of a module fails alone where start, run or a supervisor refuses its other options", async () => {
    const { code, output } = await program(`
      const { start, run, Supervisor } = Wasmex;
      const late = () => new Promise((_, reject) => setTimeout(() => reject(new Error("nobody hears this"))));
      for (const attempt of [
        () => start({ bytes: late(), thread: "nowhere" }),
        () => start({ module: late(), signal: AbortSignal.abort() }),
        () => run({ bytes: late(), timeout: -1 }),
        () => run({ bytes: late(), signal: {} }),
        () => Supervisor.start([{ id: "a", bytes: late(), thread: "nowhere" }, { id: "b", bytes: late() }]),
      ]) await attempt().catch((error) => console.log(error.name));
      setTimeout(() => console.log("still here"), 100);`);
    expect(output).toBe("WasmexError\nAbortError\nCallError\nCallError\nCompileError\nstill here\n");
    expect(code).toBe(0);
  });

  it("a running call keeps Node alive until it is answered or timed out", async () => {
    const { code, output } = await program(`
      const guest = await begin();
      guest.callFunction("spin", [], 300).catch((error) => console.log(error.name));
      guest.exited.then((reason) => console.log(reason.kind));`);
    expect(output).toBe("TimeoutError\ntimeout\n");
    expect(code).toBe(0);
  });

  it("a host function that never answers is timed out though nothing else keeps Node alive", async () => {
    const { output, code } = await program(`
      const guest = await begin(() => new Promise(() => {}));
      await guest.callFunction("ask", [], 100).catch((error) => console.log(error.name));
      await guest.stop();
      console.log("stopped");`);
    expect(output).toBe("TimeoutError\nstopped\n");
    expect(code).toBe(0);
  });

  it("calls in a row leave the event loop its turns", async () => {
    const { output } = await program(`
      const guest = await begin();
      let ticks = 0;
      const timer = setInterval(() => ticks++, 1);
      const until = performance.now() + 500;
      while (performance.now() < until) await guest.callFunction("one");
      clearInterval(timer);
      console.log(ticks > 30 ? "turns" : ticks);`);
    expect(output).toBe("turns\n");
  });

  it("where the permission model forbids threads, start and capabilities say so", async () => {
    const flag =
      Number(process.versions.node.split(".")[0]) < 24 ? "--experimental-permission" : "--permission";
    const { output } = await program(
      `
      console.log(Wasmex.capabilities().thread, Wasmex.capabilities().reason);
      const guest = await begin();
      console.log(guest.thread, ...(await guest.callFunction("one")));
      await begin(undefined, { thread: "worker" }).catch((error) => console.log(error.name, error.message));`,
      undefined,
      ["--no-warnings", flag, "--allow-fs-read=*"],
    );
    const why = "Node's permission model forbids threads: start node with --allow-worker";
    expect(output.split("\n")).toEqual([
      `inline ${why}`,
      "inline 1",
      `UnsupportedError thread: "worker" is not possible here: ${why}`,
      "",
    ]);
  });

  it("an idle process burns no CPU", async () => {
    const { output } = await program(`
      const guests = await Promise.all(Array.from({ length: 4 }, () => begin()));
      await Promise.all(guests.map((guest) => guest.callFunction("one")));
      await new Promise((resolve) => setTimeout(resolve, 300));
      const before = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const { user, system } = process.cpuUsage(before);
      console.log(user + system < 50_000 ? "none" : user + system);`);
    expect(output).toBe("none\n");
  });

  it("a thread that ends by itself rejects every call with the reason", async () => {
    const script = join(folder, "dies.cjs");
    for (const [body, said] of [
      ["process.exit(3)", "exit code 3"],
      ["throw new Error('broken')", "broken"],
    ] as const) {
      await writeFile(script, body);
      const { output, code } = await program(`
        await begin(undefined, { workerUrl: ${JSON.stringify(script)} }).catch((error) => console.log(error.message));`);
      expect(output).toContain(said);
      expect(code).toBe(0);
    }
    const { output } = await program(`
      await begin(undefined, { workerUrl: "/nowhere/worker.js" }).catch((error) => console.log(error.message));`);
    expect(output).toContain("/nowhere/worker.js");
  });

  it("a thread that ends while the module is still on its way rejects the start with the reason", async () => {
    const script = join(folder, "early.cjs");
    await writeFile(script, "throw new Error('broken early')");
    const { output, code } = await program(`
      const late = new Promise((resolve) => setTimeout(resolve, 400, bytes));
      await Wasmex.start({ bytes: late, workerUrl: ${JSON.stringify(script)} }).catch((error) => console.log(error.message));`);
    expect(output).toContain("broken early");
    expect(code).toBe(0);
  });

  it("a thread that dies under calls rejects all of them, and what comes after", async () => {
    // A worker of the package's own that ends itself once it has begun to serve.
    const script = join(folder, "mortal.cjs");
    const source = await workerSourceModule("node");
    await writeFile(
      script,
      `${source.replace("export const workerSource =", "const workerSource =")}
      // Guests' code gives no way to end the thread: what it sleeps with does.
      const wait = Atomics.wait;
      let waits = 0;
      Atomics.wait = (...args) => (++waits === 3 ? process.exit(7) : wait(...args));
      new Function("require", workerSource)(require);`,
    );
    const { output, code } = await program(`
      const guest = await begin(undefined, { workerUrl: ${JSON.stringify(script)} });
      const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
      const said = [];
      for (let count = 0; count < 5; count++) {
        await Promise.all([guest.callFunction("one"), guest.callFunction("one")]).catch((error) => said.push(error.message));
        await pause();
      }
      console.log(said[0], said.length > 1, (await guest.exited).kind);`);
    expect(output).toMatch(/exit code 7.* true crashed/);
    expect(code).toBe(0);
  });

  it("a thread that runs out of memory is told as such, and a supervised one comes back", async () => {
    // A worker of the package's own whose heap is filled once it has begun to serve.
    const script = join(folder, "greedy.cjs");
    const source = await workerSourceModule("node");
    await writeFile(
      script,
      `${source.replace("export const workerSource =", "const workerSource =")}
      const wait = Atomics.wait;
      const kept = [];
      let waits = 0;
      Atomics.wait = (...args) => {
        if (++waits === 3) for (;;) kept.push(Array.from({ length: 1e4 }, (_, n) => ({ n })));
        return wait(...args);
      };
      new Function("require", workerSource)(require);`,
    );
    const { output, code } = await program(
      `
      const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
      const child = Wasmex.childSpec({ id: "a", bytes, imports: { env: { f: () => 7 } }, workerUrl: ${JSON.stringify(script)} });
      const supervisor = await Wasmex.Supervisor.start([child]);
      const first = supervisor.child("a");
      let said;
      while (said === undefined) {
        await Promise.all([first.callFunction("one", [], Infinity), pause()]).catch((error) => { said = error; });
      }
      console.log((await first.exited).kind, "|", (await first.exited).error.message);
      while (supervisor.child("a") === first) await pause();
      console.log(said instanceof Wasmex.WasmexError, await supervisor.child("a").callFunction("one"));
      await supervisor.stop();`,
      undefined,
      ["--max-old-space-size=64"],
    );
    expect(output).toBe("crashed | the thread ran out of memory\ntrue [ 1 ]\n");
    expect(code).toBe(0);
  }, 60_000);

  it("stdin inherit is read when the guest asks, and only then", async () => {
    const streams = await fixture("streams.wat");
    const { output, code } = await program(
      `
      const guest = await Wasmex.start({ bytes: Uint8Array.of(${[...streams].join(",")}), wasi: true });
      const read = await guest.callFunction("cat");
      console.log(read);
      await guest.stop();`,
      "what was typed\n",
    );
    expect(output).toBe("what was typed\n[ 15 ]\n");
    expect(code).toBe(0);
  });

  it("stdin inherit is followed anew in each call, to its end", async () => {
    const streams = await fixture("streams.wat");
    const { output, code } = await program(
      `
      const guest = await Wasmex.start({ bytes: Uint8Array.of(${[...streams].join(",")}), wasi: { stdout: "null" } });
      for (let count = 0; count < 4; count++) {
        const read = guest.callFunction("read");
        console.log("?");
        console.log(...(await read));
      }
      await guest.stop();`,
      ["one", "three", "end", ""],
    );
    expect(output).toBe("?\n3\n?\n5\n?\n0\n?\n0\n");
    expect(code).toBe(0);
  });

  it("stdin inherit leaves the program's own listeners their input, and takes an end that was before", async () => {
    const streams = await fixture("streams.wat");
    const { output, code } = await program(
      `
      const guest = await Wasmex.start({ bytes: Uint8Array.of(${[...streams].join(",")}), wasi: { stdout: "null" } });
      const read = guest.callFunction("read");
      console.log("?");
      console.log(...(await read));
      process.stdin.on("data", (chunk) => console.log(String(chunk)));
      const ended = new Promise((resolve) => process.stdin.on("end", resolve));
      const again = guest.callFunction("read");
      console.log("?");
      console.log(...(await again));
      console.log("??");
      await ended;
      console.log(...(await guest.callFunction("read")));
      await guest.stop();`,
      ["a", "bc", "mine", "end"],
    );
    expect(output).toMatch(/^\?\n1\n\?\n(bc\n2|2\nbc)\n\?\?\nmine\n0\n$/);
    expect(code).toBe(0);
  });

  it("stdin inherit of several guests goes to one after the other, none of it twice, and its end to all", async () => {
    const lines = await wat(`(module
      (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "read") (param $length i32) (result i32)
        (i32.store (i32.const 0) (i32.const 16))
        (i32.store (i32.const 4) (local.get $length))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i32.load (i32.const 8))))`);
    const begin = `
      const start = () => Wasmex.start({ bytes: Uint8Array.of(${[...lines].join(",")}), thread: "worker", wasi: true });
      const read = async (guest) => {
        const [length] = await guest.callFunction("read", [2], Infinity);
        return guest.memory().readString(16, length);
      };`;
    // What a guest has left when it ends, and when its call does.
    const inTurn = await program(
      `${begin}
      let said = "";
      for (let count = 0; count < 4; count++) {
        const guest = await start();
        said += await read(guest);
        if (count % 2 === 0) await guest.stop();
      }
      console.log(said);`,
      "1\n2\n3\n",
    );
    expect([inTurn.output, inTurn.code]).toEqual(["1\n2\n3\n\n", 0]);
    const atOnce = await program(
      `${begin}
      const guests = await Promise.all([start(), start(), start()]);
      const first = await Promise.all(guests.map(read));
      const second = await Promise.all(guests.map(read));
      console.log([...first, ...second].sort().join(""));
      await Promise.all(guests.map((guest) => guest.stop()));`,
      "1\n2\n3\n4\n",
    );
    expect([atOnce.output, atOnce.code]).toEqual(["1\n2\n3\n4\n\n", 0]);
  });

  it("an interrupt ends the program while a guest waits for stdin or sleeps, and a handler may stop the guest", async () => {
    const streams = await fixture("streams.wat");
    const begin = `const guest = await Wasmex.start({ bytes: Uint8Array.of(${[...streams].join(",")}), wasi: true });`;
    for (const call of ["cat", "sleep"]) {
      const parameters = call === "sleep" ? "[1_000_000_000_000n]" : "[]";
      const { output, code, milliseconds } = await program(
        `${begin}
        guest.callFunction("${call}", ${parameters}, Infinity);
        console.log("?");`,
        ["SIGINT"],
      );
      expect([output, code]).toEqual(["?\n", null]);
      expect(milliseconds).toBeLessThan(4500);
    }
    const { output, code } = await program(
      `${begin}
      process.on("SIGINT", () => guest.stop());
      const read = guest.callFunction("cat", [], Infinity).catch((error) => error.name);
      console.log("?");
      console.log(await read);
      process.removeAllListeners("SIGINT");`,
      ["SIGINT"],
    );
    expect([output, code]).toEqual(["?\nStoppedError\n", 0]);
  });

  it("a guest that sleeps in poll_oneoff or waits for stdin burns no CPU", async () => {
    const streams = await fixture("streams.wat");
    const { output } = await program(`
      const stdin = new Wasmex.Pipe({ blocking: true });
      const guest = await Wasmex.start({ bytes: Uint8Array.of(${[...streams].join(",")}), wasi: { stdin, stdout: "null" } });
      await guest.callFunction("sleep", [100_000_000n]);
      const measure = async (work) => {
        const before = process.cpuUsage();
        await work();
        const { user, system } = process.cpuUsage(before);
        console.log(user + system < 50_000 ? "none" : user + system);
      };
      await measure(() => guest.callFunction("sleep", [1_000_000_000n]));
      await measure(async () => {
        const read = guest.callFunction("cat");
        await new Promise((resolve) => setTimeout(resolve, 1000));
        stdin.end();
        await read;
      });
      await guest.stop();`);
    expect(output).toBe("none\nnone\n");
  });
});
