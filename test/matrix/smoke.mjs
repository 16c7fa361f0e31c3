// What the packed package has to do in every runtime. Runs in the runtime itself and prints an outcome in each line.
//   node smoke.mjs FIXTURES
import { statSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as Wasmex from "wasmex";

const fixtures = process.argv[2];

const CALLS = `(module
  (import "env" "twice" (func $twice (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "hello")
  (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "quadruple") (param i32) (result i32) (call $twice (call $twice (local.get 0))))
  (func (export "forever") (loop br 0)))`;

/** `(module (func (export "answer") (result i32) i32.const 42))`, in bytes. */
const ANSWER = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 10, 1, 6, 97, 110, 115, 119, 101, 114,
  0, 0, 10, 6, 1, 4, 0, 65, 42, 11,
]);

const imports = { env: { twice: Wasmex.fn(["i32"], ["i32"], (_context, value) => value * 2) } };

/**
 * @param {unknown} actual
 * @param {unknown} expected
 */
function equal(actual, expected) {
  const [got, wanted] = [actual, expected].map((value) => JSON.stringify(value));
  if (got !== wanted) throw new Error(`expected ${wanted}, got ${got}`);
}

/** @param {Promise<unknown>} promise */
async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return /** @type {Error} */ (error);
  }
  throw new Error("nothing was thrown");
}

/** @param {string} name */
const fixture = async (name) => new Uint8Array(await readFile(join(fixtures ?? "", name)));

const preopen = /** @type {const} */ ({ flags: ["read", "write", "create"], alias: "." });

/** @type {Record<string, () => Promise<void>>} */
const cases = {
  async "Module.compile takes bytes and text"() {
    equal((await Wasmex.Module.compile(ANSWER)).exports["answer"]?.kind, "function");
    equal(Object.keys((await Wasmex.Module.compile(CALLS)).exports), [
      "memory",
      "sum",
      "quadruple",
      "forever",
    ]);
  },
  async "Instance.callFunction calls on this thread"() {
    const instance = await Wasmex.Instance.create(await Wasmex.Module.compile(ANSWER));
    equal(instance.callFunction("answer"), [42]);
  },
  async "Process.callFunction calls on a thread of its own, whose memory is there at once"() {
    const guest = await Wasmex.start({ bytes: CALLS, imports });
    equal(guest.thread, "worker");
    equal(await guest.callFunction("sum", [50, -8]), [42]);
    equal(guest.memory().readString(8, 5), "hello");
    await guest.stop();
  },
  async "Process.callFunction stops an endless loop at its timeout"() {
    const guest = await Wasmex.start({ bytes: CALLS, imports });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    const began = performance.now();
    const error = await failure(guest.callFunction("forever", [], 200));
    clearInterval(timer);
    equal(error.name, "TimeoutError");
    if (performance.now() - began > 1500) throw new Error("it took far too long");
    if (ticks < 3) throw new Error("the loop held up the host");
    equal((await guest.exited).kind, "timeout");
  },
  async "a host function is called back, an asynchronous one awaited"() {
    const guest = await Wasmex.start({ bytes: CALLS, imports });
    equal(await guest.callFunction("quadruple", [5]), [20]);
    await guest.stop();
    const twice = Wasmex.fn(["i32"], ["i32"], async (_context, value) => (await Promise.resolve(value)) * 2);
    const patient = await Wasmex.start({ bytes: CALLS, imports: { env: { twice } } });
    equal(await patient.callFunction("quadruple", [5]), [20]);
    await patient.stop();
  },
  async "run gives a program its input and answers its output and exit code"() {
    const stdin = new Wasmex.Pipe();
    stdin.write("one\ntwo");
    const result = await Wasmex.run({ bytes: fixture("lines.wasm"), wasi: { stdin, args: ["x"] } });
    equal(result, {
      exitCode: 2,
      stdout: "argument 0: wasmex\nargument 1: x\n1: one (3 bytes)\n2: two (3 bytes)\n",
      stderr: "2 lines\n",
    });
  },
  async "a WASI program works on a VirtualFileSystem"() {
    const fs = new Wasmex.VirtualFileSystem({ "/work": {} });
    const wasi = { fs, preopen: { "/work": preopen } };
    const result = await Wasmex.run({ bytes: fixture("files.wasm"), wasi });
    equal([result.exitCode, result.stdout.split("\n")[0]], [0, "mkdir one: ok"]);
    equal(fs.stat("/work/sparse").size, 200_001);
  },
  async "a WASI program works on a directory of the host, and does the same there"() {
    const folder = await mkdtemp(join(tmpdir(), "wasmex-smoke-"));
    try {
      const wasi = { preopen: { [folder]: preopen } };
      const result = await Wasmex.run({ bytes: fixture("files.wasm"), wasi });
      equal([result.exitCode, result.stdout.split("\n")[0]], [0, "mkdir one: ok"]);
      equal(statSync(join(folder, "sparse")).size, 200_001);
      await writeFile(join(folder, "left.txt"), "from outside");
      const fs = Wasmex.VirtualFileSystem.fromDirectory(folder);
      equal(fs.readFile("/left.txt", "utf8"), "from outside");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  async "Supervisor starts a child afresh"() {
    const supervisor = await Wasmex.Supervisor.start([
      Wasmex.childSpec({ id: "calls", bytes: CALLS, imports }),
    ]);
    const first = supervisor.child("calls");
    await failure(first.callFunction("forever", [], 50));
    await first.exited;
    while (supervisor.child("calls") === first) await new Promise((resolve) => setTimeout(resolve, 5));
    equal(await supervisor.child("calls").callFunction("sum", [1, 2]), [3]);
    await supervisor.stop();
  },
  async "Module.deserialize takes what serialize gave"() {
    const module = await Wasmex.Module.deserialize((await Wasmex.Module.compile(ANSWER)).serialize());
    equal(Object.keys(module.exports), ["answer"]);
  },
  async "require gives the same members"() {
    const required = createRequire(import.meta.url)("wasmex");
    const missing = Object.keys(Wasmex).filter((name) => !(name in required));
    equal(missing, []);
    equal((await required.start({ bytes: ANSWER }).then(stopped)).thread, "worker");
  },
  async "Process is disposed of by its symbol"() {
    const guest = await Wasmex.start({ bytes: ANSWER });
    await guest[Symbol.asyncDispose]();
    equal((await guest.exited).kind, "stopped");
  },
};

/** @param {Wasmex.Process} guest */
async function stopped(guest) {
  equal(await guest.callFunction("answer"), [42]);
  await guest.stop();
  return guest;
}

for (const [name, run] of Object.entries(cases)) {
  /** @type {{ name: string, state: string, message?: string }} */
  let outcome = { name, state: "pass" };
  try {
    await run();
  } catch (error) {
    const text = error instanceof Error ? `${error.stack}` : String(error);
    outcome = { name, state: "fail", message: text.includes(String(error)) ? text : `${error}\n${text}` };
  }
  console.log(JSON.stringify(outcome));
}
