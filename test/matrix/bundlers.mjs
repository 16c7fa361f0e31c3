// A small app out of each bundler, run in real browsers.
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { serve } from "../../demo/server.mjs";
import { ENGINES, launch, missingPrograms } from "../../e2e/support/engines.mjs";
import { fetchTool, runProgram } from "./tools.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const here = fileURLToPath(new URL("./", import.meta.url));

/** @typedef {import("../support/stages.mjs").Outcome} Outcome */

/** Every bundler in Chromium; one of them in all, for what bundlers write differs less than what engines do. */
/** @type {{ name: string, bundler?: string, tool?: import("./tools.mjs").Tool, engines: readonly string[], policy?: string }[]} */
const BUNDLERS = [
  { name: "esbuild", engines: ["chromium"] },
  { name: "Vite", tool: "Vite", engines: ENGINES },
  {
    name: "Vite, strict policy",
    bundler: "Vite",
    tool: "Vite",
    engines: ["chromium"],
    policy: "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'",
  },
  { name: "webpack", tool: "webpack", engines: ["chromium"] },
  { name: "Rollup", tool: "Rollup", engines: ["chromium"] },
  { name: "Parcel", tool: "Parcel", engines: ["chromium"] },
];

/** What the page has to come to; on a plain page the guest runs inline, and nothing can cut it short. @param {boolean} isolated */
const expected = (isolated) =>
  JSON.stringify({
    thread: isolated ? "worker" : "inline",
    results: [20],
    text: "hello",
    timeout: isolated ? "TimeoutError" : "none",
    exitCode: 0,
    file: "hello",
  });

/**
 * Everything in the built app that only Node has.
 * @param {string} out
 */
async function nodeImports(out) {
  const found = [];
  for (const file of await readdir(out, { recursive: true })) {
    if (!/\.m?js$/.test(file)) continue;
    const text = await readFile(`${out}/${file}`, "utf8");
    for (const [hit] of text.matchAll(/["'`]node:\w+|\brequire\(["'`]\w+["'`]\)/g))
      found.push(`${file}: ${hit}`);
  }
  return found;
}

/** The sum of the scripts, as a server would send them, in bytes. @param {string} out */
async function scriptSize(out) {
  let sum = 0;
  for (const file of await readdir(out, { recursive: true })) {
    if (/\.m?js$/.test(file)) sum += gzipSync(await readFile(`${out}/${file}`), { level: 9 }).length;
  }
  return sum;
}

/**
 * @param {string} name
 * @param {string | undefined} wrong
 * @returns {Outcome}
 */
const judged = (name, wrong) =>
  wrong === undefined ? { name, state: "pass" } : { name, state: "fail", message: wrong };

/**
 * @param {(typeof BUNDLERS)[number]} bundler
 * @param {string} folder
 * @returns {Promise<{ outcomes: Outcome[], out?: string }>}
 */
async function buildApp({ name, bundler = name, tool, policy }, folder) {
  let tools = `${root}node_modules`;
  if (tool !== undefined) {
    const found = await fetchTool(tool);
    if ("lacks" in found) return { outcomes: [{ name, state: "skip", message: `${name}: ${found.lacks}` }] };
    tools = found.folder;
  }
  const app = `${folder}/${name.replaceAll(/\W+/g, "-")}`;
  await mkdir(app, { recursive: true });
  await cp(`${here}app`, app, { recursive: true });
  if (policy !== undefined) {
    const page = await readFile(`${app}/index.html`, "utf8");
    await writeFile(`${app}/index.html`, page.replace("./main.js", "./strict.js"));
  }
  const args = [`${here}bundle-app.mjs`, bundler, tools, app];
  const { code, stderr, stdout } = await runProgram(process.execPath, args, { cwd: app });
  const built = `${name} builds the app`;
  if (code !== 0) return { outcomes: [judged(built, stderr + stdout)] };
  const out = `${app}/out`;
  const foreign = await nodeImports(out);
  const kilobytes = ((await scriptSize(out)) / 1000).toFixed(1);
  return {
    out,
    outcomes: [
      judged(`${built} (${kilobytes} kB gzipped, the text parser included)`, undefined),
      judged(
        `${name} brings nothing of Node to the page`,
        foreign.length > 0 ? foreign.join("\n") : undefined,
      ),
    ],
  };
}

/**
 * @param {string} name
 * @param {{ name: string, out: string, policy?: string }[]} apps
 * @param {boolean} isolated
 * @returns {Promise<Outcome[]>}
 */
async function runApps(name, apps, isolated) {
  const engine = /** @type {import("../../e2e/support/engines.mjs").EngineName} */ (name);
  const title = (/** @type {string} */ app) =>
    `${app} > runs in ${engine}, ${isolated ? "isolated" : "plain"} page`;
  const missing = missingPrograms(engine);
  if (missing.length > 0) {
    const message = `${missing.join(", ")} not installed`;
    return apps.map((app) => ({ name: title(app.name), state: "skip", message }));
  }
  /** @type {Outcome[]} */
  const outcomes = [];
  const browser = await launch(engine, { isolated });
  try {
    for (const app of apps) {
      const headers = app.policy === undefined ? {} : { "content-security-policy": app.policy };
      const server = await serve({ folders: { "/": app.out }, isolated, headers });
      try {
        const page = await browser.newPage();
        await page.goto(`${server.url}/index.html`);
        const result = await page.evaluate("globalThis.outcome");
        const wanted = expected(isolated);
        outcomes.push(
          judged(title(app.name), result === wanted ? undefined : `${result}\ninstead of ${wanted}`),
        );
        await page.close();
      } catch (error) {
        outcomes.push(judged(title(app.name), String(error)));
      } finally {
        await server.close();
      }
    }
  } finally {
    await browser.close();
  }
  return outcomes;
}

/**
 * @param {string} folder where the package is installed
 * @param {string} [only] only bundlers whose name holds this
 */
export async function checkBundlers(folder, only = "") {
  /** @type {Outcome[]} */
  const outcomes = [];
  const apps = [];
  for (const bundler of BUNDLERS.filter(({ name }) => name.includes(only))) {
    const built = await buildApp(bundler, folder);
    outcomes.push(...built.outcomes);
    if (built.out !== undefined) apps.push({ ...bundler, out: built.out });
  }
  for (const engine of ENGINES) {
    const own = apps.filter(({ engines }) => engines.includes(engine));
    for (const isolated of [true, false]) {
      if (own.length > 0) outcomes.push(...(await runApps(engine, own, isolated)));
    }
  }
  return outcomes;
}
