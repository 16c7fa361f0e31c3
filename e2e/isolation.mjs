// A page from a host that sets no headers becomes isolated by the service worker that the package ships.
import { fileURLToPath } from "node:url";
import { serve } from "../demo/server.mjs";
import { ANSWER } from "./cases/programs.mjs";
import { ENGINES, launch, missingPrograms } from "./support/engines.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

/** @typedef {import("./run.mjs").Outcome} Outcome */

const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>isolated without headers</title>
<link rel="icon" href="data:,">
<script src="isolation.js"></script>
<script src="wasmex.global.js"></script>`;

/** A reload in between ends what was being asked. How often to ask again, and after how many milliseconds. */
const ATTEMPTS = 100;
const PAUSE = 100;

/**
 * Asks until the answer is true.
 * @param {import("./support/engines.mjs").Page} page
 * @param {string} expression
 */
async function until(page, expression) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await page.evaluate(expression).catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  throw new Error(`never came true: ${expression}`);
}

const START = `(async () => {
  const guest = await Wasmex.start({ bytes: new Uint8Array([${ANSWER}]) });
  const results = await guest.callFunction("answer");
  await guest.stop();
  return [guest.thread, ...results].join();
})()`;

/** How the page was loaded, and the package with it. */
const READY = "document.readyState === 'complete' && crossOriginIsolated && 'Wasmex' in globalThis";
const NAVIGATION = "performance.getEntriesByType('navigation')[0].type";

/** @type {Record<string, (page: import("./support/engines.mjs").Page, url: string) => Promise<void>>} */
const CASES = {
  async "isolation.js isolates a page that has no headers, and guests get threads"(page, url) {
    await page.goto(url);
    await until(page, READY);
    const started = await page.evaluate(START);
    if (started !== "worker,42") throw new Error(`the guest answered ${started}`);
  },
  async "isolation.js reloads a page on its first visit alone"(page, url) {
    await page.goto(`${url}?again`);
    await until(page, READY);
    const type = await page.evaluate(NAVIGATION);
    if (type !== "navigate") throw new Error(`the second visit was a ${type}`);
  },
};

/**
 * @param {import("./support/engines.mjs").EngineName} name
 * @returns {Promise<Outcome[]>}
 */
async function checkEngine(name) {
  const missing = missingPrograms(name);
  if (missing.length > 0) {
    const message = `${missing.join(", ")} not installed`;
    return Object.keys(CASES).map((title) => ({ name: title, state: "skip", milliseconds: 0, message }));
  }
  const server = await serve({
    folders: { "/": `${root}dist` },
    handle(request, response) {
      if (!/^\/(\?.*)?$/.test(request.url ?? "")) return false;
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(PAGE);
      return true;
    },
  });
  /** @type {Outcome[]} */
  const outcomes = [];
  const engine = await launch(name, { isolated: true });
  try {
    const page = await engine.newPage();
    for (const [title, run] of Object.entries(CASES)) {
      const start = performance.now();
      /** @type {Outcome} */
      let outcome = { name: title, state: "pass", milliseconds: 0 };
      try {
        await run(page, `${server.url}/`);
      } catch (error) {
        outcome = { ...outcome, state: "fail", message: String(error) };
      }
      outcomes.push({ ...outcome, milliseconds: performance.now() - start });
    }
  } finally {
    await engine.close();
    await server.close();
  }
  return outcomes;
}

/**
 * @param {{ engines?: string[], onPart?: (part: import("./run.mjs").Part) => void }} options
 */
export async function runIsolation({ engines, onPart } = {}) {
  for (const name of ENGINES) {
    if (engines !== undefined && !engines.includes(name)) continue;
    const start = performance.now();
    const outcomes = await checkEngine(name);
    onPart?.({
      name: `${name} isolated by a service worker`,
      outcomes,
      milliseconds: performance.now() - start,
    });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const engine = process.argv.find((argument) => argument.startsWith("--engine="))?.split("=")[1];
  await runIsolation({
    ...(engine === undefined ? {} : { engines: [engine] }),
    onPart(part) {
      console.log(part.name, part.outcomes);
      if (part.outcomes.some(({ state }) => state === "fail")) process.exitCode = 1;
    },
  });
}
