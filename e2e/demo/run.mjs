// The demo as a visitor has it, in every engine, isolated and plain.
//   node e2e/demo/run.mjs [--engine=firefox] [--only=Terminal] [--plain | --isolated]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "../../demo/server.mjs";
import { ENGINES, launch, missingPrograms } from "../support/engines.mjs";
import { CASES } from "./cases.mjs";
import { Person } from "./person.mjs";

/**
 * @typedef {import("../support/run-page.mjs").Outcome} Outcome
 * @typedef {import("../support/engines.mjs").EngineName} EngineName
 */

/**
 * @param {EngineName} name
 * @param {boolean} isolated
 * @param {string} folder
 * @param {string} only
 * @returns {Promise<Outcome[]>}
 */
async function runEngine(name, isolated, folder, only) {
  const cases = CASES.filter((one) => (one.isolated ?? isolated) === isolated && one.name.includes(only));
  if (cases.length === 0) return [];
  const server = await serve({ folders: { "/": folder }, isolated });
  /** @type {Outcome[]} */
  const outcomes = [];
  /** @type {import("../support/engines.mjs").Engine | undefined} */
  let engine;
  try {
    engine = await launch(name, { isolated });
    for (const { name: title, run, skip } of cases) {
      const reason = skip?.(name);
      if (reason !== undefined) {
        outcomes.push({ name: title, state: "skip", milliseconds: 0, message: reason });
        continue;
      }
      const begun = performance.now();
      const page = await engine.newPage();
      try {
        await run({ person: new Person(page), base: server.url, engine: name });
        outcomes.push({ name: title, state: "pass", milliseconds: performance.now() - begun });
      } catch (error) {
        const message = error instanceof Error ? (error.stack ?? String(error)) : String(error);
        outcomes.push({ name: title, state: "fail", milliseconds: performance.now() - begun, message });
      } finally {
        await page.close().catch(() => undefined);
      }
    }
  } catch (error) {
    outcomes.push({ name: "launch", state: "fail", milliseconds: 0, message: String(error) });
  } finally {
    await engine?.close().catch(() => undefined);
    await server.close();
  }
  return outcomes;
}

/**
 * Builds the demo and visits it.
 * @param {object} options
 * @param {string[]} [options.engines]
 * @param {string} [options.only] only cases whose name holds this
 * @param {boolean[]} [options.kinds] isolated pages, plain pages
 * @param {(part: { name: string, outcomes: Outcome[], milliseconds: number }) => void} options.onPart
 */
export async function visitDemo({ engines, only = "", kinds = [true, false], onPart }) {
  const { buildDemo } = await import("../../demo/build.mjs");
  const folder = await mkdtemp(join(tmpdir(), "wasmex-demo-"));
  try {
    await buildDemo({ outdir: folder });
    for (const name of ENGINES) {
      if (engines !== undefined && !engines.includes(name)) continue;
      const missing = missingPrograms(name);
      if (missing.length > 0) {
        const message = `${missing.join(", ")} not installed`;
        const outcomes = CASES.map((one) => ({
          name: one.name,
          state: /** @type {const} */ ("skip"),
          milliseconds: 0,
          message,
        }));
        onPart({ name: `${name}, demo`, outcomes, milliseconds: 0 });
        continue;
      }
      for (const isolated of kinds) {
        const begun = performance.now();
        const outcomes = await runEngine(name, isolated, folder, only);
        const kind = isolated ? "isolated" : "plain";
        onPart({ name: `${name} ${kind}, demo`, outcomes, milliseconds: performance.now() - begun });
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  /** @param {string} name */
  const option = (name) => process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split("=")[1];
  const engines = option("engine")?.split(",");
  const only = option("only");
  const kinds = [
    ...(process.argv.includes("--plain") ? [] : [true]),
    ...(process.argv.includes("--isolated") ? [] : [false]),
  ];
  await visitDemo({
    ...(engines === undefined ? {} : { engines }),
    ...(only === undefined ? {} : { only }),
    kinds,
    onPart({ name, outcomes, milliseconds }) {
      console.log(`${name}: ${outcomes.length} cases (${(milliseconds / 1000).toFixed(1)} s)`);
      for (const { state, name: title, milliseconds: time, message } of outcomes) {
        console.log(
          `  ${state === "pass" ? "✓" : state === "skip" ? "-" : "✗"} ${title} (${time.toFixed(0)} ms)`,
        );
        if (state === "fail") {
          process.exitCode = 1;
          console.log(`    ${message?.replaceAll("\n", "\n    ")}`);
        }
      }
    },
  });
}
