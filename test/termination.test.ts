import { afterEach, describe, expect, test } from "vitest";
import "wasmex";
import { TERMINATION_GRACE } from "../src/pipe-owners.js";
import type { Thread } from "../src/platform.js";
import type { WorkerParts } from "../src/worker/host.js";
import { MessageEngine } from "../src/worker/message-client.js";

/** What an engine does at its end, told in order, on a thread that answers so when it is terminated. */
function told(gone: boolean): { readonly engine: MessageEngine; readonly steps: string[] } {
  const steps: string[] = [];
  const note = (step: string) => () => void steps.push(step);
  const thread: Thread = {
    onMessage: undefined,
    onDeath: undefined,
    postMessage: () => undefined,
    setKeepsAlive: () => undefined,
    terminate: () => {
      steps.push("terminate");
      return Promise.resolve(gone);
    },
  };
  const parts = {
    id: 1 << 20,
    functions: { forgetErrors: () => undefined },
    streams: {
      wake: note("wake"),
      drain: () => undefined,
      end: note("end of streams"),
      recover: note("locks of pipes"),
    },
    retire: (grace: number) => void steps.push(grace > 0 ? "retire" : "file system"),
    release: note("release"),
  } as unknown as WorkerParts;
  return { engine: new MessageEngine(thread, parts), steps };
}

const { setTimeout } = globalThis;
afterEach(() => {
  globalThis.setTimeout = setTimeout;
});

describe("WorkerEngine.stop", () => {
  test("takes back at once what a thread had that is known to be gone", async () => {
    const { engine, steps } = told(true);
    await engine.stop();
    expect(steps).toEqual([
      "retire",
      "wake",
      "terminate",
      "locks of pipes",
      "file system",
      "end of streams",
      "release",
    ]);
  });

  test("leaves a thread that may still go on the time to do so, and keeps nobody waiting for it", async () => {
    const later: [() => void, number][] = [];
    globalThis.setTimeout = ((callback: () => void, milliseconds: number) =>
      later.push([callback, milliseconds])) as unknown as typeof setTimeout;
    const { engine, steps } = told(false);
    await engine.stop();
    expect(steps).toEqual(["retire", "wake", "terminate", "end of streams", "release"]);
    expect(later.map(([, milliseconds]) => milliseconds)).toEqual([TERMINATION_GRACE]);
    later[0]?.[0]();
    expect(steps.slice(5)).toEqual(["locks of pipes", "file system"]);
  });
});
