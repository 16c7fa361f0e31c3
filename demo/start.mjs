// `npm start`: installs what is missing, builds, runs the quick start and serves the demo. Plain Node until it has installed.
//   npm start -- --port=3000
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { installPackages } from "../test/support/install.mjs";
import { serve } from "./server.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const wanted = process.argv.find((argument) => argument.startsWith("--port="))?.slice("--port=".length);
const port = Number(wanted ?? process.env["PORT"] ?? 8080);

installPackages();

console.log("building …");
const { buildAll } = await import("../build.mjs");
await buildAll();

const { status } = spawnSync(process.execPath, ["demo/quick-start.mjs"], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
});
if (status !== 0) {
  process.exit(status ?? 1);
}

console.log("\n3. The demo, in the browser:");
// By its address, so that this file's types do not depend on what has yet to be installed.
const { buildDemo } = await import(new URL("build.mjs", import.meta.url).href);
await buildDemo({ outdir: `${root}dist/demo` });

/** @param {number} candidate */
async function serveDemo(candidate) {
  const folders = {
    "/": existsSync(`${root}dist/demo`) ? `${root}dist/demo` : `${root}demo`,
    "/dist/": `${root}dist`,
  };
  return serve({ folders, isolated: true, port: candidate, host: "0.0.0.0" });
}

const server = await serveDemo(port).catch((error) => {
  if (error.code !== "EADDRINUSE" || wanted !== undefined) {
    throw error;
  }
  console.log(`   (port ${port} is taken)`);
  return serveDemo(0);
});
console.log(`\n   ${server.url}/   (Ctrl-C ends it)\n`);
process.once("SIGINT", () => {
  console.log("\n   Ended.");
  void server.close().then(() => process.exit(0));
});
