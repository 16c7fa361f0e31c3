// What the scripts share that run one part of the browser tests each.
import { fileURLToPath } from "node:url";
import { ENGINES } from "./engines.mjs";

/** @typedef {import("../run.mjs").Outcome} Outcome */
/** @typedef {{ engines?: string[], onPart?: (part: import("../run.mjs").Part) => void }} PartOptions */

/**
 * @param {string} part what a line of the report calls it
 * @param {PartOptions} options
 * @param {(name: import("./engines.mjs").EngineName) => Promise<Outcome[]>} check
 */
export async function inEachEngine(part, { engines, onPart }, check) {
  for (const name of ENGINES) {
    if (engines !== undefined && !engines.includes(name)) continue;
    const start = performance.now();
    const outcomes = await check(name);
    onPart?.({ name: `${name} ${part}`, outcomes, milliseconds: performance.now() - start });
  }
}

/**
 * @param {string[]} titles
 * @param {string} message why
 * @returns {Outcome[]}
 */
export function skipAll(titles, message) {
  return titles.map((name) => ({ name, state: "skip", milliseconds: 0, message }));
}

/**
 * @param {string} name
 * @param {() => Promise<void>} run
 * @returns {Promise<Outcome>}
 */
export async function outcomeOf(name, run) {
  const start = performance.now();
  try {
    await run();
    return { name, state: "pass", milliseconds: performance.now() - start };
  } catch (error) {
    return { name, state: "fail", milliseconds: performance.now() - start, message: String(error) };
  }
}

/**
 * Runs the part where its script was called by itself: `node e2e/….mjs [--engine=NAME]`.
 * @param {string} url the script's
 * @param {(options: PartOptions) => Promise<void>} run
 */
export async function runByItself(url, run) {
  if (process.argv[1] !== fileURLToPath(url)) return;
  const engine = process.argv.find((argument) => argument.startsWith("--engine="))?.split("=")[1];
  await run({
    ...(engine === undefined ? {} : { engines: [engine] }),
    onPart({ name, outcomes }) {
      for (const { name: test, state, message } of outcomes) console.log(name, state, test, message ?? "");
      if (outcomes.some(({ state }) => state === "fail")) process.exitCode = 1;
    },
  });
}
