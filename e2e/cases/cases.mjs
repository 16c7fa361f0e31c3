// The one list of cases: every engine runs it on isolated and on plain pages, from a script tag and from a module.
import { equal, fails, ok } from "./assert.mjs";
import { ANSWER, CALLS, CAT, EXIT, SLEEPER } from "./programs.mjs";
import { realPrograms } from "./real-programs.mjs";

/**
 * @typedef {import("wasmex")} Api
 * @typedef {{ Wasmex: Api, isolated: boolean, options: { workerUrl?: string } }} Surroundings
 * @typedef {{ name: string, heavy?: boolean, run(surroundings: Surroundings): Promise<void> }} Case
 */

/** @param {Surroundings} surroundings */
const startCalls = ({ Wasmex, options }, more = {}) =>
  Wasmex.start({
    bytes: CALLS,
    imports: { env: { twice: Wasmex.fn(["i32"], ["i32"], (_context, value) => value * 2) } },
    ...options,
    ...more,
  });

/** @type {Case[]} */
export const cases = [
  {
    name: "Module.compile takes bytes",
    async run({ Wasmex }) {
      const module = await Wasmex.Module.compile(ANSWER);
      equal(module.exports, { answer: { kind: "function", parameters: [], results: ["i32"] } });
      const instance = await Wasmex.Instance.create(module);
      equal(instance.callFunction("answer"), [42]);
    },
  },
  {
    name: "Module.compile takes WebAssembly text and loads the parser for it",
    async run({ Wasmex }) {
      const module = await Wasmex.Module.compile(CALLS);
      equal(module.name, "calls");
      equal(module.importEntries.length, 1);
    },
  },
  {
    name: "Module.compile tells where wrong text is wrong",
    async run({ Wasmex }) {
      const error = await fails(() => Wasmex.Module.compile("(module\n  (func i32.wrong))"), "CompileError");
      equal(error.line, 2);
    },
  },
  {
    name: "Module.compile takes a Response while it streams and tells the progress",
    async run({ Wasmex }) {
      /** @type {{ loaded: number, total: number | undefined }[]} */
      const steps = [];
      const module = await Wasmex.Module.compile(fetch("/e2e/answer.wasm"), {
        onProgress: (progress) => void steps.push({ ...progress }),
      });
      ok("answer" in module.exports, "the export is there");
      const last = steps[steps.length - 1];
      equal([last?.loaded, last?.total], [ANSWER.length, ANSWER.length]);
    },
  },
  {
    name: "Module.compile refuses an error page by its status",
    async run({ Wasmex }) {
      await fails(() => Wasmex.Module.compile(fetch("/e2e/nothing-there.wasm")), "CompileError", /404/);
    },
  },
  {
    name: "the guide's way to keep files in the browser's own directory keeps them",
    async run({ Wasmex, options }) {
      // WebKitGTK has no such directory; a strict policy lets no text be run.
      if (navigator.storage?.getDirectory === undefined || options.workerUrl !== undefined) return;
      const guide = await (await fetch("/demo/guides/wasi-and-files.md")).text();
      const [, code = ""] = /^## Files that stay[\s\S]*?^```js\n([\s\S]*?)^```$/m.exec(guide) ?? [];
      const AsyncFunction = /** @type {any} */ (async () => undefined).constructor;
      const visit = () => new AsyncFunction("Wasmex", code.replace(/^import .*$/m, ""))(Wasmex);
      const root = await navigator.storage.getDirectory();
      const home = await root.getDirectoryHandle("home", { create: true });
      const deep = await home.getDirectoryHandle("deep", { create: true });
      const file = await (await deep.getFileHandle("kept.txt", { create: true })).createWritable();
      await file.write("kept");
      await file.close();
      await visit();
      equal(await (await (await deep.getFileHandle("kept.txt")).getFile()).text(), "kept");
      const written = await (await home.getFileHandle("last-visit.txt")).getFile();
      ok(written.size > 10, "what the run wrote is there");
      await root.removeEntry("home", { recursive: true });
    },
  },
  {
    name: "start picks the thread that this page allows",
    async run(surroundings) {
      const { isolated } = surroundings;
      const process = await startCalls(surroundings);
      equal(process.thread, isolated ? "worker" : "inline");
      await process.stop();
      await fails(() => process.callFunction("sum", [1, 2]), "StoppedError");
      const { reason } = surroundings.Wasmex.capabilities();
      // An insecure origin has no use of the headers.
      if (!isolated) ok(/https: or localhost .*Cross-Origin-Embedder-Policy/.test(reason), reason);
    },
  },
  {
    name: "start gives a dozen guests at once their memory, files and pipes",
    heavy: true,
    async run({ Wasmex, options }) {
      /** @param {number} index */
      const start = async (index) => {
        const fs = new Wasmex.VirtualFileSystem({ "/in.txt": `${index}` });
        const [stdin, stdout] = [new Wasmex.Pipe(), new Wasmex.Pipe()];
        stdin.write(`${index}`);
        const wasi = { fs, preopen: { "/": { flags: ["read"] } }, stdin, stdout };
        const guest = await Wasmex.start({ bytes: CAT, wasi: /** @type {any} */ (wasi), ...options });
        await guest.callFunction("_start");
        equal(stdout.readString(), `${index}`);
        return guest;
      };
      const guests = [];
      for (let index = 0; index < 12; index++) guests.push(await start(index));
      ok(guests[11]?.memory().length !== 0, "the last one has memory, too");
      await Promise.all(guests.map((guest) => guest.stop()));
      equal(new ArrayBuffer(1 << 20).byteLength, 1 << 20);
    },
  },
  {
    name: "start tells that a thread could not be loaded, however late the module comes",
    async run({ Wasmex }) {
      const workerUrl = "/e2e/no-such-worker.js";
      const message = /could not be loaded from .*no-such-worker/;
      /** @type {(bytes: Uint8Array<ArrayBuffer>) => void} */
      let arrive = () => undefined;
      const bytes = new Promise((resolve) => {
        arrive = resolve;
      });
      const late = fails(() => Wasmex.start({ bytes, thread: "worker", workerUrl }), "WasmexError", message);
      // By when this one is told, the other has been.
      const other = new Worker(workerUrl, { type: "module" });
      other.onerror = () => arrive(ANSWER);
      await late;
      await fails(() => Wasmex.start({ bytes: ANSWER, thread: "worker", workerUrl }), "WasmexError", message);
    },
  },
  {
    name: "Process.callFunction calls, checks and converts",
    async run(surroundings) {
      const process = await startCalls(surroundings);
      equal(await process.callFunction("sum", [50, -8]), [42]);
      await fails(() => process.callFunction("sum", [1]), "CallError", /expected 2, got 1/);
      await fails(() => process.callFunction("nope"), "CallError", /`nope` not found/);
      await process.stop();
    },
  },
  {
    name: "Process.memory is the guest's own memory and follows its growth",
    async run(surroundings) {
      const process = await startCalls(surroundings);
      const memory = process.memory();
      equal(memory.readString(8, 5), "hello");
      memory.writeBinary(42, "hello, world");
      equal(await process.callFunction("first_byte", [42]), [104]);
      equal(await process.callFunction("grow"), [1]);
      equal(memory.length, 2 * 65536);
      await process.stop();
    },
  },
  {
    name: "a host function is called back",
    async run(surroundings) {
      const process = await startCalls(surroundings);
      equal(await process.callFunction("four_times", [5]), [20]);
      await process.stop();
    },
  },
  {
    name: "an asynchronous host function is awaited where the guest can wait",
    async run(surroundings) {
      const { Wasmex, isolated } = surroundings;
      const imports = {
        env: {
          twice: Wasmex.fn(["i32"], ["i32"], async (_context, value) => (await Promise.resolve(value)) * 2),
        },
      };
      const process = await startCalls(surroundings, { imports });
      if (isolated || "Suspending" in WebAssembly) {
        equal(await process.callFunction("four_times", [5]), [20]);
      } else {
        // A thread alone would not help: that asks for the page to be isolated.
        const step = /this thread: this page is not cross-origin isolated: serve it .* headers/;
        await fails(() => process.callFunction("four_times", [5]), "UnsupportedError", step);
      }
      await process.stop();
    },
  },
  {
    name: "a trap has the same reason everywhere and names the function",
    async run(surroundings) {
      const process = await startCalls(surroundings);
      const error = await fails(() => process.callFunction("boom"), "TrapError");
      equal(error.reason, "unreachable");
      equal(error.frames[0]?.name, "boom");
      equal(await process.callFunction("sum", [1, 2]), [3]);
      await process.stop();
    },
  },
  {
    name: "a call past its timeout is ended where it can be, and told of where not",
    async run(surroundings) {
      const { isolated } = surroundings;
      const process = await startCalls(surroundings);
      const start = performance.now();
      if (isolated) {
        await fails(() => process.callFunction("forever", [], 100), "TimeoutError");
        ok(performance.now() - start < 1000, "the call was ended soon after its deadline");
        await fails(() => process.callFunction("sum", [1, 2]), "StoppedError");
      } else {
        await fails(() => process.callFunction("count", [200_000_000], 1), "TimeoutError");
        equal(await process.callFunction("sum", [1, 2]), [3]);
      }
      await process.stop();
    },
  },
  {
    name: "a guest sleeps on any thread, and a page's own waits for a second at most",
    async run({ Wasmex, options }) {
      /** @param {"worker" | "inline"} thread @param {bigint} nanoseconds */
      const sleep = async (thread, nanoseconds) => {
        const process = await Wasmex.start({ bytes: SLEEPER, thread, wasi: true, ...options });
        const began = performance.now();
        const values = await process.callFunction("sleep", [nanoseconds]).finally(() => process.stop());
        // Pages round their clocks, each thread's by itself.
        return [...values, performance.now() - began >= Number(nanoseconds) / 1e6 - 5];
      };
      equal(await sleep("worker", 1_200_000_000n), [0, true]);
      equal(await sleep("inline", 200_000_000n), [0, true]);
      // What is left of the two seconds when the guest is refused them, by a clock that browsers round.
      await fails(
        () => sleep("inline", 2_000_000_000n),
        "UnsupportedError",
        /sleeps for (1999|200\d) ms.*"worker"/,
      );
    },
  },
  {
    name: "a WASI program copies one Pipe to another",
    async run({ Wasmex, options }) {
      const stdin = new Wasmex.Pipe();
      const stdout = new Wasmex.Pipe();
      const text = "Grüße\n".repeat(50);
      stdin.write(text);
      const process = await Wasmex.start({ bytes: CAT, wasi: { stdin, stdout }, ...options });
      await process.callFunction("_start");
      equal(stdout.readString(), text);
      await process.stop();
    },
  },
  {
    name: "run answers the exit code and the output of a WASI program",
    async run({ Wasmex, options }) {
      const result = await Wasmex.run({ bytes: EXIT, wasi: true, ...options });
      equal(result, { exitCode: 3, stdout: "", stderr: "good bye\n" });
    },
  },
  {
    name: "a VirtualFileSystem keeps what the host put there",
    async run({ Wasmex }) {
      const fs = new Wasmex.VirtualFileSystem({ "/in.txt": "text", "/bin": {} });
      equal(fs.readFile("/in.txt", "utf8"), "text");
      fs.writeFile("/bin/a", "b");
      equal(fs.readdir("/bin"), ["a"]);
    },
  },
  ...realPrograms,
];
