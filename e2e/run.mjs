// Every engine, on isolated and on plain pages: the bundled suites, and the cases from a script tag and from a module.
import { fileURLToPath } from "node:url";
import { ISOLATION, serve } from "../demo/server.mjs";
import { ANSWER } from "./cases/programs.mjs";
import { asksForThread, bundleSuites, listSuites } from "./suites/bundle.mjs";
import { ENGINES, launch, missingPrograms } from "./support/engines.mjs";
import { Inbox, runPage } from "./support/run-page.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * @typedef {import("./support/run-page.mjs").Outcome} Outcome
 * @typedef {{ name: string, outcomes: Outcome[], milliseconds: number }} Part
 */

/** The pages of one engine. The large programs are run once on each kind of page, by another way each. */
const PAGES = [
  { isolated: true, name: "suites inline", path: "/e2e/suites/page.html?thread=inline" },
  { isolated: true, name: "suites worker", path: "/e2e/suites/page.html?thread=worker" },
  { isolated: true, name: "script tag", path: "/e2e/script.html?way=script&heavy=yes" },
  { isolated: true, name: "module", path: "/e2e/module.html?way=module" },
  {
    isolated: true,
    name: "script tag under a strict policy",
    path: "/e2e/policy/script.html?way=script&worker=/dist/worker.js",
  },
  { isolated: true, name: "script tag from another origin", path: "/e2e/elsewhere.html?way=script" },
  { isolated: false, name: "suites inline", path: "/e2e/suites/page.html?thread=inline" },
  { isolated: false, name: "script tag", path: "/e2e/script.html?way=script" },
  { isolated: false, name: "module", path: "/e2e/module.html?way=module&heavy=yes" },
];

/** The strictest policy that runs WebAssembly at all: no scripts but files of this origin, no blobs. */
const POLICY = "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";

/** A page that has the script tag's file from a server of its own, as from a content network. */
const ELSEWHERE = `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script src="ORIGIN/wasmex.global.js"></script>
<script type="module" src="/e2e/page.mjs"></script>`;

/**
 * @param {Inbox} inbox
 * @param {boolean} isolated
 * @param {string} elsewhere another origin that has `dist`
 */
function serveRepository(inbox, isolated, elsewhere) {
  return serve({
    folders: { "/": root },
    isolated,
    handle(request, response) {
      if (request.url?.startsWith("/e2e/policy/")) {
        response.setHeader("content-security-policy", POLICY);
        request.url = request.url.replace("/policy/", "/");
      } else if (request.url?.startsWith("/e2e/elsewhere.html")) {
        const page = ELSEWHERE.replace("ORIGIN", elsewhere);
        response.writeHead(200, { ...ISOLATION, "content-type": "text/html; charset=utf-8" }).end(page);
        return true;
      }
      if (request.url === "/e2e/answer.wasm") {
        const headers = { "content-type": "application/wasm", "content-length": ANSWER.length };
        response.writeHead(200, headers).end(ANSWER);
        return true;
      }
      return inbox.handle(request, response);
    },
  });
}

/**
 * @param {object} options
 * @param {string[]} [options.engines]
 * @param {string} [options.pages] only pages whose name holds this
 * @param {string} [options.only] only suites whose path holds this
 * @param {(part: Part) => void} [options.onPart]
 */
export async function runBrowsers({ engines, pages = "", only, onPart } = {}) {
  await bundleSuites(listSuites());
  /** @type {Part[]} */
  const parts = [];
  /** @param {Part} part */
  const add = (part) => {
    parts.push(part);
    onPart?.(part);
  };
  for (const engine of ENGINES) {
    if (engines !== undefined && !engines.includes(engine)) {
      continue;
    }
    const missing = missingPrograms(engine);
    if (missing.length > 0) {
      const message = `${missing.join(", ")} not installed`;
      const outcomes = PAGES.map((page) => ({
        name: page.name,
        state: /** @type {const} */ ("skip"),
        milliseconds: 0,
        message,
      }));
      add({ name: engine, outcomes, milliseconds: 0 });
      continue;
    }
    for (const isolated of [true, false]) {
      const chosen = PAGES.filter((page) => page.isolated === isolated && page.name.includes(pages));
      if (chosen.length > 0) {
        await runEngine(engine, isolated, chosen, only, add);
      }
    }
  }
  return parts;
}

/**
 * A page for each suite that starts threads: an engine that takes its time to give back shared memory gives back all of it
 * with the page.
 * @param {string} url
 */
function oneByOne(url) {
  return listSuites()
    .filter(asksForThread)
    .map((file) => `${url}&file=${encodeURIComponent(file)}`);
}

/**
 * @param {import("./support/engines.mjs").EngineName} name
 * @param {boolean} isolated
 * @param {{ name: string, path: string }[]} pages
 * @param {string | undefined} only
 * @param {(part: Part) => void} add
 */
async function runEngine(name, isolated, pages, only, add) {
  const inbox = new Inbox();
  const elsewhere = await serve({ folders: { "/": `${root}dist` } });
  const server = await serveRepository(inbox, isolated, elsewhere.url);
  try {
    for (const { name: pageName, path } of pages) {
      const start = performance.now();
      /** @type {Outcome[]} */
      let outcomes;
      /** @type {import("./support/engines.mjs").Engine | undefined} */
      let engine;
      try {
        const url = `${server.url}${path}${only === undefined ? "" : `&only=${encodeURIComponent(only)}`}`;
        outcomes = [];
        for (const address of path.includes("thread=worker") ? oneByOne(url) : [url]) {
          // A browser of its own for each page: what one leaves behind (memories, threads) is no burden to the next. WebKit
          // keeps it with the process that all pages share, so there each suite of threads gets one, too.
          if (name === "webkit") {
            await engine?.close().catch(() => undefined);
            engine = undefined;
          }
          engine ??= await launch(name, { isolated });
          const page = await engine.newPage();
          outcomes.push(...(await runPage(page, inbox, address)));
        }
      } catch (error) {
        outcomes = [{ name: "launch", state: "fail", milliseconds: 0, message: String(error) }];
      } finally {
        await engine?.close().catch(() => undefined);
      }
      if (outcomes.length === 0 && only === undefined) {
        outcomes.push({ name: "cases", state: "fail", milliseconds: 0, message: "the page found no cases" });
      }
      const kind = isolated ? "isolated" : "plain";
      add({ name: `${name} ${kind}, ${pageName}`, outcomes, milliseconds: performance.now() - start });
    }
  } finally {
    await server.close();
    await elsewhere.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  /** @param {string} name */
  const option = (name) => process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split("=")[1];
  const engines = option("engine")?.split(",");
  const only = option("only");
  await runBrowsers({
    ...(engines === undefined ? {} : { engines }),
    ...(only === undefined ? {} : { only }),
    pages: option("pages") ?? "",
    onPart({ name, outcomes, milliseconds }) {
      const failed = outcomes.filter(({ state }) => state === "fail");
      const passed = outcomes.filter(({ state }) => state === "pass").length;
      console.log(
        `${name}: ${passed} passed, ${failed.length} failed (${(milliseconds / 1000).toFixed(1)} s)`,
      );
      for (const { name: test, message } of failed) {
        console.log(`  ✗ ${test}\n    ${message?.replaceAll("\n", "\n    ")}`);
        process.exitCode = 1;
      }
    },
  });
}
