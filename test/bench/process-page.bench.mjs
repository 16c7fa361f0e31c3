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
import { LARGE, SMALL } from "./process-modules.mjs";
import { printTables } from "./process-tables.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** @param {(browser: Browser, newPage: () => Promise<Page>) => Promise<void>} use */
async function withPages(use) {
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
      await use(browser, async () => {
        const page = await browser.newPage();
        await page.goto(`${server.url}/index.html`);
        return page;
      });
    } finally {
      await browser.close();
      await server.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {Browser} browser @param {() => Promise<Page>} newPage */
async function compare(browser, newPage) {
  /** @param {string} call of what the page's script exports */
  const onPage = async (call) => {
    const page = await newPage();
    try {
      return /** @type {any} */ (await page.evaluate(`import("/page.js").then((page) => page.${call})`));
    } finally {
      await page.close();
    }
  };
  console.log(`\nChromium ${browser.version}, isolated pages`);
  await printTables((key, name) => onPage(`measure(${JSON.stringify(key)}, ${JSON.stringify(name)})`));
  const { bare, compile, wasmex } = await onPage("starts()");
  const both = bare + compile;
  table(
    "Start",
    ["", "time", "of a bare worker and the compile"],
    [
      ["a bare worker's first message", formatTime(bare), ""],
      ["compile of the module", formatTime(compile), ""],
      ["wasmex start of bytes", formatTime(wasmex), formatRatio(wasmex / both)],
    ],
  );
}

const missing = missingPrograms("chromium");
if (missing.length > 0) {
  console.log(`Chromium is not measured: ${missing.join(", ")} not installed`);
} else {
  await withPages(compare);
}
