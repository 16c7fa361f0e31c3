// Runs the cases on this page and posts what comes out.
import { cases } from "./cases/cases.mjs";

const parameters = new URLSearchParams(location.search);
const way = parameters.get("way") === "script" ? "script" : "module";
const heavy = parameters.get("heavy") === "yes";
const workerUrl = parameters.get("worker");
const options = workerUrl === null ? {} : { workerUrl };

/** @param {object} message */
const post = (message) => fetch("/report", { method: "POST", body: JSON.stringify(message) });

/** @returns {Promise<import("wasmex")>} */
async function load() {
  if (way === "module") {
    return import("wasmex");
  }
  return /** @type {any} */ (globalThis).Wasmex;
}

try {
  const Wasmex = await load();
  for (const { name, run, heavy: isHeavy } of cases) {
    if (isHeavy && !heavy) {
      continue;
    }
    /** @type {any} */ (globalThis).currentTest = name;
    await post({ type: "begin", file: name });
    const start = performance.now();
    /** @type {Record<string, unknown>} */
    const outcome = { name, state: "pass" };
    try {
      await run({ Wasmex, isolated: globalThis.crossOriginIsolated, options });
    } catch (error) {
      outcome["state"] = "fail";
      const stack = error instanceof Error ? (error.stack ?? "") : "";
      outcome["message"] = stack.includes(String(error)) ? stack : `${error}\n${stack}`;
    }
    outcome["milliseconds"] = Math.round(performance.now() - start);
    await post({ type: "file", file: name, outcomes: [outcome] });
  }
  await post({ type: "end" });
} catch (error) {
  await post({ type: "crash", message: String(error) });
}
