// The worker's code as one minified script, as the build puts it into the package. Shared by build.mjs and the test configuration.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Bundles `platform/<name>/worker.ts`. */
export async function bundleWorker(name) {
  const entry = `${root}platform/${name}/worker.ts`;
  if (!existsSync(entry)) {
    return "";
  }
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    target: "es2022",
    platform: name === "node" ? "node" : "browser",
    external: name === "node" ? ["node:*", "wabt"] : ["wabt"],
    legalComments: "none",
  });
  return result.outputFiles[0].text.trim();
}

export const WORKER_SOURCE = "wasmex:worker-source";

/** The module that the virtual specifier stands for. */
export async function workerSourceModule(name) {
  return `export const workerSource = ${JSON.stringify(await bundleWorker(name))};`;
}
