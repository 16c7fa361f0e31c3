// The size budgets, minified and gzipped.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** In bytes. */
const BUDGETS = {
  /** Everything but the text parser, the worker's code included. */
  script: 25_000,
  /** What an app loads that imports only `Module`, `Instance` and `Memory`. */
  core: 8_000,
};

/** @param {Uint8Array} bytes */
const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

/**
 * What a bundler makes of an app that imports from the built package: the files that the app loads at once.
 * @param {string} imports
 */
export async function appSize(imports) {
  const result = await build({
    stdin: {
      contents: `import { ${imports} } from "wasmex";\nglobalThis.app = [${imports}];`,
      resolveDir: root,
    },
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    outdir: "/app",
    write: false,
    metafile: true,
    logLevel: "error",
  });
  const outputs = Object.entries(result.metafile.outputs);
  const loaded = new Set(
    outputs.filter(([, output]) => output.entryPoint === "<stdin>").map(([path]) => path),
  );
  for (const path of loaded) {
    for (const { path: next, kind } of result.metafile.outputs[path]?.imports ?? []) {
      if (kind === "import-statement") {
        loaded.add(next);
      }
    }
  }
  const files = result.outputFiles.filter((file) =>
    [...loaded].some((path) => file.path.endsWith(path.split("/").at(-1) ?? "?")),
  );
  return files.reduce((sum, file) => sum + gzipped(file.contents), 0);
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
  const core = await appSize("Module, Instance, Memory");
  return [
    judge("size of the script-tag file", script, BUDGETS.script),
    judge("size of a small app", core, BUDGETS.core),
  ];
}
