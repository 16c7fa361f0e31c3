// What process.bench.mjs compares, in Chromium on a page that is cross-origin isolated. Needs `dist` (`npm run build`).
//   node test/bench/process-page.bench.mjs
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import wabt from "wabt";
import { serve } from "../../demo/server.mjs";
import { launch, missingPrograms } from "../../e2e/support/engines.mjs";
import { formatRatio, formatTime, table } from "./harness.mjs";
import { HOST_CALLS, LARGE, SMALL } from "./process-modules.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));

async function measure() {
  const folder = await mkdtemp(join(tmpdir(), "wasmex-bench-"));
  const parser = await wabt();
  try {
    for (const [name, text] of Object.entries({ small: SMALL, large: LARGE })) {
      await writeFile(`${folder}/${name}.wasm`, parser.parseWat(name, text).toBinary({}).buffer);
    }
    await build({
      entryPoints: { page: `${root}test/bench/page/page.mjs`, comlink: `${root}test/bench/page/comlink.mjs` },
      outdir: folder,
      bundle: true,
      format: "esm",
      external: ["/dist/*"],
      alias: { "@extism/extism": `${root}node_modules/@extism/extism/dist/browser/mod.js` },
      logLevel: "error",
    });
    await writeFile(`${folder}/index.html`, "<!doctype html><title>bench</title>");
    const server = await serve({ folders: { "/": folder, "/dist/": `${root}dist` }, isolated: true });
    const browser = await launch("chromium", { isolated: true });
    try {
      const page = await browser.newPage();
      await page.goto(`${server.url}/index.html`);
      const result = await page.evaluate(`import("/page.js").then(({ measure }) => measure(${HOST_CALLS}))`);
      return { version: browser.version, result: /** @type {import("./page/page.mjs").Times} */ (result) };
    } finally {
      await browser.close();
      await server.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const missing = missingPrograms("chromium");
if (missing.length > 0) {
  console.log(`Chromium is not measured: ${missing.join(", ")} not installed`);
} else {
  const { version, result } = await measure();
  console.log(`\nChromium ${version}, an isolated page`);
  const { trip, hosts, start } = result;
  /** @param {string} name @param {number} time @param {number} beside @param {number} [share] */
  const row = (name, time, beside, share = 1) => [name, formatTime(time / share), formatRatio(time / beside)];
  table(
    "Round trip of a short function, one after the other",
    ["", "time", "of a bare message"],
    [
      row("postMessage there and back", trip.bare, trip.bare),
      row("wasmex callFunction", trip.wasmex, trip.bare),
      row("comlink 4.4.2", trip.comlink, trip.bare),
      row("Extism 1.0.3, runInWorker", trip.extism, trip.bare),
    ],
  );
  table(
    "Host function called by the guest, in a row",
    ["", "time of one", "of the blocking exchange"],
    [
      row("Atomics.wait and waitAsync", hosts.blocking, hosts.blocking, HOST_CALLS),
      row("wasmex host function", hosts.wasmex, hosts.blocking, HOST_CALLS),
      row("Extism 1.0.3, runInWorker", hosts.extism, hosts.blocking, HOST_CALLS),
    ],
  );
  const both = start.bare + start.compile;
  table(
    "Start",
    ["", "time", "of a bare worker and the compile"],
    [
      row("a bare worker's first message", start.bare, both),
      row("compile of the module", start.compile, both),
      row("wasmex start of bytes", start.wasmex, both),
    ],
  );
}
