// Bundles every suite that runs in more than Node, once for all engines.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundleOptions } from "../../build.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** All suites but those of `test/node`, with whether they ask which thread to use. */
export function listSuites() {
  return readdirSync(`${root}test`, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts") && !file.startsWith("node/"))
    .map((file) => `test/${file}`)
    .sort();
}

/** Suites that import `thread` from the support module run once with each. @param {string} file */
export function asksForThread(file) {
  return /import \{[^}]*\bthread\b[^}]*\} from "[./]*support\//.test(readFileSync(`${root}${file}`, "utf8"));
}

/**
 * Bundles into `.cache/suites`.
 * @param {string[]} suites
 */
export async function bundleSuites(suites) {
  const options = bundleOptions("browser");
  const entries = suites.map(
    (file) => `${JSON.stringify(file)}: () => import(${JSON.stringify(root + file)})`,
  );
  await build({
    ...options,
    entryPoints: [`${root}e2e/suites/runner.ts`],
    outdir: `${root}.cache/suites`,
    format: "esm",
    splitting: true,
    sourcemap: "inline",
    sourcesContent: false,
    logLevel: "error",
    alias: { vitest: `${root}e2e/suites/vitest.ts`, wasmex: `${root}platform/browser/index.ts` },
    define: { ...options.define, __THREAD__: "globalThis.__THREAD__", __IN_NODE__: "false" },
    external: ["node:*"],
    plugins: [
      ...(options.plugins ?? []),
      {
        name: "suites",
        setup(builder) {
          builder.onResolve({ filter: /^wasmex:suites$/ }, () => ({ path: "suites", namespace: "suites" }));
          builder.onLoad({ filter: /./, namespace: "suites" }, () => ({
            contents: `export const suites = { ${entries.join(", ")} };
              export const threadSuites = ${JSON.stringify(suites.filter(asksForThread))};`,
            resolveDir: root,
          }));
        },
      },
    ],
  });
}
