import { freshId, h } from "./dom.js";

export interface Tab {
  readonly label: string;
  readonly content: readonly HTMLElement[];
}

/** A strip of tabs and the bodies that they show, one at a time; arrow keys go from tab to tab. */
export class Tabs {
  readonly strip: HTMLElement;
  readonly bodies: readonly HTMLElement[];
  readonly #tabs: readonly HTMLElement[];

  constructor(label: string, tabs: readonly Tab[]) {
    const ids = tabs.map(() => freshId());
    this.bodies = tabs.map((tab, index) =>
      h(
        "div",
        { role: "tabpanel", id: ids[index], class: "tab-body", "aria-label": tab.label },
        ...tab.content,
      ),
    );
    this.#tabs = tabs.map((tab, index) =>
      h(
        "button",
        {
          type: "button",
          role: "tab",
          class: "tab",
          "aria-controls": ids[index],
          onclick: () => this.select(index),
          onkeydown: (event) => this.#onKey(event as KeyboardEvent, index),
        },
        tab.label,
      ),
    );
    this.strip = h("div", { role: "tablist", class: "tabs", "aria-label": label }, this.#tabs);
    this.select(0);
  }

  select(chosen: number): void {
    this.#tabs.forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(index === chosen));
      tab.tabIndex = index === chosen ? 0 : -1;
    });
    this.bodies.forEach((body, index) => {
      body.hidden = index !== chosen;
    });
  }

  #onKey(event: KeyboardEvent, index: number): void {
    const step = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (step === 0) return;
    const next = (index + step + this.#tabs.length) % this.#tabs.length;
    this.select(next);
    this.#tabs[next]?.focus();
  }
}
