import { h, svg } from "../ui/dom.js";

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** What stands at the end of its line. */
  readonly text: string;
  /** What it is measured against. */
  readonly base?: boolean;
}

const ROW = 46;
const LINE = 15;
const BAR = 16;

/**
 * Bars from a common zero, each under its label. Widths are parts of the room there is, so that letters keep their size on a phone.
 * What is drawn is said in a table, too, for those who can't see it.
 */
export function barChart(title: string, bars: readonly Bar[]): HTMLElement {
  const most = Math.max(...bars.map((bar) => bar.value), Number.MIN_VALUE);
  const rows = bars.map((bar, index) => {
    const top = index * ROW;
    const width = `${Math.max(0.6, (bar.value / most) * 100).toFixed(2)}%`;
    return svg(
      "g",
      { class: bar.base ? "bar bar-base" : "bar" },
      svg("text", { x: 0, y: top + LINE, class: "bar-label" }, bar.label),
      svg("text", { x: "100%", y: top + LINE, class: "bar-text" }, bar.text),
      svg("rect", { x: 0, y: top + LINE + 7, width: "100%", height: BAR, class: "bar-room" }),
      svg("rect", { x: 0, y: top + LINE + 7, width, height: BAR, class: "bar-fill" }),
    );
  });
  const drawing = svg(
    "svg",
    { class: "chart", width: "100%", height: bars.length * ROW, "aria-hidden": "true", focusable: "false" },
    ...rows,
  );
  return h(
    "figure",
    { class: "figure" },
    h("figcaption", {}, title),
    drawing,
    h(
      "table",
      { class: "unseen" },
      h("caption", {}, title),
      h(
        "tbody",
        {},
        bars.map((bar) => h("tr", {}, h("th", { scope: "row" }, bar.label), h("td", {}, bar.text))),
      ),
    ),
  );
}
