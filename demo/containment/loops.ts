import * as Wasmex from "wasmex";
import { h } from "../ui/dom.js";
import { hasThreads } from "../ui/environment.js";
import { digits, duration } from "../ui/text.js";
import type { FrameGraph } from "./frame-graph.js";
import { everyFrame, Gauge, Trial } from "./trial.js";

const SPIN = `(module $spinner
  (memory (export "memory") 1)
  ;; Counts for ever. There is no way out of this loop.
  (func $spin (export "spin")
    (loop $again
      (i64.store (i32.const 0)
        (i64.add (i64.load (i32.const 0)) (i64.const 1)))
      (br $again))))`;

let compiled: Promise<Wasmex.Module> | undefined;
const spinner = (): Promise<Wasmex.Module> => {
  compiled ??= Wasmex.Module.compile(SPIN);
  return compiled;
};

interface Spun {
  /** Milliseconds between the deadline and the moment the call was rejected. */
  readonly late: number;
  readonly count: bigint;
}

/** Lets one guest spin until its deadline ends it. Shows it on the gauge meanwhile. */
async function spin(
  process: Wasmex.Process,
  deadline: number,
  gauge: Gauge,
  graph: FrameGraph,
): Promise<Spun> {
  const counter = process.memory("uint64", 0);
  const begun = performance.now();
  const stopPainting = everyFrame(() => {
    const elapsed = performance.now() - begun;
    gauge.set(elapsed / deadline, `${digits(counter.get(0))} turns`, "wild");
  });
  graph.wild += 1;
  try {
    await process.callFunction("spin", [], deadline);
    throw new Error("the endless loop came to an end");
  } catch (error) {
    if (!(error instanceof Wasmex.TimeoutError)) throw error;
    const late = performance.now() - begun - deadline;
    const count = counter.get(0);
    gauge.set(1, `stopped ${duration(Math.max(late, 0))} after its deadline`, "held");
    return { late, count };
  } finally {
    graph.wild -= 1;
    stopPainting();
  }
}

export function endlessLoop(graph: FrameGraph): Trial {
  const deadline = h(
    "select",
    // Without threads the button beside it can't be pressed either.
    { class: "select", "aria-label": "Deadline", disabled: !hasThreads },
    [250, 1000, 3000].map((ms) =>
      h("option", { value: ms, selected: ms === 1000 }, `deadline ${ms / 1000} s`),
    ),
  );
  const trial = new Trial(
    {
      id: "trial-loop",
      title: "An endless loop",
      about:
        "The guest never returns. The page reads its counter through shared memory while it spins, then the deadline ends it.",
      action: "Let it loop",
      source: SPIN,
      needsThreads: true,
    },
    async ({ stage }) => {
      const gauge = new Gauge("guest");
      stage.replaceChildren(gauge.root);
      const process = await Wasmex.start({ module: await spinner(), name: "endless loop" });
      const begun = performance.now();
      const { late, count } = await spin(process, Number(deadline.value), gauge, graph);
      return `Stopped ${duration(Math.max(late, 0))} after its deadline, in turn ${digits(count)}. The page drew ${graph.compare(begun)}.`;
    },
  );
  trial.addControl(deadline);
  return trial;
}

/**
 * Deadlines in ms: one processor is left to the page, that the guests do not fight it for the last of them. Two there are
 * always, else it were no fork.
 */
const LANES = [400, 800, 1200, 600, 1000, 1400]
  .slice(0, Math.max(2, navigator.hardwareConcurrency - 1))
  .sort((a, b) => a - b);
const COUNTS = ["", "", "Two", "Three", "Four", "Five", "Six"];
const COUNT = COUNTS[LANES.length] ?? "Several";

export function forkOfTimeouts(graph: FrameGraph): Trial {
  return new Trial(
    {
      id: "trial-fork",
      title: "A fork of timeouts",
      about: `${COUNT} such guests at once, each with a deadline of its own. Every one is ended by its own clock.`,
      action: `Release ${COUNT.toLowerCase()}`,
      source: SPIN,
      needsThreads: true,
    },
    async ({ stage }) => {
      const module = await spinner();
      const gauges = LANES.map((deadline) => new Gauge(`${deadline / 1000} s`));
      stage.replaceChildren(...gauges.map((gauge) => gauge.root));
      for (const gauge of gauges) gauge.set(0, "starting", "idle");
      const processes = await Promise.all(
        LANES.map((deadline) => Wasmex.start({ module, name: `spinner ${deadline}` })),
      );
      const begun = performance.now();
      const ends = await Promise.all(
        processes.map((process, index) => {
          const gauge = gauges[index];
          return gauge === undefined ? undefined : spin(process, LANES[index] ?? 0, gauge, graph);
        }),
      );
      const latest = Math.max(...ends.map((end) => end?.late ?? 0));
      return `All of them stopped; the latest ${duration(Math.max(latest, 0))} after its deadline. The page drew ${graph.compare(begun)}.`;
    },
  );
}
