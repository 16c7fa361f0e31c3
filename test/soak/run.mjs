// `npm run soak`: hours in a few words. Starts, calls, timeouts, restarts and file work, with memory, threads and
// descriptors compared between the first quarter and the end.
//   npm run soak -- 60        an hour (default: 2 minutes)
import { spawnSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { installPackages } from "../support/install.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
if (process.env["WASMEX_SOAK_MINUTES"] === undefined) {
  installPackages();
  const minutes = Number(process.argv[2] ?? 2);
  if (!(minutes > 0)) {
    console.error(`pass a number of minutes, not ${process.argv[2]}`);
    process.exit(2);
  }
  const { status } = spawnSync(process.execPath, ["--expose-gc", fileURLToPath(import.meta.url)], {
    stdio: "inherit",
    env: { ...process.env, WASMEX_SOAK_MINUTES: String(minutes) },
  });
  process.exit(status ?? 1);
}
const { build } = await import("esbuild");
const { bundleOptions } = await import("../../build.mjs");
await mkdir(`${root}.cache`, { recursive: true });
const outfile = `${root}.cache/soak.mjs`;
await build({
  ...bundleOptions("node"),
  entryPoints: [`${root}test/soak/soak.ts`],
  outfile,
  format: "esm",
  alias: { wasmex: `${root}platform/node/index.ts` },
  external: ["wabt"],
});
const { soak } = await import(outfile);
const minutes = Number(process.env["WASMEX_SOAK_MINUTES"]);
const report = await soak(minutes * 60_000, (/** @type {string} */ line) => console.log(`  ${line}`));
const mega = (/** @type {number} */ bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;
const { first, last } = report;
console.log(JSON.stringify(report));
console.log(
  `soak: ${minutes} minutes, ${report.rounds} rounds, ${report.timeouts} endless loops stopped, ${report.restarts} children restarted; ` +
    `live ${mega(first.live)} after the first quarter and ${mega(last.live)} at the end, resident ${mega(first.rss)} and ${mega(last.rss)}; ` +
    `threads ${first.threads} and ${last.threads}, descriptors ${first.descriptors} and ${last.descriptors}`,
);
