// What is left of guests that were ended: those in endless loops take no more time, those at rest no more memory.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { serve } from "../demo/server.mjs";
import { launch, missingPrograms } from "./support/engines.mjs";
import { inEachEngine, outcomeOf, runByItself, skipAll } from "./support/parts.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

/** @typedef {import("./run.mjs").Outcome} Outcome */

const NAME = "guests that were ended in loops and in recursion leave no thread at work";
const STOPPED = "guests that were stopped make room for others at once";

const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>ended threads</title>
<link rel="icon" href="data:,">
<script src="wasmex.global.js"></script>`;

/** A loop without calls, 2^60 calls, and a start function without an end. */
const ENDLESS = `(async () => {
  const compile = (text) => Wasmex.Module.compile(text);
  const loops = await compile(\`(module
    (func (export "loop") (loop (br 0)))
    (func $wide (param i32) (if (local.get 0) (then
      (call $wide (i32.sub (local.get 0) (i32.const 1)))
      (call $wide (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "recurse") (call $wide (i32.const 60))))\`);
  const starts = await compile("(module (func $spin (loop (br 0))) (start $spin))");
  const ends = [];
  for (let turn = 0; turn < 12; turn++) {
    if (turn % 3 === 0) {
      const signal = AbortSignal.timeout(50);
      ends.push(await Wasmex.start({ module: starts, thread: "worker", signal }).catch((error) => error.name));
      continue;
    }
    const guest = await Wasmex.start({ module: loops, thread: "worker" });
    ends.push(await guest.callFunction(turn % 3 === 1 ? "loop" : "recurse", [], 20).catch((error) => error.name));
    await guest.exited;
  }
  return [...new Set(ends)].join();
})()`;

/** Twenty at a time: all together they would take more addresses than an engine has, 10 GiB each in V8. */
const MANY = `(async () => {
  const module = await Wasmex.Module.compile('(module (memory (export "memory") 1))');
  const live = async () => void (await (await Wasmex.start({ module })).stop());
  for (let turn = 0; turn < 20; turn++) await Promise.all(Array.from({ length: 20 }, live));
})()`;

/** Seconds of processor time that all the processes have taken which this one has started. */
function processorTime() {
  const parents = new Map();
  const times = new Map();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      // The name in brackets may hold anything; numbers follow: state, parent, …, user and system time in hundredths.
      const fields = readFileSync(`/proc/${entry}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      parents.set(entry, fields[1]);
      times.set(entry, (Number(fields[11]) + Number(fields[12])) / 100);
    } catch {
      // It has ended meanwhile.
    }
  }
  let sum = 0;
  for (const [pid, time] of times) {
    let above = pid;
    while (above !== undefined && above !== String(process.pid)) above = parents.get(above);
    if (above !== undefined && pid !== String(process.pid)) sum += time;
  }
  return sum;
}

/** Waits until a second takes the browser less than half of one core's time. */
async function settle() {
  let spent = 0;
  for (let attempt = 0; attempt < 15; attempt++) {
    const before = processorTime();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    spent = processorTime() - before;
    if (spent < 0.5) return;
  }
  throw new Error(`the browser still takes ${spent.toFixed(1)} s of processor time in a second`);
}

/** @type {Record<string, (page: import("./support/engines.mjs").Page) => Promise<void>>} */
const CASES = {
  async [NAME](page) {
    const ends = await page.evaluate(ENDLESS);
    if (ends !== "TimeoutError") throw new Error(`the guests ended with ${ends}`);
    await settle();
  },
  [STOPPED]: (page) => page.evaluate(MANY),
};

/**
 * @param {import("./support/engines.mjs").EngineName} name
 * @returns {Promise<Outcome[]>}
 */
async function checkEngine(name) {
  const missing = missingPrograms(name);
  const message = process.platform === "linux" ? `${missing.join(", ")} not installed` : "read from /proc";
  if (missing.length > 0 || process.platform !== "linux") return skipAll(Object.keys(CASES), message);
  const server = await serve({
    folders: { "/": `${root}dist` },
    isolated: true,
    handle(request, response) {
      if (request.url !== "/") return false;
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(PAGE);
      return true;
    },
  });
  /** @type {Outcome[]} */
  const outcomes = [];
  try {
    for (const [title, run] of Object.entries(CASES)) {
      const engine = await launch(name, { isolated: true });
      const visit = async () => {
        const page = await engine.newPage();
        await page.goto(`${server.url}/`);
        await run(page);
      };
      outcomes.push(await outcomeOf(title, visit));
      await engine.close();
    }
  } finally {
    await server.close();
  }
  return outcomes;
}

/** @param {import("./support/parts.mjs").PartOptions} options */
export async function checkEndedThreads(options = {}) {
  await inEachEngine("ended threads", options, checkEngine);
}

await runByItself(import.meta.url, checkEndedThreads);
