// What the benchmarks of processes compare, in Node and on a page: each row beside its limit, alone, since the threads of one
// take the cores from another.
import { answerForever } from "./exchange.mjs";
import { formatRatio, formatTime, interleave, median, table } from "./harness.mjs";
import { FEW_HOST_CALLS, HOST_CALLS } from "./process-modules.mjs";

/**
 * How a platform makes what is compared, with threads of its own.
 * @typedef {object} Kit
 * @property {() => (message: unknown) => Promise<unknown>} echo a bare worker that sends back what it gets
 * @property {(words: Int32Array) => (times: number) => Promise<unknown>} blocking a worker that exchanges over shared memory and sleeps
 * @property {() => Promise<import("../../dist/types/index.js").Process>} guest
 * @property {() => { add(a: number, b: number): Promise<number> }} comlink
 * @property {() => Promise<{ call(name: string, input: Uint8Array): Promise<unknown> }>} extism
 *
 * @typedef {(times: number) => unknown} Candidate
 * @typedef {(kit: Kit) => Candidate | Promise<Candidate>} Maker
 * @typedef {{ limit: number, row: number }} Times in nanoseconds
 */

/** @param {(count: number) => unknown} work @returns {Candidate} */
const repeat = (work) => async (times) => {
  for (let count = 0; count < times; count++) await work(count);
};

const FLIGHT = 64;
/** @param {(index: number) => unknown} call */
const inFlight = (call) =>
  repeat(() => Promise.all(Array.from({ length: FLIGHT }, (_, index) => call(index))));

const INPUT = new Uint8Array(8);
const EXTISM = "Extism 1.0.3, runInWorker";
const COMLINK = "comlink 4.4.2";
const OURS = "wasmex";

/**
 * `per`: how much of what a row is about one piece of its work does.
 * @type {Record<string, { title: string, header: string[], limit: [name: string, make: Maker, per: number], rows: Record<string, [make: Maker, per: number]> }>}
 */
const TABLES = {
  trip: {
    title: "Round trip of a short function, one after the other",
    header: ["", "time", "of a bare message"],
    limit: [
      "postMessage there and back",
      (kit) => {
        const send = kit.echo();
        return repeat(() => send([1, 2]));
      },
      1,
    ],
    rows: {
      [OURS]: [
        async (kit) => {
          const guest = await kit.guest();
          return repeat((count) => guest.callFunction("add", [count, 1]));
        },
        1,
      ],
      [COMLINK]: [
        (kit) => {
          const remote = kit.comlink();
          return repeat((count) => remote.add(count, 1));
        },
        1,
      ],
      [EXTISM]: [
        async (kit) => {
          const plugin = await kit.extism();
          return repeat(() => plugin.call("nothing", INPUT));
        },
        1,
      ],
    },
  },
  flight: {
    title: `${FLIGHT} calls in flight`,
    header: ["", "time for all", "of bare messages"],
    limit: [
      "postMessage there and back",
      (kit) => {
        const send = kit.echo();
        return inFlight(() => send([1, 2]));
      },
      1,
    ],
    rows: {
      [OURS]: [
        async (kit) => {
          const guest = await kit.guest();
          return inFlight((index) => guest.callFunction("add", [index, 1]));
        },
        1,
      ],
      [COMLINK]: [
        (kit) => {
          const remote = kit.comlink();
          return inFlight((index) => remote.add(index, 1));
        },
        1,
      ],
    },
  },
  host: {
    title: "Host function called by the guest, in a row",
    header: ["", "time of one", "of the blocking exchange"],
    limit: [
      "Atomics.wait and waitAsync",
      (kit) => {
        const words = new Int32Array(new SharedArrayBuffer(8));
        const exchange = kit.blocking(words);
        void answerForever(words);
        return (times) => exchange(times * HOST_CALLS);
      },
      HOST_CALLS,
    ],
    rows: {
      [OURS]: [
        async (kit) => {
          const guest = await kit.guest();
          return repeat(() => guest.callFunction("loop", [], 60_000));
        },
        HOST_CALLS,
      ],
      [EXTISM]: [
        async (kit) => {
          const plugin = await kit.extism();
          return repeat(() => plugin.call("few", INPUT));
        },
        FEW_HOST_CALLS,
      ],
    },
  },
};

/**
 * Measures one row beside its limit, here.
 * @param {Kit} kit @param {string} key @param {string} name
 * @returns {Promise<Times>}
 */
export async function measureRow(kit, key, name) {
  const { limit, rows } = /** @type {(typeof TABLES)[string]} */ (TABLES[key]);
  const [, makeLimit, perLimit] = limit;
  const [make, per] = /** @type {[Maker, number]} */ (rows[name]);
  const candidates = { limit: await makeLimit(kit), row: await make(kit) };
  const times = await interleave(candidates, { warmUp: 300 });
  return { limit: times.limit / perLimit, row: times.row / per };
}

/** @param {(key: string, name: string) => Times | Promise<Times>} measure one row, in a place of its own */
export async function printTables(measure) {
  for (const [key, { title, header, limit, rows }] of Object.entries(TABLES)) {
    const limits = [];
    const lines = [];
    for (const name of Object.keys(rows)) {
      const { limit: beside, row } = await measure(key, name);
      limits.push(beside);
      lines.push([name, formatTime(row), formatRatio(row / beside)]);
    }
    table(title, header, [[limit[0], formatTime(median(limits)), "1"], ...lines]);
  }
}
