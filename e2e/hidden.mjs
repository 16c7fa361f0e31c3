// A page in a tab that another one hides: browsers hold up its timers, and guests are ended in time all the same.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "../demo/server.mjs";
import { startDisplay } from "./support/display.mjs";
import { missingPrograms, PROGRAMS } from "./support/engines.mjs";
import { inEachEngine, outcomeOf, runByItself, skipAll } from "./support/parts.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

const NAME = "guests in loops on a hidden page end within 50 ms of their deadline";
/** How long a browser may take for all of it, in milliseconds. */
const PATIENCE = 60_000;

/**
 * Waits until it is hidden and its timers are held up; then posts how late deadlines are (milliseconds), and a timer beside them. Two late
 * ones of seven may be the machine's.
 */
const PAGE = `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script src="wasmex.global.js"></script>
<script type="module">
  const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const lateness = async (milliseconds, wait) => {
    const began = performance.now();
    await wait(milliseconds);
    return Math.round(performance.now() - began - milliseconds);
  };
  const report = {};
  try {
    while (!document.hidden) await sleep(100);
    const module = await Wasmex.Module.compile('(module (func (export "spin") (loop (br 0))))');
    report.timer = 0;
    while (report.timer < 100) report.timer = await lateness(333, sleep);
    report.calls = [];
    for (let turn = 0; turn < 7; turn++) {
      const guest = await Wasmex.start({ module, thread: "worker" });
      const spin = (timeout) => guest.callFunction("spin", [], timeout).catch((error) => error);
      report.calls.push(await lateness(220 + turn * 130, spin));
      await guest.stop();
    }
  } catch (error) {
    report.error = String(error);
  }
  await fetch("/report", { method: "POST", body: JSON.stringify(report) });
</script>`;

const OTHER = `<!doctype html><link rel="icon" href="data:,">another page`;

/** How each browser is given two pages, the first of them in front. @type {Record<string, (folder: string, pages: string[]) => string[]>} */
const ARGUMENTS = {
  chromium: (folder, pages) => [
    ...["--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-component-update"],
    `--user-data-dir=${folder}`,
    ...pages,
  ],
  firefox: (folder, pages) => [
    "--no-remote",
    "--profile",
    folder,
    ...pages.flatMap((page) => ["--url", page]),
  ],
};

const FIREFOX_SETTINGS = [
  "browser.shell.checkDefaultBrowser",
  "browser.aboutwelcome.enabled",
  "datareporting.policy.dataSubmissionEnabled",
  "app.update.enabled",
];

/** @param {string} name */
async function measure(name) {
  /** @type {(report: any) => void} */
  let take = () => undefined;
  const reported = new Promise((resolve) => {
    take = resolve;
  });
  const server = await serve({
    folders: { "/": `${root}dist` },
    isolated: true,
    handle(request, response) {
      if (request.url === "/report") {
        let text = "";
        request.on("data", (chunk) => {
          text += chunk;
        });
        request.on("end", () => {
          response.end();
          take(JSON.parse(text));
        });
        return true;
      }
      const page = { "/hidden.html": PAGE, "/other.html": OTHER }[request.url ?? ""];
      if (page === undefined) return false;
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
      return true;
    },
  });
  const folder = await mkdtemp(join(tmpdir(), "wasmex-hidden-"));
  const settings = FIREFOX_SETTINGS.map((key) => `user_pref("${key}", false);\n`).join("");
  await writeFile(join(folder, "user.js"), settings);
  const display = await startDisplay();
  const pages = [`${server.url}/other.html`, `${server.url}/hidden.html`];
  const browser = spawn(
    /** @type {string} */ (PROGRAMS[/** @type {"chromium"} */ (name)][0]),
    /** @type {any} */ (ARGUMENTS[name])(folder, pages),
    { env: { ...process.env, DISPLAY: display.name }, stdio: "ignore" },
  );
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  try {
    return await Promise.race([
      reported,
      once(browser, "exit").then(([code]) => ({ error: `the browser ended with code ${code}` })),
      new Promise((resolve) => {
        timer = setTimeout(resolve, PATIENCE, { error: `nothing came of the page in ${PATIENCE / 1000} s` });
      }),
    ]);
  } finally {
    clearTimeout(timer);
    const ended = once(browser, "exit");
    if (browser.exitCode === null && browser.kill()) await ended;
    display.stop();
    await server.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

async function check(/** @type {string} */ name) {
  const { error, calls } = await measure(name);
  if (error !== undefined) throw new Error(error);
  const late = calls.filter((/** @type {number} */ milliseconds) => milliseconds > 50);
  if (late.length > 2) throw new Error(`calls ended ${calls.join(", ")} ms late`);
}

/** @param {import("./support/parts.mjs").PartOptions} options */
export async function checkHidden(options = {}) {
  await inEachEngine("hidden page", options, async (name) => {
    if (name === "webkit") return skipAll([NAME], "WebKitGTK's driver hides no page");
    const missing = missingPrograms(name).concat(
      missingPrograms("webkit").filter((path) => path.endsWith("Xvfb")),
    );
    if (missing.length > 0) return skipAll([NAME], `${missing.join(", ")} not installed`);
    return [await outcomeOf(NAME, () => check(name))];
  });
}

await runByItself(import.meta.url, checkHidden);
