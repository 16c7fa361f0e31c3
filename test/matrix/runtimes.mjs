// The packed package in other runtimes than the one that runs the tests.
import { cp } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { fetchTool, runProgram } from "./tools.mjs";

const here = fileURLToPath(new URL("./", import.meta.url));
const fixtures = fileURLToPath(new URL("../fixtures/", import.meta.url));

/** @typedef {import("../support/stages.mjs").Outcome} Outcome */

/** How each runtime is started. @type {{ name: string, tool?: import("./tools.mjs").Tool, command: string[] }[]} */
const RUNTIMES = [
  { name: `Node ${process.versions.node}`, command: [process.execPath] },
  { name: "Node 24", tool: "Node 24", command: [".bin/node"] },
  { name: "Node 26", tool: "Node 26", command: [".bin/node"] },
  {
    name: "Deno",
    tool: "Deno",
    command: [".bin/deno", "run", "--allow-all", "--no-prompt", "--node-modules-dir=manual"],
  },
  { name: "Bun", tool: "Bun", command: [".bin/bun"] },
];

/**
 * @param {(typeof RUNTIMES)[number]} runtime
 * @param {string} folder
 * @returns {Promise<Outcome[]>}
 */
async function runCell({ name, tool, command }, folder) {
  let [program = "", ...args] = command;
  if (tool !== undefined) {
    const found = await fetchTool(tool);
    if ("lacks" in found) return [{ name, state: "skip", message: `${name}: ${found.lacks}` }];
    program = `${found.folder}/${program}`;
  }
  const options = { cwd: folder, limit: 120_000 };
  const { code, stdout, stderr } = await runProgram(program, [...args, "smoke.mjs", fixtures], options);
  /** @type {Outcome[]} */
  const outcomes = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))
    .map((outcome) => ({ ...outcome, name: `${name} > ${outcome.name}` }));
  // Nothing of the package keeps the runtime alive.
  const ended = `${name} > the suite ends`;
  outcomes.push(
    code === 0 && outcomes.length > 0
      ? { name: ended, state: "pass" }
      : { name: ended, state: "fail", message: `code ${code}\n${stderr}${stdout.slice(-2000)}` },
  );
  const cli = [
    ...args,
    "node_modules/wasmex/dist/node/cli.js",
    "run",
    "--invoke",
    "add",
    `${fixtures}add.wat`,
  ];
  const called = await runProgram(program, [...cli, "50", "-8"], options);
  outcomes.push(
    called.stdout === "42\n"
      ? { name: `${name} > the command line`, state: "pass" }
      : { name: `${name} > the command line`, state: "fail", message: called.stdout + called.stderr },
  );
  return outcomes;
}

/**
 * @param {string} folder where the package is installed
 * @param {string} [only] only runtimes whose name holds this
 */
export async function checkRuntimes(folder, only = "") {
  await cp(`${here}smoke.mjs`, `${folder}/smoke.mjs`);
  /** @type {Outcome[]} */
  const outcomes = [];
  for (const runtime of RUNTIMES) {
    if (runtime.name.includes(only)) outcomes.push(...(await runCell(runtime, folder)));
  }
  return outcomes;
}
