/** Runs the suites of the bundle, one file after another, on the page that loads it, and posts what comes out to the server. */

import { suites, threadSuites } from "wasmex:suites";
import { type File, startTests, type Task, type VitestRunner } from "@vitest/runner";
import { beginCount, checkCount } from "./vitest.js";

interface Outcome {
  name: string;
  state: "pass" | "fail" | "skip";
  milliseconds: number;
  message?: string;
}

const parameters = new URLSearchParams(location.search);
const only = parameters.get("only");

function post(message: object): Promise<unknown> {
  return fetch("/report", { method: "POST", body: JSON.stringify(message) });
}

const runner: VitestRunner = {
  config: {
    root: "/",
    setupFiles: [],
    name: undefined,
    passWithNoTests: false,
    testNamePattern: undefined,
    allowOnly: false,
    sequence: { seed: 1, hooks: "stack", setupFiles: "list" },
    chaiConfig: undefined,
    maxConcurrency: 1,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    retry: 0,
    includeTaskLocation: false,
    tags: [],
    tagsFilter: undefined,
    strictTags: false,
  },
  async importFile(path) {
    await suites[path]?.();
  },
  onBeforeTryTask: beginCount,
  onAfterTryTask: checkCount,
  onBeforeRunTask(test) {
    (globalThis as { currentTest?: string }).currentTest = test.name;
  },
};

function describeError(error: { message?: string; stack?: string; diff?: string } | undefined): string {
  const stack = error?.stack ?? "";
  const message = error?.message ?? String(error);
  return [stack.includes(message) ? stack : `${message}\n${stack}`, error?.diff].filter(Boolean).join("\n");
}

function collect(task: Task, path: string, outcomes: Outcome[]): void {
  const name = path === "" ? task.name : `${path} > ${task.name}`;
  const errors = task.result?.errors;
  if (task.type === "test") {
    const skipped = task.mode === "skip" || task.mode === "todo" || task.result?.state === "skip";
    const state = skipped ? "skip" : task.result?.state === "pass" ? "pass" : "fail";
    const outcome: Outcome = { name, state, milliseconds: Math.round(task.result?.duration ?? 0) };
    if (state === "fail") {
      outcome.message = describeError(errors?.[0]);
    } else if (state === "skip") {
      const note = (task.result as { note?: string } | undefined)?.note;
      outcome.message = note ?? name;
    }
    outcomes.push(outcome);
    return;
  }
  if (errors !== undefined && errors.length > 0) {
    outcomes.push({
      name: `${name} (suite)`,
      state: "fail",
      milliseconds: 0,
      message: describeError(errors[0]),
    });
  }
  for (const child of task.tasks) {
    collect(child, name, outcomes);
  }
}

async function runAll(): Promise<void> {
  const file = parameters.get("file");
  const all = parameters.get("thread") === "worker" ? threadSuites : Object.keys(suites).sort();
  const paths = file === null ? all : [file];
  for (const path of paths) {
    if (only !== null && !path.includes(only)) {
      continue;
    }
    await post({ type: "begin", file: path });
    const outcomes: Outcome[] = [];
    const files: File[] = await startTests([path], runner);
    for (const file of files) {
      collect(file, "", outcomes);
    }
    await post({ type: "file", file: path, outcomes });
  }
  await post({ type: "end" });
}

runAll().catch((error: unknown) => post({ type: "crash", message: String(error) }));
