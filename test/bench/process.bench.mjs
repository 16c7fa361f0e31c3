// Background processes beside a bare worker, comlink and Extism's background plugin, in one run. Needs `dist` (`npm run build`).
//   node test/bench/process.bench.mjs [start|idle]
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { createPlugin } from "@extism/extism";
import { wrap } from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import wabt from "wabt";
import * as Wasmex from "../../dist/node/index.js";
import { formatRatio, formatTime, median, table } from "./harness.mjs";
import { LARGE, SMALL } from "./process-modules.mjs";
import { measureRow, printTables } from "./process-tables.mjs";

const parser = await wabt();
const binary = (text) => new Uint8Array(parser.parseWat("bench.wat", text).toBinary({}).buffer);

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

/** @type {import("./process-tables.mjs").Kit} */
const kit = {
  echo() {
    const waiting = [];
    const worker = new Worker(ECHO, { eval: true });
    worker.on("message", (message) => waiting.shift()?.(message));
    return (message) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        worker.postMessage(message);
      });
  },
  blocking(words) {
    const worker = new Worker(BLOCKING, { eval: true, workerData: words });
    return (times) =>
      new Promise((resolve) => {
        worker.once("message", resolve);
        worker.postMessage(times);
      });
  },
  guest: () => Wasmex.start({ bytes: SMALL, imports: { "extism:host/user": { ask: (value) => value } } }),
  comlink: () =>
    wrap(nodeEndpoint(new Worker(new URL(`data:text/javascript,${encodeURIComponent(COMLINK)}`)))),
  extism: () =>
    createPlugin(
      { wasm: [{ data: binary(SMALL) }] },
      { runInWorker: true, functions: { "extism:host/user": { ask: (_plugin, value) => value } } },
    ),
};

/** The share of a core, in percent, that a process costs that waits for its next call. */
async function measureIdle() {
  const guest = await kit.guest();
  for (let count = 0; count < 100; count++) await guest.callFunction("add", [count, 1]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify((user + system) / 20_000));
}

/** What this file prints when it is asked for one thing. */
function apart(...args) {
  const { status, stdout } = spawnSync(
    process.execPath,
    ["--no-warnings", fileURLToPath(import.meta.url), ...args],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  if (status !== 0) throw new Error(`${args.join(" ")}: ended with ${status}`);
  return JSON.parse(stdout);
}

async function starts() {
  const large = binary(LARGE);
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

const [what, name] = process.argv.slice(2);
if (what === "idle") await measureIdle();
else if (what === "start") await starts();
else if (what !== undefined) console.log(JSON.stringify(await measureRow(kit, what, name)));
else {
  await printTables((key, row) => apart(key, row));
  console.log(`\nAn idle process: ${apart("idle").toFixed(2)} % of a core.`);
  await starts();
}
process.exit(0);
