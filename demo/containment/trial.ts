import { button, enable, h } from "../ui/dom.js";
import { hasThreads } from "../ui/environment.js";
import { messageOf } from "../ui/text.js";

export interface TrialOptions {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly action: string;
  /** The guest, as a visitor may read it. */
  readonly source: string;
  /** Without threads it would take the page with it. */
  readonly needsThreads: boolean;
}

/** One attempt to break out or run away: a button, a stage on which it is seen, and a verdict. */
export class Trial {
  readonly root: HTMLElement;
  readonly stage = h("div", { class: "trial-stage" });
  readonly #verdict = h("p", { class: "verdict", role: "status" });
  readonly #press: HTMLButtonElement;
  readonly #controls = h("div", { class: "trial-controls" });

  constructor(options: TrialOptions, run: (trial: Trial) => Promise<string>) {
    const possible = hasThreads || !options.needsThreads;
    this.#press = button(options.action, () => void this.#go(run), {
      class: "button button-paint",
      disabled: !possible,
    });
    this.#controls.append(this.#press);
    this.root = h(
      "section",
      { class: "panel trial", id: options.id, "aria-label": options.title },
      h("h2", {}, options.title),
      h("p", { class: "quiet" }, options.about),
      !possible &&
        h(
          "p",
          { class: "trial-missing" },
          "Not on this page: without a thread of its own it would take the page with it. Isolate the page to see it stopped.",
        ),
      this.#controls,
      this.stage,
      this.#verdict,
      h(
        "details",
        { class: "trial-source" },
        h("summary", {}, "The guest"),
        h("pre", {}, h("code", {}, options.source.trim())),
      ),
    );
  }

  /** Puts something beside the button. */
  addControl(...elements: HTMLElement[]): void {
    this.#controls.append(...elements);
  }

  async #go(run: (trial: Trial) => Promise<string>): Promise<void> {
    enable(this.#press, false);
    this.root.dataset["state"] = "running";
    this.#verdict.textContent = "";
    try {
      this.#verdict.textContent = await run(this);
      this.root.dataset["state"] = "held";
    } catch (error) {
      this.#verdict.textContent = `Something else went wrong: ${messageOf(error)}`;
      this.root.dataset["state"] = "failed";
    } finally {
      enable(this.#press, true);
    }
  }
}

/** A bar that fills from left to right, with words on it. */
export class Gauge {
  readonly #fill = h("span", { class: "gauge-fill" });
  readonly #text = h("span", { class: "gauge-text number" });
  readonly #label: HTMLElement;
  readonly root: HTMLElement;

  constructor(label: string) {
    this.#label = h("span", { class: "gauge-label" }, label);
    this.root = h(
      "div",
      { class: "gauge" },
      this.#label,
      h("div", { class: "gauge-bar" }, this.#fill),
      this.#text,
    );
  }

  set(part: number, text: string, state: "wild" | "held" | "idle"): void {
    this.#fill.style.width = `${Math.min(1, part) * 100}%`;
    this.#text.textContent = text;
    this.root.dataset["state"] = state;
  }
}

/** Calls back with every frame until it is told to stop. */
export function everyFrame(paint: () => void): () => void {
  let request = 0;
  const next = (): void => {
    paint();
    request = requestAnimationFrame(next);
  };
  request = requestAnimationFrame(next);
  return () => cancelAnimationFrame(request);
}
