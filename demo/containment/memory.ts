import * as Wasmex from "wasmex";
import { hasThreads } from "../ui/environment.js";
import { digits, size } from "../ui/text.js";
import type { FrameGraph } from "./frame-graph.js";
import { everyFrame, Gauge, Trial } from "./trial.js";

const LIMIT = 256;
const PAGE = 65536;

const HOG = `(module $hog
  (memory (export "memory") 1)
  ;; Takes a page, writes to it, takes the next. Answers how many it got.
  (func $hoard (export "hoard") (param $effort i32) (result i32)
    (local $i i32)
    (loop $more
      (memory.fill
        (i32.mul (i32.sub (memory.size) (i32.const 1)) (i32.const 65536))
        (i32.const 170) (i32.const 65536))
      (local.set $i (local.get $effort))
      (loop $work
        (local.set $i (i32.sub (local.get $i) (i32.const 1)))
        (br_if $work (i32.gt_s (local.get $i) (i32.const 0))))
      (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (memory.size)))`;

export function runawayMemory(graph: FrameGraph): Trial {
  return new Trial(
    {
      id: "trial-memory",
      title: "A runaway memory",
      about: `The guest takes page after page of 64 KiB and never gives one back. Its container holds ${LIMIT} of them.`,
      action: "Let it grow",
      source: HOG,
      needsThreads: false,
    },
    async ({ stage }) => {
      const gauge = new Gauge("memory");
      stage.replaceChildren(gauge.root);
      const process = await Wasmex.start({ bytes: HOG, name: "hog", limits: { memoryPages: LIMIT } });
      const memory = process.memory("uint8");
      const show = (state: "wild" | "held"): void => {
        const pages = memory.length / PAGE;
        gauge.set(pages / LIMIT, `${digits(pages)} pages, ${size(memory.length)}`, state);
      };
      const stopPainting = everyFrame(() => show("wild"));
      graph.wild += 1;
      try {
        // With some work between the pages it takes long enough to be seen; inline that would only hold up the page.
        const [pages] = await process.callFunction("hoard", [hasThreads ? 4_000_000 : 1], 20_000);
        show("held");
        return `memory.grow said no at ${String(pages)} pages, ${size(Number(pages) * PAGE)}: the limit of the container, though the module declares none.`;
      } finally {
        graph.wild -= 1;
        stopPainting();
        await process.stop();
      }
    },
  );
}
