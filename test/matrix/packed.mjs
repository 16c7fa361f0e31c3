// The package as people get it: packed, and installed into a folder outside this repository.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildAll } from "../../build.mjs";
import { runProgram } from "./tools.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * @returns {Promise<{ folder: string, remove(): Promise<void> }>} a folder whose `node_modules` has the package
 */
export async function installPacked() {
  if (!existsSync(`${root}dist/node/cli.js`)) await buildAll({ declarations: false });
  const folder = await mkdtemp(join(tmpdir(), "wasmex-matrix-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await mkdir(`${root}.cache`, { recursive: true });
    const packed = await runProgram("npm", [
      "pack",
      "--ignore-scripts",
      "--silent",
      "--pack-destination",
      folder,
    ]);
    const tarball = packed.stdout.trim().split("\n").at(-1) ?? "";
    if (packed.code !== 0) throw new Error(`npm pack: ${packed.stderr}`);
    await writeFile(`${folder}/package.json`, '{ "private": true, "type": "module" }\n');
    const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
    const installed = await runProgram("npm", ["install", ...quiet, `./${tarball}`], { cwd: folder });
    if (installed.code !== 0) throw new Error(`npm install of the tarball: ${installed.stderr}`);
    return { folder, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
