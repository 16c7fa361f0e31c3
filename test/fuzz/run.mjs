// `npm run fuzz`: every fuzz in turn, each reproducible by the seed it prints.
//   npm run fuzz -- 10                       ten minutes in all (default: 5)
//   npm run fuzz -- 10 --only=wasi,faults    some of them: binary, wasi, file-system, codec, faults
//   npm run fuzz -- --seed=123               from this seed on
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { installPackages } from "../support/install.mjs";

installPackages();
const { build } = await import("esbuild");
const { bundleOptions } = await import("../../build.mjs");

const root = fileURLToPath(new URL("../../", import.meta.url));
const words = process.argv.slice(2);
/** @param {string} name */
const option = (name) => words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
const minutes = Number(words.find((word) => !word.startsWith("--")) ?? 5);
const seed = Number(option("seed") ?? Date.now() % 2 ** 30);
const only = option("only")?.split(",");

await mkdir(`${root}.cache`, { recursive: true });
const outfile = `${root}.cache/fuzz.mjs`;
const options = bundleOptions("node");
await build({
  ...options,
  entryPoints: [`${root}test/fuzz/all.ts`],
  outfile,
  format: "esm",
  alias: { wasmex: `${root}platform/node/index.ts` },
  external: ["wabt", "fast-check"],
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
});
const { targets } = await import(outfile);
const names = Object.keys(targets).filter((name) => only === undefined || only.includes(name));
if (names.length === 0 || !(minutes > 0)) {
  console.error(
    `nothing to do: pass a number of minutes, and --only= some of ${Object.keys(targets).join(", ")}`,
  );
  process.exit(2);
}
console.log(`fuzz: ${minutes} minutes over ${names.join(", ")}, seed ${seed}`);
let failed = 0;
for (const name of names) {
  try {
    const { cases } = await targets[name]({ seed, milliseconds: (minutes * 60_000) / names.length });
    console.log(`  ${name}: ${cases} cases, none broke`);
  } catch (error) {
    failed++;
    console.log(`  ${name}: ${error instanceof Error ? error.stack : error}`);
    if (error instanceof Error && error.cause !== undefined) console.log("  what differed:", error.cause);
  }
}
process.exit(failed > 0 ? 1 : 0);
