import { h } from "./dom.js";
import { size } from "./text.js";

/** A bar that tells how many bytes have come. */
export class ByteProgress {
  readonly #fill = h("span");
  readonly #text = h("p", { class: "progress-text" });
  readonly #bar: HTMLElement;
  readonly root: HTMLElement;

  constructor(readonly what: string) {
    this.#bar = h(
      "div",
      { class: "progress-bar", role: "progressbar", "aria-label": `Loading ${what}` },
      this.#fill,
    );
    this.root = h("div", { class: "progress" }, this.#bar, this.#text);
    this.#text.textContent = `Loading ${what}`;
  }

  /** @param total in bytes; 0 or `undefined` where the server does not tell */
  update(loaded: number, total: number | undefined): void {
    const known = total !== undefined && total > 0;
    this.#fill.style.width = known ? `${Math.min(100, (100 * loaded) / total)}%` : "100%";
    if (known) {
      this.#bar.setAttribute("aria-valuenow", String(loaded));
      this.#bar.setAttribute("aria-valuemax", String(total));
    }
    const done = known && loaded >= total;
    this.#text.textContent = done
      ? `${this.what}: ${size(loaded)} here, compiling`
      : `Loading ${this.what}: ${size(loaded)}${known ? ` of ${size(total)}` : ""}`;
  }
}
