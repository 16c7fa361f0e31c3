// A page from a host that sets no headers becomes isolated by the service worker that the package ships.
import { fileURLToPath } from "node:url";
import { serve } from "../demo/server.mjs";
import { ANSWER } from "./cases/programs.mjs";
import { launch, missingPrograms } from "./support/engines.mjs";
import { inEachEngine, outcomeOf, runByItself, skipAll } from "./support/parts.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

/** @typedef {import("./run.mjs").Outcome} Outcome */

const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>isolated without headers</title>
<link rel="icon" href="data:,">
<script src="isolation.js"></script>
<script src="wasmex.global.js"></script>`;

/** Notes what is asked of the service workers, and when nothing is being asked any more. */
const WATCHED = `<!doctype html>
<meta charset="utf-8">
<title>stays plain</title>
<link rel="icon" href="data:,">
<script>
  globalThis.flag = "wasmex-isolation-reloaded " + new URL("isolation.js", location.href);
  globalThis.calls = [];
  let pending = 0;
  for (const name of ["getRegistration", "register"]) {
    const original = navigator.serviceWorker[name].bind(navigator.serviceWorker);
    navigator.serviceWorker[name] = async (...given) => {
      calls.push(name);
      pending++;
      try {
        return await original(...given);
      } finally {
        setTimeout(() => {
          if (--pending === 0) globalThis.settled = true;
        });
      }
    };
  }
</script>
<script src="ISOLATION"></script>`;

/** Not isolated itself, so that what it frames can't be, either. */
const OUTER = `<!doctype html>
<meta charset="utf-8">
<title>frames a page</title>
<link rel="icon" href="data:,">
<script>globalThis.loads = 0</script>
<iframe src="framed/" onload="loads++"></iframe>`;

/** A service worker such as a site may have of its own. */
const OTHER_WORKER = `addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", () => {});`;

const SCRIPT_TYPE = { "content-type": "text/javascript" };

/** Has the page wait until the folder's own service worker has it. */
const REGISTER = `(async () => {
  const { serviceWorker } = navigator;
  await serviceWorker.register("other.js");
  while (serviceWorker.controller === null) {
    await new Promise((resolve) => serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
  }
})()`;

/** @type {Record<string, string>} */
const PAGES = {
  "/": PAGE,
  "/frame/": "<!doctype html><script>parent.postMessage(crossOriginIsolated)</script>",
  "/one/": PAGE,
  "/two/": PAGE,
  "/outer.html": OUTER,
  "/framed/": WATCHED.replace("ISOLATION", "isolation.js"),
  "/own/register.html": "<!doctype html>",
  "/own/": WATCHED.replace("ISOLATION", "isolation.js"),
  "/own/below/": WATCHED.replace("ISOLATION", "/isolation.js"),
};

const POST_ISOLATED = "postMessage(crossOriginIsolated)";
/** What a site answers beside its pages: with a status, a redirect or a type, and a text. @type {Record<string, [number, Record<string, string>, string?]>} */
const FILES = {
  "/nothing": [204, {}],
  "/reset": [205, {}],
  "/latest/app.js": [302, { location: "/v2/app.js" }],
  "/v2/app.js": [
    200,
    SCRIPT_TYPE,
    'export { version } from "./version.js"; export const { url } = import.meta',
  ],
  "/v2/version.js": [200, SCRIPT_TYPE, "export const version = 2"],
  "/latest/worker.js": [302, { location: "/v2/worker.js" }],
  "/v2/worker.js": [200, SCRIPT_TYPE, 'import { version } from "./version.js"; postMessage(version)'],
  "/own/other.js": [200, SCRIPT_TYPE, OTHER_WORKER],
  "/own-worker.js": [200, SCRIPT_TYPE, POST_ISOLATED],
};

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
  async "isolation.js isolates frames, and workers from files"(page, url) {
    await page.goto(url);
    await until(page, READY);
    const isolated = await page.evaluate(`(async () => {
      const worker = new Worker("own-worker.js");
      const ofWorker = await new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = () => reject(new Error("the worker did not start"));
      });
      worker.terminate();
      const frame = document.createElement("iframe");
      frame.src = "frame/";
      document.body.append(frame);
      const ofFrame = await new Promise((resolve) => addEventListener("message", ({ data }) => resolve(data)));
      const guest = await Wasmex.start({ bytes: new Uint8Array([${ANSWER}]), workerUrl: "worker.js" });
      const results = await guest.callFunction("answer");
      await guest.stop();
      return [ofWorker, ofFrame, guest.thread, ...results].join();
    })()`);
    if (isolated !== "true,true,worker,42") throw new Error(`worker, frame and guest were ${isolated}`);
  },
  async "isolation.js leaves answers without a body, and redirects, as they are"(page, url) {
    await page.goto(url);
    await until(page, READY);
    const outcome = await page.evaluate(`(async () => {
      const statuses = await Promise.all(["nothing", "reset"].map(async (path) => (await fetch(path)).status));
      const { version, url } = await import("./latest/app.js");
      const worker = new Worker("latest/worker.js", { type: "module" });
      const ofWorker = await new Promise((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = () => resolve("no worker");
      });
      worker.terminate();
      return [...statuses, version, new URL(url).pathname, ofWorker].join();
    })()`);
    if (outcome !== "204,205,2,/v2/app.js,2") throw new Error(`the answers were ${outcome}`);
  },
  async "isolation.js reloads a page on its first visit alone"(page, url) {
    await page.goto(`${url}?again`);
    await until(page, READY);
    const type = await page.evaluate(NAVIGATION);
    if (type !== "navigate") throw new Error(`the second visit was a ${type}`);
  },
  async "isolation.js isolates the next project of the same origin in the same tab"(page, url) {
    for (const folder of ["one/", "two/"]) {
      await page.goto(url + folder);
      await until(page, READY);
      await page.goto(url + folder);
      await until(page, READY);
    }
  },
  async "isolation.js isolates again when its worker had been taken off"(page, url) {
    await page.goto(`${url}two/`);
    await until(page, READY);
    await page.evaluate(`(async () => {
      await (await navigator.serviceWorker.getRegistration()).unregister();
      // As Chromium brings it back.
      const flag = "wasmex-isolation-reloaded " + new URL("isolation.js", location.href);
      sessionStorage.setItem(flag, Date.now() - 100_000);
    })()`);
    await page.goto(`${url}two/?off`);
    await until(page, READY);
  },
  async "isolation.js reloads a page that stays plain but once"(page, url) {
    await page.goto(`${url}outer.html`);
    await until(page, "globalThis.loads === 2 && frames[0].settled === true");
    // The flag of an earlier visit, as it comes back.
    await page.evaluate("frames[0].sessionStorage.setItem(frames[0].flag, 1), frames[0].location.reload()");
    await until(page, "globalThis.loads === 3 && frames[0].settled === true");
    const flag = await page.evaluate("frames[0].sessionStorage.getItem(frames[0].flag)");
    if (flag !== "1") throw new Error("the page was reloaded again");
  },
  async "isolation.js leaves a page to the site's own service worker"(page, url) {
    await page.goto(`${url}own/register.html`);
    await page.evaluate(REGISTER);
    for (const path of ["own/", "own/below/"]) {
      await page.goto(url + path);
      await until(page, "globalThis.settled === true");
      const calls = await page.evaluate("globalThis.calls.join()");
      if (calls.includes("getRegistration,register")) throw new Error(`on ${path} it registered itself`);
      if (!calls.startsWith("getRegistration")) throw new Error(`on ${path} it did ${calls}`);
    }
  },
};

/**
 * @param {import("./support/engines.mjs").EngineName} name
 * @returns {Promise<Outcome[]>}
 */
async function checkEngine(name) {
  const missing = missingPrograms(name);
  if (missing.length > 0) return skipAll(Object.keys(CASES), `${missing.join(", ")} not installed`);
  const server = await serve({
    folders: Object.fromEntries(
      ["/", "/one/", "/two/", "/own/", "/framed/"].map((prefix) => [prefix, `${root}dist`]),
    ),
    handle(request, response) {
      const path = (request.url ?? "").replace(/\?.*/, "");
      const file = FILES[path];
      if (file !== undefined) {
        const [status, headers, text] = file;
        response.writeHead(status, headers).end(text);
        return true;
      }
      const page = PAGES[path];
      if (page === undefined) return false;
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
      return true;
    },
  });
  /** @type {Outcome[]} */
  const outcomes = [];
  const engine = await launch(name, { isolated: true });
  try {
    const page = await engine.newPage();
    for (const [title, run] of Object.entries(CASES)) {
      outcomes.push(await outcomeOf(title, () => run(page, `${server.url}/`)));
    }
  } finally {
    await engine.close();
    await server.close();
  }
  return outcomes;
}

/** @param {import("./support/parts.mjs").PartOptions} options */
export async function runIsolation(options = {}) {
  await inEachEngine("isolated by a service worker", options, checkEngine);
}

await runByItself(import.meta.url, runIsolation);
