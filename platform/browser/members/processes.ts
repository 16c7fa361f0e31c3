/**
 * What starts guests, with the threads that these need. Each of them is marked as free of side effects, so that bundlers leave the
 * threads out of an app that uses none of them.
 */
import { useThreads } from "../../../src/platform.js";
import { run as plainRun } from "../../../src/run.js";
import { start as plainStart } from "../../../src/start.js";
import { Supervisor as PlainSupervisor } from "../../../src/supervisor.js";
import { hosted } from "../hosted.js";
import { spawnThread } from "../threads.js";

function withThreads<T>(member: T): T {
  useThreads(spawnThread);
  return hosted(member);
}

export const start: typeof plainStart = /* @__PURE__ */ withThreads(plainStart);
export const run: typeof plainRun = /* @__PURE__ */ withThreads(plainRun);
export const Supervisor: typeof PlainSupervisor = /* @__PURE__ */ withThreads(PlainSupervisor);
export type Supervisor = PlainSupervisor;
