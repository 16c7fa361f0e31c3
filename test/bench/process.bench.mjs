// Background processes beside a bare worker, comlink and Extism's background plugin, in one run. Needs `dist` (`npm run build`).
//   node test/bench/process.bench.mjs
import { Worker } from "node:worker_threads";
import { createPlugin } from "@extism/extism";
import { wrap } from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import wabt from "wabt";
import * as Wasmex from "../../dist/node/index.js";
import { answerForever } from "./exchange.mjs";
import { formatRatio, formatTime, interleave, median, table } from "./harness.mjs";
import { HOST_CALLS, LARGE, SMALL } from "./process-modules.mjs";

const parsed = (await wabt()).parseWat("bench.wat", SMALL);
const bytes = new Uint8Array(parsed.toBinary({}).buffer);
const module = await Wasmex.Module.compile(bytes);
const imports = { "extism:host/user": { ask: (value) => value } };

const ECHO = `
  const { parentPort } = require("node:worker_threads");
  parentPort.on("message", (message) => parentPort.postMessage(message));`;

/** The exchange that blocks: the worker waits on shared memory, the host by \`Atomics.waitAsync\`; nobody spins. */
const BLOCKING = `
  const { parentPort, workerData } = require("node:worker_threads");
  const words = workerData;
  parentPort.on("message", (times) => {
    for (let count = 0; count < times; count++) {
      const before = Atomics.load(words, 1);
      Atomics.add(words, 0, 1);
      Atomics.notify(words, 0);
      Atomics.wait(words, 1, before);
    }
    parentPort.postMessage("done");
  });`;

const COMLINK = `
  import { parentPort } from "node:worker_threads";
  import { expose } from "${import.meta.resolve("comlink/dist/esm/comlink.mjs")}";
  import nodeEndpoint from "${import.meta.resolve("comlink/dist/esm/node-adapter.mjs")}";
  expose({ add: (a, b) => a + b }, nodeEndpoint(parentPort));`;

/** A bare worker; answers a function that sends a message and settles with the next. */
function bareWorker(code) {
  const worker = new Worker(code, { eval: true });
  let settle;
  worker.on("message", (message) => settle(message));
  const send = (message) =>
    new Promise((resolve) => {
      settle = resolve;
      worker.postMessage(message);
    });
  return { worker, send };
}

const repeat = (work) => async (times) => {
  for (let count = 0; count < times; count++) await work(count);
};

async function calls() {
  const echo = bareWorker(ECHO);
  const comlinkWorker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(COMLINK)}`));
  const remote = wrap(nodeEndpoint(comlinkWorker));
  const plugin = await createPlugin(
    { wasm: [{ data: bytes }] },
    { runInWorker: true, functions: { "extism:host/user": { ask: (_plugin, value) => value } } },
  );
  const guest = await Wasmex.start({ module, imports });
  const input = new Uint8Array(8);
  const result = await interleave({
    bare: repeat(() => echo.send([1, 2])),
    wasmex: repeat((count) => guest.callFunction("add", [count, 1])),
    comlink: repeat((count) => remote.add(count, 1)),
    extism: repeat(() => plugin.call("nothing", input)),
  });
  table(
    "Round trip of a short function, one after the other",
    ["", "time", "of a bare message"],
    [
      ["postMessage there and back", formatTime(result.bare), "1"],
      ["wasmex callFunction", formatTime(result.wasmex), formatRatio(result.wasmex / result.bare)],
      ["comlink 4.4.2", formatTime(result.comlink), formatRatio(result.comlink / result.bare)],
      ["Extism 1.0.3, runInWorker", formatTime(result.extism), formatRatio(result.extism / result.bare)],
    ],
  );

  const flight = 64;
  const waiting = [];
  const parallel = new Worker(ECHO, { eval: true });
  parallel.on("message", () => waiting.shift()?.());
  const sendParallel = () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      parallel.postMessage([1, 2]);
    });
  const inFlight = (call) =>
    repeat(() => Promise.all(Array.from({ length: flight }, (_, index) => call(index))));
  const many = await interleave({
    bare: inFlight(sendParallel),
    wasmex: inFlight((index) => guest.callFunction("add", [index, 1])),
    comlink: inFlight((index) => remote.add(index, 1)),
  });
  table(
    `${flight} calls in flight`,
    ["", "time for all", "of bare messages"],
    [
      ["postMessage there and back", formatTime(many.bare), "1"],
      ["wasmex callFunction", formatTime(many.wasmex), formatRatio(many.wasmex / many.bare)],
      ["comlink 4.4.2", formatTime(many.comlink), formatRatio(many.comlink / many.bare)],
    ],
  );

  const words = new Int32Array(new SharedArrayBuffer(8));
  const blocking = new Worker(BLOCKING, { eval: true, workerData: words });
  void answerForever(words);
  const exchange = (times) =>
    new Promise((resolve) => {
      blocking.once("message", resolve);
      blocking.postMessage(times);
    });
  const hosts = await interleave(
    {
      blocking: (times) => exchange(times * HOST_CALLS),
      wasmex: repeat(() => guest.callFunction("loop", [], 60_000)),
      extism: repeat(() => plugin.call("loop", input)),
    },
    { rounds: 7 },
  );
  table(
    "Host function called by the guest, in a row",
    ["", "time of one", "of the blocking exchange"],
    [
      ["Atomics.wait and waitAsync", formatTime(hosts.blocking / HOST_CALLS), "1"],
      [
        "wasmex host function",
        formatTime(hosts.wasmex / HOST_CALLS),
        formatRatio(hosts.wasmex / hosts.blocking),
      ],
      [
        "Extism 1.0.3, runInWorker",
        formatTime(hosts.extism / HOST_CALLS),
        formatRatio(hosts.extism / hosts.blocking),
      ],
    ],
  );

  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const { user, system } = process.cpuUsage(before);
  await guest.stop();
  console.log(`\nAn idle process: ${((user + system) / 10_000).toFixed(2)} % of a core.`);
  await Promise.all([echo.worker, comlinkWorker, parallel, blocking].map((worker) => worker.terminate()));
  await plugin.close();
}

async function starts() {
  const large = new Uint8Array((await wabt()).parseWat("large.wat", LARGE).toBinary({}).buffer);
  const samples = { bare: [], compile: [], wasmex: [], wasmexCompiled: [] };
  const bare = async () => {
    const began = performance.now();
    const worker = new Worker(`require("node:worker_threads").parentPort.postMessage(1)`, { eval: true });
    await new Promise((resolve) => worker.once("message", resolve));
    samples.bare.push(performance.now() - began);
    await worker.terminate();
  };
  const compile = async () => {
    const began = performance.now();
    await WebAssembly.compile(large);
    samples.compile.push(performance.now() - began);
  };
  const started = async (into, options) => {
    const began = performance.now();
    const guest = await Wasmex.start(options);
    samples[into].push(performance.now() - began);
    await guest.stop();
  };
  const compiled = await Wasmex.Module.compile(large);
  for (let round = 0; round < 25; round++) {
    const turns = [
      bare,
      compile,
      () => started("wasmex", { bytes: large }),
      () => started("wasmexCompiled", { module: compiled }),
    ];
    for (let turn = 0; turn < turns.length; turn++) await turns[(round + turn) % turns.length]();
  }
  const [bareTime, compileTime, whole, without] = [
    samples.bare,
    samples.compile,
    samples.wasmex,
    samples.wasmexCompiled,
  ].map((times) => median(times) * 1e6);
  table(
    "Start",
    ["", "time", "of a bare worker and the compile"],
    [
      ["a bare worker's first message", formatTime(bareTime), ""],
      ["compile of the module", formatTime(compileTime), ""],
      ["wasmex start of bytes", formatTime(whole), formatRatio(whole / (bareTime + compileTime))],
      [
        "wasmex start of a Module",
        formatTime(without),
        `${formatRatio(without / bareTime)} of the bare worker`,
      ],
    ],
  );
}

await calls();
await starts();
process.exit(0);
