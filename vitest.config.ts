import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vitest/config";
import { WORKER_SOURCE, workerSourceModule } from "./build.mjs";

/** Gives `wasmex:worker-source` the worker's code, bundled as the build does it. */
function workerSource(): Plugin {
  return {
    name: "worker-source",
    resolveId: (id) => (id === WORKER_SOURCE ? `\0${WORKER_SOURCE}` : undefined),
    load: (id) => (id === `\0${WORKER_SOURCE}` ? workerSourceModule("node") : undefined),
  };
}

const entry = fileURLToPath(new URL("platform/node/index.ts", import.meta.url));

/** Suites that ask the support module which thread to use run once more with the worker. */
const threadSuites = readdirSync("test", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.ts"))
  .map((file) => `test/${file}`)
  .filter((file) => /import \{[^}]*\bthread\b[^}]*\} from "[./]*support\//.test(readFileSync(file, "utf8")));

function project(thread: "inline" | "worker", include: string[]) {
  return {
    plugins: [workerSource()],
    resolve: { alias: { wasmex: entry } },
    define: { __THREAD__: JSON.stringify(thread), __IN_NODE__: "true" },
    test: { name: `node ${thread}`, environment: "node" as const, include, testTimeout: 20_000 },
  };
}

export default defineConfig({
  test: {
    projects: [
      project("inline", ["test/**/*.test.ts"]),
      // A pattern that nothing matches: a project must have one.
      project("worker", threadSuites.length > 0 ? threadSuites : ["test/none.test.ts"]),
    ],
  },
});
