// The one test command: installs what is missing, then runs every check and suite and ends with one line of totals.
//   npm test                         everything
//   npm test -- --only=unit,e2e      some stages (static, package, unit, endurance, matrix, e2e)
//   npm test -- --engine=firefox     some engines
import { installBrowsers, installPackages } from "./support/install.mjs";

/** @param {string} name */
function option(name) {
  return process.argv
    .find((argument) => argument.startsWith(`--${name}=`))
    ?.slice(name.length + 3)
    .split(",");
}

const only = option("only");
const engines = option("engine");
const started = performance.now();

installPackages();
if (only === undefined || only.includes("e2e")) {
  installBrowsers();
}
const { runStages } = await import("./support/stages.mjs");
const { passed, failed, skipped } = await runStages({
  ...(only === undefined ? {} : { only }),
  ...(engines === undefined ? {} : { engines }),
});
console.log(`all of it took ${Math.round((performance.now() - started) / 1000)} s`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
