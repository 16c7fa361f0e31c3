// The stages of the test command. Each answers its outcomes; the totals are theirs.
import { spawn } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { buildAll } from "../../build.mjs";
import { visitDemo } from "../../e2e/demo/run.mjs";
import { checkEndedThreads } from "../../e2e/ended-threads.mjs";
import { checkHidden } from "../../e2e/hidden.mjs";
import { runIsolation } from "../../e2e/isolation.mjs";
import { runPageKinds } from "../../e2e/page-kinds.mjs";
import { runBrowsers } from "../../e2e/run.mjs";
import { runMatrix } from "../matrix/run.mjs";
import { checkExports, checkLinks } from "./packed.mjs";
import { checkSizes } from "./sizes.mjs";
import { checkImports, checkLengths } from "./structure.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const bin = `${root}node_modules/.bin/`;

/**
 * @typedef {{ name: string, state: "pass" | "fail" | "skip", milliseconds?: number, message?: string, figures?: string }} Outcome
 * @typedef {{ passed: number, failed: number, skipped: number }} Totals
 */

/**
 * @param {string} program
 * @param {string[]} args
 * @returns {Promise<{ code: number, output: string }>}
 */
function run(program, args, { limit = 600_000 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    const timer = setTimeout(() => {
      output += `\n${program} was still at it after ${limit / 1000} s`;
      child.kill("SIGKILL");
      // What it started may hold its output open.
      child.stdout.destroy();
      child.stderr.destroy();
    }, limit);
    child.once("exit", () => clearTimeout(timer));
    child.once("error", (error) => resolve({ code: 1, output: String(error) }));
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/**
 * One program as one outcome.
 * @param {string} name
 * @param {string} program
 * @param {string[]} args
 * @returns {Promise<Outcome>}
 */
async function programOutcome(name, program, args) {
  const { code, output } = await run(program, args);
  return code === 0 ? { name, state: "pass" } : { name, state: "fail", message: output.trim() };
}

/**
 * One function as one outcome: it throws or answers what is wrong.
 * @param {string} name
 * @param {() => unknown} check
 * @returns {Promise<Outcome>}
 */
async function functionOutcome(name, check) {
  try {
    const wrong = await check();
    return typeof wrong === "string" && wrong !== ""
      ? { name, state: "fail", message: wrong }
      : { name, state: "pass" };
  } catch (error) {
    return { name, state: "fail", message: String(error) };
  }
}

const TYPE_PROJECTS = [".", "src", "platform/node", "platform/browser", "demo"];

async function staticStage() {
  /** @type {(() => Promise<Outcome>)[]} */
  const checks = [
    () =>
      programOutcome("lint and format", `${bin}biome`, [
        "check",
        "--max-diagnostics=50",
        "--error-on-warnings",
        ".",
      ]),
    ...TYPE_PROJECTS.map(
      (project) => () => programOutcome(`types of ${project}`, `${bin}tsc`, ["-p", project]),
    ),
    () =>
      programOutcome("the lock file fits", "npm", [
        "ci",
        "--dry-run",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
      ]),
    () =>
      programOutcome("every public name is documented", `${bin}typedoc`, [
        "--tsconfig",
        "src/tsconfig.json",
        "--emit",
        "none",
      ]),
    () => functionOutcome("imports point one way", checkImports),
    () => functionOutcome("files are short", checkLengths),
  ];
  return inParallel(checks, cpus().length);
}

async function packageStage() {
  const built = await functionOutcome("build", async () => void (await buildAll()));
  if (built.state === "fail") {
    return [built];
  }
  const tarball = `${root}.cache/wasmex.tgz`;
  await mkdir(`${root}.cache`, { recursive: true });
  const packed = await run("npm", ["pack", "--ignore-scripts", "--pack-destination", ".cache", "--silent"]);
  const name = packed.output.trim().split("\n").at(-1) ?? "";
  const listed = await run("tar", ["-tzf", `.cache/${name}`]);
  const files = listed.output.split("\n").map((file) => file.replace(/^package\//, ""));
  const outcomes = [
    built,
    ...(await checkSizes()),
    await functionOutcome("packed pages link to what is packed", () => checkLinks(files)),
    await functionOutcome("what pages load is exported", checkExports),
    await programOutcome("publint", `${bin}publint`, ["run", "--strict", `.cache/${name}`]),
    await programOutcome("are the types wrong", `${bin}attw`, [`.cache/${name}`]),
  ];
  await rm(tarball, { force: true });
  return outcomes;
}

async function unitStage() {
  const file = `${root}.cache/vitest.json`;
  await rm(file, { force: true });
  const { output } = await run(`${bin}vitest`, [
    "run",
    "--reporter=json",
    "--reporter=default",
    `--outputFile.json=${file}`,
  ]);
  let report;
  try {
    report = JSON.parse(await readFile(file, "utf8"));
  } catch {
    return [/** @type {Outcome} */ ({ name: "vitest", state: "fail", message: output.slice(-3000) })];
  }
  /** @type {Outcome[]} */
  const outcomes = [];
  for (const suite of report.testResults) {
    const path = suite.name.replace(root, "");
    if (suite.assertionResults.length === 0) {
      outcomes.push({ name: path, state: "fail", message: suite.message || "the suite found no cases" });
    }
    for (const test of suite.assertionResults) {
      const state = test.status === "passed" ? "pass" : test.status === "failed" ? "fail" : "skip";
      outcomes.push({
        name: `${path} > ${test.fullName}`,
        state,
        message: test.failureMessages?.join("\n") ?? "",
      });
    }
  }
  if (/Unhandled (Errors|Rejection)/.test(output)) {
    outcomes.push({ name: "no unhandled errors", state: "fail", message: output.slice(-3000) });
  }
  return outcomes;
}

/** How long the lives of the test command are, in minutes: those of a guest's host, and the fuzzes together. */
const SOAK_MINUTES = 2;
/** One seed, so that what a change breaks is told from what chance finds; `npm run fuzz` takes another each time. */
const FUZZ_SEED = 20_261;
const FUZZ_MINUTES = 1;

/** A short run of `npm run soak` and of `npm run fuzz`, whose figures are outcomes. */
async function enduranceStage() {
  const [soak, fuzz] = await Promise.all([
    run(process.execPath, ["test/soak/run.mjs", String(SOAK_MINUTES)]),
    run(process.execPath, ["test/fuzz/run.mjs", String(FUZZ_MINUTES), `--seed=${FUZZ_SEED}`]),
  ]);
  const figures = soak.output.split("\n").filter((line) => line.startsWith("soak: "));
  /** @type {Outcome[]} */
  const outcomes = [
    soak.code === 0 && figures.length === 1
      ? { name: "soak", state: "pass", figures: /** @type {string} */ (figures[0]) }
      : { name: "soak", state: "fail", message: soak.output.trim() },
  ];
  const [seeds = "", ...lines] = fuzz.output.split("\n").filter((line) => line.includes(": "));
  for (const line of lines.filter((each) => each.endsWith("none broke"))) {
    outcomes.push({ name: line.trim(), state: "pass", figures: `fuzz of ${line.trim()}` });
  }
  // Where it names none that passed, or some failed: all that was said.
  if (fuzz.code !== 0 || outcomes.length === 1) {
    outcomes.push({ name: seeds || "fuzz", state: "fail", message: fuzz.output.trim() });
  }
  return outcomes;
}

/**
 * @param {(() => Promise<Outcome>)[]} tasks
 * @param {number} width
 */
async function inParallel(tasks, width) {
  /** @type {Outcome[]} */
  const outcomes = [];
  let next = 0;
  const lanes = Array.from({ length: width }, async () => {
    for (let task = tasks[next++]; task !== undefined; task = tasks[next++]) {
      outcomes.push(await task());
    }
  });
  await Promise.all(lanes);
  return outcomes;
}

/** @param {Outcome[]} outcomes */
function count(outcomes) {
  const of = (/** @type {Outcome["state"]} */ state) =>
    outcomes.filter((outcome) => outcome.state === state).length;
  return { passed: of("pass"), failed: of("fail"), skipped: of("skip") };
}

/** What failed, in full where it is short; what was skipped, with its reason; figures. @param {Outcome[]} outcomes */
function explain(outcomes) {
  for (const { name, state, message = "", figures } of outcomes) {
    if (figures !== undefined) {
      console.log(`  ${figures}`);
    }
    if (state === "fail") {
      const lines = message.split("\n").filter((line) => !line.includes("/node_modules/@vitest/"));
      const shown = lines.length > 30 ? [...lines.slice(0, 30), `… ${lines.length - 30} more lines`] : lines;
      console.log(`  ✗ ${name}\n      ${shown.join("\n      ")}`);
    }
  }
  /** @type {Map<string, number>} */
  const reasons = new Map();
  for (const { name, message } of outcomes.filter(({ state }) => state === "skip")) {
    const reason = message || name;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  for (const [reason, times] of [...reasons].slice(0, 20)) {
    console.log(`  - skipped${times > 1 ? ` ${times} times` : ""}: ${reason}`);
  }
}

/**
 * @param {{ only?: string[], engines?: string[] }} options
 * @returns {Promise<Totals>}
 */
export async function runStages({ only, engines }) {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  /** @param {string} name @param {Outcome[]} outcomes @param {number} milliseconds */
  const tell = (name, outcomes, milliseconds) => {
    const counted = count(outcomes);
    totals.passed += counted.passed;
    totals.failed += counted.failed;
    totals.skipped += counted.skipped;
    const skipped = counted.skipped > 0 ? `, ${counted.skipped} skipped` : "";
    const seconds = (milliseconds / 1000).toFixed(1);
    console.log(
      `${counted.failed > 0 ? "✗" : "✓"} ${name}: ${counted.passed} passed, ${counted.failed} failed${skipped} (${seconds} s)`,
    );
    explain(outcomes);
  };
  /** @type {[name: string, stage: () => Promise<Outcome[]>][]} */
  const stages = [
    ["static", staticStage],
    ["package", packageStage],
    ["unit", unitStage],
    ["endurance", enduranceStage],
    ["matrix", () => runMatrix()],
    [
      "e2e",
      async () => {
        const options = {
          ...(engines === undefined ? {} : { engines }),
          onPart: (/** @type {import("../../e2e/run.mjs").Part} */ { name, outcomes, milliseconds }) =>
            tell(name, outcomes, milliseconds),
        };
        await runBrowsers(options);
        await runIsolation(options);
        await runPageKinds(options);
        await checkEndedThreads(options);
        await checkHidden(options);
        await visitDemo(options);
        return [];
      },
    ],
  ];
  for (const [name, stage] of stages) {
    if (only !== undefined && !only.includes(name)) {
      continue;
    }
    const start = performance.now();
    let outcomes;
    try {
      outcomes = await stage();
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? String(error)) : String(error);
      outcomes = [/** @type {Outcome} */ ({ name, state: "fail", message })];
    }
    if (outcomes.length > 0 || name !== "e2e") {
      const found =
        outcomes.length > 0
          ? outcomes
          : [/** @type {Outcome} */ ({ name, state: "fail", message: "no cases" })];
      tell(name, found, performance.now() - start);
    }
  }
  return totals;
}
