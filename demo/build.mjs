// Builds the demo into static files that any host can serve: node demo/build.mjs [directory]
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { buildAll, bundleOptions } from "../build.mjs";

const demo = fileURLToPath(new URL("./", import.meta.url));
const root = fileURLToPath(new URL("../", import.meta.url));
const modules = join(root, "node_modules");
const nothing = join(demo, "ui/nothing.ts");

/** What the pages fetch beside what is bundled into them. @type {[to: string, from: string][]} */
const COPIES = [
  ["index.html", join(demo, "index.html")],
  ["tag.html", join(demo, "tag.html")],
  ["tag.js", join(demo, "tag.js")],
  ["favicon.svg", join(demo, "favicon.svg")],
  ["programs/yard.wasm", join(demo, "programs/yard.wasm")],
  ["programs/escape.wasm", join(demo, "programs/escape.wasm")],
  ["programs/esbuild.wasm", join(modules, "@esbuild/wasi-preview1/esbuild.wasm")],
  ["programs/ruby.wasm", join(modules, "@ruby/3.4-wasm-wasi/dist/ruby+stdlib.wasm")],
  [
    "fonts/barlow-condensed-500.woff2",
    join(modules, "@fontsource/barlow-condensed/files/barlow-condensed-latin-500-normal.woff2"),
  ],
  [
    "fonts/barlow-condensed-700.woff2",
    join(modules, "@fontsource/barlow-condensed/files/barlow-condensed-latin-700-normal.woff2"),
  ],
];

/** The package from its source: the pages are built without the package being built first. @type {import("esbuild").Plugin} */
const packageFromSource = {
  name: "wasmex-from-source",
  setup(builder) {
    builder.onResolve({ filter: /^wasmex$/ }, () => ({ path: join(root, "platform/browser/index.ts") }));
  },
};

/**
 * Sizes of the package's files as `dist` has them, for the page that tells them.
 * @param {string} dist
 */
async function packageSizes(dist) {
  const files = [];
  for (const name of await readdir(dist).catch(() => [])) {
    if (!/\.js$/.test(name)) continue;
    const bytes = await readFile(join(dist, name));
    files.push({ name, bytes: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length });
  }
  return files.sort((a, b) => a.gzipped - b.gzipped);
}

/**
 * What the playground asks for as soon as it is there: the text parser and the worker.
 * @param {import("esbuild").Metafile} metafile
 */
const lazyParts = (metafile) =>
  Object.keys(metafile.outputs).filter((output) => /\/(wabt|wasmex_worker-source)-\w+\.js$/.test(output));

/**
 * The scripts that each page of the demo consists of.
 * @param {import("esbuild").Metafile} metafile
 * @param {string} outdir
 */
function chunksOfPages(metafile, outdir) {
  /** @param {string} output @param {Set<string>} seen */
  const collect = (output, seen) => {
    if (seen.has(output)) return seen;
    seen.add(output);
    for (const { path, kind } of metafile.outputs[output]?.imports ?? []) {
      if (kind === "import-statement") collect(path, seen);
    }
    return seen;
  };
  /** @type {Record<string, string[]>} */
  const chunks = {};
  for (const [output, { entryPoint = "" }] of Object.entries(metafile.outputs)) {
    const page = /^demo\/(\w+)\/page\.ts$/.exec(entryPoint)?.[1];
    if (page === undefined) continue;
    const wanted = collect(output, new Set());
    if (page === "playground") for (const lazy of lazyParts(metafile)) wanted.add(lazy);
    chunks[page] = [...wanted].map((path) => relative(outdir, join(root, path)));
  }
  return chunks;
}

/**
 * Builds the pages.
 * @param {object} [options]
 * @param {string} [options.outdir] where to; default `dist/demo`
 * @param {string} [options.dist] the built package: its script-tag files are copied beside the pages; default `dist`
 * @param {boolean} [options.isolate] puts the isolation service worker into every page, for hosts that can't set headers
 */
export async function buildDemo({
  outdir = join(root, "dist/demo"),
  dist = join(root, "dist"),
  isolate = false,
} = {}) {
  await rm(outdir, { recursive: true, force: true });
  for (const folder of ["programs", "fonts"]) await mkdir(join(outdir, folder), { recursive: true });

  // The script-tag page loads the package's own file, and one page tells what the files weigh.
  if (!existsSync(join(dist, "wasmex.global.js"))) await buildAll({ declarations: false });
  const sizes = await packageSizes(dist);
  const options = bundleOptions("browser");
  const result = await build({
    ...options,
    entryPoints: { app: "demo/app.ts", style: "demo/styles/index.css", tag: "demo/styles/tag.css" },
    outdir,
    splitting: true,
    format: "esm",
    minify: true,
    sourcemap: true,
    metafile: true,
    legalComments: "linked",
    chunkNames: "chunks/[name]-[hash]",
    external: ["fonts/*"],
    // wabt is an Emscripten build that would use these where there is no document.
    alias: { fs: nothing, path: nothing, crypto: nothing },
    define: { __PACKAGE_SIZES__: JSON.stringify(sizes) },
    plugins: [packageFromSource, ...(options.plugins ?? [])],
  });

  for (const [to, from] of COPIES) {
    await mkdir(join(outdir, to, ".."), { recursive: true });
    await copyFile(from, join(outdir, to)).catch((error) => {
      throw new Error(`the demo needs ${from}: ${error.message}`);
    });
  }
  // What the script-tag page and the isolation helper load from beside the pages.
  for (const name of ["wasmex.global.js", "wabt.js", "worker.js", "isolation.js"]) {
    await copyFile(join(dist, name), join(outdir, name)).catch(() => undefined);
  }
  if (!(await stat(join(outdir, "isolation.js")).catch(() => undefined))) await buildIsolation(outdir);
  const index = join(outdir, "index.html");
  const chunks = JSON.stringify(chunksOfPages(result.metafile, outdir));
  await writeFile(index, (await readFile(index, "utf8")).replace('"%chunks%"', chunks));
  if (isolate) {
    for (const page of ["index.html", "tag.html"]) {
      const html = await readFile(join(outdir, page), "utf8");
      await writeFile(
        join(outdir, page),
        html.replace("<head>", '<head>\n    <script src="isolation.js"></script>'),
      );
    }
  }
  return { outdir, files: Object.keys(result.metafile.outputs).map((file) => basename(file)) };
}

/**
 * The isolation helper by itself: one classic script that is page script and service worker at once.
 * @param {string} outdir
 */
export async function buildIsolation(outdir) {
  await build({
    entryPoints: [join(root, "platform/browser/isolation.ts")],
    outfile: join(outdir, "isolation.js"),
    bundle: true,
    format: "iife",
    target: "es2022",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
  });
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const outdir = process.argv[2] === undefined ? undefined : resolve(process.argv[2]);
  const built = await buildDemo({ ...(outdir && { outdir }), isolate: process.argv.includes("--isolate") });
  console.log(`the demo is in ${built.outdir}`);
}
