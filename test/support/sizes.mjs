// The size budgets, minified and gzipped.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build as esbuild } from "esbuild";
import { build } from "vite";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * In bytes. They follow what is reached, and go up for a mend alone. The aims: 25,000 for everything, 8,000 for the small app.
 */
const BUDGETS = {
  /** Everything but the text parser, the worker's code included. */
  script: 59_050,
  /** What an app loads at once that imports only `Module`, `Instance` and `Memory`. */
  core: 11_650,
  /** The same by esbuild, in more and smaller files. */
  coreByEsbuild: 13_900,
  /** What an app loads at once that imports only `start`, by esbuild. */
  startByEsbuild: 18_500,
};

/** @param {Uint8Array} bytes */
const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

/**
 * What Vite makes of an app that imports from the built package: the files that the app loads at once.
 * @param {string} imports
 */
async function appSize(imports) {
  const folder = `${root}.cache/size-app`;
  await mkdir(folder, { recursive: true });
  await writeFile(
    `${folder}/main.js`,
    `import { ${imports} } from "wasmex";\nglobalThis.app = [${imports}];\n`,
  );
  const result = await build({
    root: folder,
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      modulePreload: { polyfill: false },
      rollupOptions: { input: `${folder}/main.js` },
    },
  });
  const outputs = Array.isArray(result)
    ? result.flatMap(({ output }) => output)
    : "output" in result
      ? result.output
      : [];
  const chunks = outputs.filter((output) => output.type === "chunk");
  const loaded = new Set(chunks.filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName));
  for (const name of loaded) {
    for (const next of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) {
      loaded.add(next);
    }
  }
  const sizes = chunks
    .filter(({ fileName }) => loaded.has(fileName))
    .map(({ code }) => gzipped(Buffer.from(code)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * The same of esbuild, which loads at once whatever the entry can reach by static imports and something else loads.
 * @param {string} imports
 */
async function appSizeByEsbuild(imports) {
  const { metafile, outputFiles } = await esbuild({
    stdin: {
      contents: `import { ${imports} } from "wasmex";\nglobalThis.app = [${imports}];\n`,
      resolveDir: root,
    },
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    outdir: `${root}.cache/size-app`,
    // The package as others get it, not its sources.
    tsconfigRaw: {},
    metafile: true,
    write: false,
    logLevel: "error",
  });
  const loaded = new Set(Object.keys(metafile.outputs).filter((name) => /\bstdin\.js$/.test(name)));
  for (const name of loaded) {
    for (const { kind, path } of metafile.outputs[name]?.imports ?? []) {
      if (kind === "import-statement") loaded.add(path);
    }
  }
  const names = new Set([...loaded].map((name) => basename(name)));
  return outputFiles
    .filter(({ path }) => names.has(basename(path)))
    .reduce((sum, { contents }) => sum + gzipped(contents), 0);
}

/**
 * @param {string} name
 * @param {number} size
 * @param {number} budget
 * @returns {import("./stages.mjs").Outcome}
 */
function judge(name, size, budget) {
  const text = `${name}: ${(size / 1000).toFixed(1)} kB of ${(budget / 1000).toFixed(1)}`;
  return size <= budget
    ? { name: text, state: "pass" }
    : { name: text, state: "fail", message: `${size - budget} bytes over the budget` };
}

export async function checkSizes() {
  const script = gzipped(await readFile(`${root}dist/wasmex.global.js`));
  const small = "Module, Instance, Memory";
  const core = await appSize(small);
  const coreByEsbuild = await appSizeByEsbuild(small);
  const startByEsbuild = await appSizeByEsbuild("start");
  return [
    judge("size of the script-tag file", script, BUDGETS.script),
    judge("size of a small app by Vite", core, BUDGETS.core),
    judge("size of a small app by esbuild", coreByEsbuild, BUDGETS.coreByEsbuild),
    judge("size of an app with start by esbuild", startByEsbuild, BUDGETS.startByEsbuild),
  ];
}
