import type { Page } from "../app.js";
import { h } from "../ui/dom.js";
import { missingNote } from "../ui/environment.js";
import { escapeAttempt } from "./escape.js";
import { FrameGraph } from "./frame-graph.js";
import { endlessLoop, forkOfTimeouts } from "./loops.js";
import { runawayMemory } from "./memory.js";
import { Supervised } from "./supervised.js";

export function createContainment(): Page {
  const graph = new FrameGraph();
  const missing = missingNote(
    "Three of the trials need a thread for the guest, which this page can't give; the others run.",
  );
  return {
    root: h(
      "div",
      { class: "containment" },
      h(
        "div",
        { class: "intro" },
        h("h1", {}, "Let them misbehave"),
        h(
          "p",
          { class: "lead" },
          "Each button releases a guest that means harm. Watch the frames of this page while it is stopped.",
        ),
      ),
      missing,
      graph.root,
      h(
        "div",
        { class: "trials" },
        endlessLoop(graph).root,
        forkOfTimeouts(graph).root,
        runawayMemory(graph).root,
        new Supervised().root,
        // The longest by far once it has run: it has the whole width.
        escapeAttempt().root,
      ),
    ),
    show: () => graph.show(),
    hide: () => graph.hide(),
  };
}
