// The other runtimes and the bundlers: npm packages, each fetched into a folder of its own when it is missing.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { arch, platform } from "node:os";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const system = `${platform()}-${arch()}`;

/** One `npm install` of all of them at once was seen to hang in the resolver; by themselves they take seconds. */
const PACKAGES = {
  "Node 24": ["node24", `node-${system}@24.9.0`],
  "Node 26": ["node26", `node-${system}@26.9.0`],
  Deno: ["deno", "deno@2.9.6"],
  Bun: ["bun", "bun@1.4.5"],
  Vite: ["vite", "vite@8.3.8"],
  webpack: ["webpack", "webpack@5.112.1"],
  Rollup: ["rollup", "rollup@4.68.7", "@rollup/plugin-node-resolve@16.0.3"],
  Parcel: ["parcel", "parcel@2.16.4"],
};

/** @typedef {keyof typeof PACKAGES} Tool */

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, limit?: number, input?: string, env?: NodeJS.ProcessEnv }} [options] `limit` in milliseconds
 * @returns {Promise<{ code: number | null, stdout: string, stderr: string }>}
 */
export function runProgram(program, args, { cwd = root, limit = 180_000, input = "", env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, NO_COLOR: "1", ...env } });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const timer = setTimeout(() => {
      stderr += `\nstill at it after ${limit / 1000} s`;
      child.kill("SIGKILL");
    }, limit);
    child.once("error", (error) => {
      clearTimeout(timer);
      resolve({ code: null, stdout, stderr: `${stderr}${error}` });
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/**
 * The `node_modules` folder of a tool.
 * @param {Tool} tool
 * @returns {Promise<{ folder: string } | { lacks: string }>} what is in the way where it can't be fetched
 */
export async function fetchTool(tool) {
  const [name, ...packages] = PACKAGES[tool];
  const home = `${root}.cache/tools/${name}`;
  const stamp = `${home}/installed-${packages.join("+").replaceAll(/[^\w.@+-]/g, "-")}`;
  const folder = `${home}/node_modules`;
  if (existsSync(stamp)) return { folder };
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  await writeFile(`${home}/package.json`, '{ "private": true }\n');
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  const { code, stderr } = await runProgram("npm", ["install", ...quiet, ...packages], { cwd: home });
  if (code !== 0) {
    const why = stderr.trim().split("\n")[0] ?? "";
    return { lacks: `npm could not fetch ${packages.join(" ")}: ${why}` };
  }
  await writeFile(stamp, "");
  return { folder };
}
