// `npm run bench`: builds, then runs every `*.bench.mjs` of this folder in a process of its own.
//   npm run bench -- calls memory    only those whose names hold one of the words
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { installPackages } from "../support/install.mjs";

const folder = fileURLToPath(new URL("./", import.meta.url));
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));

installPackages();
const { buildAll } = await import("../../build.mjs");
await buildAll({ declarations: false });

const files = readdirSync(folder)
  .filter((file) => file.endsWith(".bench.mjs"))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
if (files.length === 0) {
  console.error("no benchmarks found");
  process.exit(1);
}
console.log(`Node ${process.versions.node}, ${cpus()[0]?.model.trim()}, ${cpus().length} cores`);
let failed = 0;
for (const file of files) {
  // Options that some of them need: a collection between two rounds.
  const { status } = spawnSync(process.execPath, ["--expose-gc", folder + file], { stdio: "inherit" });
  failed += status === 0 ? 0 : 1;
}
process.exit(failed > 0 ? 1 : 0);
