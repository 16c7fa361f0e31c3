// Runs on the page of process-page.bench.mjs.
import { createPlugin } from "@extism/extism";
import { wrap } from "comlink";
import { median } from "../harness.mjs";
import { measureRow } from "../process-tables.mjs";

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

/** @param {string} name */
const load = async (name) => new Uint8Array(await (await fetch(`/${name}.wasm`)).arrayBuffer());

/** @type {Promise<typeof import("../../../dist/types/index.js")>} */
const loading = import(/** @type {string} */ ("/dist/browser/index.js"));

/** @type {import("../process-tables.mjs").Kit} */
const kit = {
  echo() {
    /** @type {((message: unknown) => void)[]} */
    const waiting = [];
    const worker = workerOf(ECHO);
    worker.onmessage = ({ data }) => waiting.shift()?.(data);
    return (message) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        worker.postMessage(message);
      });
  },
  blocking(words) {
    const worker = workerOf(BLOCKING);
    return (times) =>
      new Promise((resolve) => {
        worker.onmessage = resolve;
        worker.postMessage({ words, times });
      });
  },
  async guest() {
    const { start } = await loading;
    /** @param {bigint} value */
    const ask = (value) => value;
    return start({ bytes: await load("small"), imports: { "extism:host/user": { ask } } });
  },
  comlink: () => /** @type {any} */ (wrap(new Worker("/comlink.js", { type: "module" }))),
  async extism() {
    return createPlugin(
      { wasm: [{ data: await load("small") }] },
      { runInWorker: true, functions: { "extism:host/user": { ask: (_plugin, value) => value } } },
    );
  },
};

/** @param {string} key @param {string} name */
export const measure = (key, name) => measureRow(kit, key, name);

/**
 * In nanoseconds.
 * @returns {Promise<Record<"bare" | "compile" | "wasmex", number>>}
 */
export async function starts() {
  const Wasmex = await loading;
  const bytes = await load("large");
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
