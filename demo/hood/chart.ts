import { h, svg } from "../ui/dom.js";

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** What stands at the end of the bar. */
  readonly text: string;
  /** What it is measured against. */
  readonly base?: boolean;
}

const ROW = 34;
const BAR = 18;
const LABEL = 178;
const WIDTH = 620;
const END = 150;

/** Bars from a common zero. What is drawn is said in a table, too, for those who can't see it. */
export function barChart(title: string, bars: readonly Bar[]): HTMLElement {
  const most = Math.max(...bars.map((bar) => bar.value), Number.MIN_VALUE);
  const height = bars.length * ROW + 4;
  const rows = bars.map((bar, index) => {
    const y = index * ROW + (ROW - BAR) / 2;
    const width = Math.max(2, (bar.value / most) * (WIDTH - LABEL - END));
    return svg(
      "g",
      { class: bar.base ? "bar bar-base" : "bar" },
      svg("text", { x: LABEL - 10, y: y + BAR / 2, class: "bar-label" }, bar.label),
      svg("rect", { x: LABEL, y, width, height: BAR }),
      svg("text", { x: LABEL + width + 8, y: y + BAR / 2, class: "bar-text" }, bar.text),
    );
  });
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${height}`, class: "chart", "aria-hidden": "true", focusable: "false" },
    svg("line", { x1: LABEL, x2: LABEL, y1: 0, y2: height, class: "chart-zero" }),
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
