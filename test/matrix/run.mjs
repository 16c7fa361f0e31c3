// The packed package in every runtime and out of every bundler. A stage of the test command; by itself:
//   node test/matrix/run.mjs [--only=Deno]
import { fileURLToPath } from "node:url";
import { checkBundlers } from "./bundlers.mjs";
import { installPacked } from "./packed.mjs";
import { checkRuntimes } from "./runtimes.mjs";

/**
 * @param {{ only?: string }} [options] only cells whose name holds this
 * @returns {Promise<import("../support/stages.mjs").Outcome[]>}
 */
export async function runMatrix({ only = "" } = {}) {
  const { folder, remove } = await installPacked();
  try {
    return [...(await checkRuntimes(folder, only)), ...(await checkBundlers(folder, only))];
  } finally {
    await remove();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const only = process.argv.find((argument) => argument.startsWith("--only="))?.slice("--only=".length);
  const outcomes = await runMatrix(only === undefined ? {} : { only });
  for (const { name, state, message = "" } of outcomes) {
    console.log(
      `${{ pass: "✓", fail: "✗", skip: "-" }[state]} ${name}${message && `\n    ${message.replaceAll("\n", "\n    ")}`}`,
    );
  }
  if (outcomes.some(({ state }) => state === "fail") || outcomes.length === 0) process.exitCode = 1;
}
