import { capabilities } from "wasmex";
import type { Page } from "../app.js";
import { button, enable, h, panel } from "../ui/dom.js";
import { missingNote } from "../ui/environment.js";
import { duration, messageOf, size } from "../ui/text.js";
import { runBenchmark } from "./benchmark.js";
import { describeCapabilities } from "./capabilities.js";
import { barChart } from "./chart.js";

/** The package's files as they were when the demo was built. */
declare const __PACKAGE_SIZES__: readonly { name: string; bytes: number; gzipped: number }[];

const FILES: Readonly<Record<string, string>> = {
  "wasmex.global.js": "the script-tag file, worker included",
  "worker.js": "the worker by itself, for strict pages",
  "wabt.js": "the text parser, only when text is compiled",
  "isolation.js": "the isolation helper, optional",
};

function sizesPanel(): HTMLElement {
  const files = __PACKAGE_SIZES__.filter(({ name }) => FILES[name] !== undefined);
  const { root, body } = panel("What a page downloads", { class: "sizes" });
  if (files.length === 0) {
    body.append(
      h(
        "p",
        { class: "quiet" },
        "This demo was built without the package: run the package's build first to see its sizes.",
      ),
    );
    return root;
  }
  body.append(
    barChart(
      "Minified and gzipped",
      files.map(({ name, gzipped }) => ({ label: name, value: gzipped, text: size(gzipped) })),
    ),
    h(
      "ul",
      { class: "sizes-list" },
      files.map(({ name, bytes }) =>
        h("li", {}, h("code", {}, name), ` ${FILES[name]}; ${size(bytes)} unpacked`),
      ),
    ),
  );
  return root;
}

function benchmarkPanel(): HTMLElement {
  const results = h("div", { class: "benchmarks" });
  const status = h(
    "p",
    { class: "quiet", role: "status" },
    "Takes a few seconds. Medians of seven rounds, the ways in turns.",
  );
  const press = button("Run the benchmark", () => void run(), { class: "button button-paint" });
  const run = async (): Promise<void> => {
    enable(press, false);
    results.replaceChildren();
    status.textContent = "Measuring";
    try {
      await runBenchmark(({ title, ways }) => {
        const base = ways.find((way) => way.base)?.nanoseconds ?? 1;
        const text = (nanoseconds: number): string =>
          nanoseconds < 1000 ? `${nanoseconds.toFixed(1)} ns` : duration(nanoseconds / 1e6);
        results.append(
          barChart(
            title,
            ways.map((way) => ({
              label: way.label,
              value: way.nanoseconds,
              text: way.base
                ? text(way.nanoseconds)
                : `${text(way.nanoseconds)}, ${(way.nanoseconds / base).toFixed(2)}×`,
              base: way.base,
            })),
          ),
        );
      });
      status.textContent = "Done. Grey is the bare engine, in colour is wasmex.";
    } catch (error) {
      status.textContent = messageOf(error);
    } finally {
      enable(press, true);
    }
  };
  const { root, body, tools } = panel("Against the bare engine", { class: "benchmark" });
  tools.append(press);
  body.append(status, results);
  return root;
}

export function createHood(): Page {
  const board = panel("This browser and page", { class: "board" });
  board.body.append(...describeCapabilities(capabilities()));
  return {
    root: h(
      "div",
      { class: "hood" },
      h(
        "div",
        { class: "intro" },
        h("h1", {}, "Under the hood"),
        h(
          "p",
          { class: "lead" },
          "What this browser offers, what the package weighs, and what it costs against the engine by itself, measured here.",
        ),
      ),
      missingNote("Background threads are the part that is not there."),
      h("div", { class: "hood-grid" }, board.root, sizesPanel(), benchmarkPanel()),
    ),
  };
}
