// Runs on the page of process-page.bench.mjs.
import { createPlugin } from "@extism/extism";
import { wrap } from "comlink";
import { answerForever } from "../exchange.mjs";
import { interleave, median } from "../harness.mjs";

/**
 * In nanoseconds.
 * @typedef {object} Times
 * @property {Record<"bare" | "wasmex" | "comlink" | "extism", number>} trip
 * @property {Record<"blocking" | "wasmex" | "extism", number>} hosts
 * @property {Record<"bare" | "compile" | "wasmex", number>} start
 */

const ECHO = "onmessage = ({ data }) => postMessage(data);";

/** The exchange that blocks: the worker waits on shared memory, the page by `Atomics.waitAsync`; nobody spins. */
const BLOCKING = `onmessage = ({ data: { words, times } }) => {
  for (let count = 0; count < times; count++) {
    const before = Atomics.load(words, 1);
    Atomics.add(words, 0, 1);
    Atomics.notify(words, 0);
    Atomics.wait(words, 1, before);
  }
  postMessage("done");
};`;

/** @param {string} code */
const workerOf = (code) => new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));

/** @param {Worker} worker @param {unknown} message */
const exchange = (worker, message) =>
  new Promise((resolve) => {
    worker.onmessage = resolve;
    worker.postMessage(message);
  });

/** @param {(count: number) => unknown} work */
const repeat = (work) => async (/** @type {number} */ times) => {
  for (let count = 0; count < times; count++) await work(count);
};

/** @param {string} name */
const load = async (name) => new Uint8Array(await (await fetch(`/${name}.wasm`)).arrayBuffer());

/**
 * @param {number} hostCalls in one call of `loop`
 * @returns {Promise<Times>}
 */
export async function measure(hostCalls) {
  /** @type {typeof import("../../../dist/types/index.js")} */
  const Wasmex = await import(/** @type {string} */ ("/dist/browser/index.js"));
  const bytes = await load("small");
  /** @param {bigint} value */
  const ask = (value) => value;
  const guest = await Wasmex.start({ bytes, imports: { "extism:host/user": { ask } } });
  const plugin = await createPlugin(
    { wasm: [{ data: bytes }] },
    { runInWorker: true, functions: { "extism:host/user": { ask: (_plugin, value) => value } } },
  );
  const echo = workerOf(ECHO);
  const remote = /** @type {any} */ (wrap(new Worker("/comlink.js", { type: "module" })));
  const input = new Uint8Array(8);
  const trip = await interleave({
    bare: repeat(() => exchange(echo, [1, 2])),
    wasmex: repeat((count) => guest.callFunction("add", [count, 1])),
    comlink: repeat((count) => remote.add(count, 1)),
    extism: repeat(() => plugin.call("nothing", input)),
  });

  const words = new Int32Array(new SharedArrayBuffer(8));
  void answerForever(words);
  const blocking = workerOf(BLOCKING);
  const hosts = await interleave(
    {
      blocking: (times) => exchange(blocking, { words, times: times * hostCalls }),
      wasmex: repeat(() => guest.callFunction("loop", [], 60_000)),
      extism: repeat(() => plugin.call("loop", input)),
    },
    { rounds: 5 },
  );
  const large = await load("large");
  return { trip, hosts, start: await starts(Wasmex, large) };
}

/**
 * @param {typeof import("../../../dist/types/index.js")} Wasmex
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
async function starts(Wasmex, bytes) {
  /** @type {Record<"bare" | "compile" | "wasmex", number[]>} */
  const samples = { bare: [], compile: [], wasmex: [] };
  /** @type {Record<keyof typeof samples, () => Promise<() => unknown>>} each answers what is to be done afterwards */
  const candidates = {
    async bare() {
      const worker = workerOf("postMessage(1)");
      await new Promise((resolve) => {
        worker.onmessage = resolve;
      });
      return () => worker.terminate();
    },
    async compile() {
      await WebAssembly.compile(bytes);
      return () => undefined;
    },
    async wasmex() {
      const guest = await Wasmex.start({ bytes });
      return () => guest.stop();
    },
  };
  const names = /** @type {(keyof typeof samples)[]} */ (Object.keys(samples));
  for (let round = 0; round < 25; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = /** @type {keyof typeof samples} */ (names[(round + turn) % names.length]);
      const began = performance.now();
      const after = await candidates[name]();
      samples[name].push((performance.now() - began) * 1e6);
      await after();
    }
  }
  return {
    bare: median(samples.bare),
    compile: median(samples.compile),
    wasmex: median(samples.wasmex),
  };
}
