import { type Child, h } from "./dom.js";

export type LogKind = "call" | "good" | "bad" | "note" | "output";

const LIMIT = 300;

/** What happened, in order; the newest is kept in sight unless the visitor has scrolled up. */
export class Log {
  readonly #list = h("ol", { class: "log-list" });
  readonly #empty: HTMLElement;
  readonly root: HTMLElement;

  constructor(label: string, empty: string) {
    this.#empty = h("p", { class: "quiet log-empty" }, empty);
    this.root = h(
      "div",
      { class: "log", role: "log", "aria-label": label, tabindex: 0 },
      this.#empty,
      this.#list,
    );
  }

  add(kind: LogKind, ...children: Child[]): HTMLElement {
    const atEnd = this.root.scrollHeight - this.root.scrollTop - this.root.clientHeight < 40;
    const item = h("li", { class: `log-item log-${kind}` }, ...children);
    this.#list.append(item);
    while (this.#list.children.length > LIMIT) this.#list.firstElementChild?.remove();
    this.#empty.hidden = true;
    if (atEnd) this.root.scrollTop = this.root.scrollHeight;
    return item;
  }

  clear(): void {
    this.#list.replaceChildren();
    this.#empty.hidden = false;
  }
}
