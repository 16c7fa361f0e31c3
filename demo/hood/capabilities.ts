import { h } from "../ui/dom.js";

const LABELS: Readonly<Record<string, string>> = {
  thread: "Guests run",
  reason: "Because",
  threads: "Background threads",
  sharedMemory: "Memory shared with them",
  blocking: "This thread may sleep",
  jspi: "Promise integration (JSPI)",
  hostDirectories: "Directories of the machine",
  simd: "SIMD",
  gc: "Garbage collection",
  memory64: "64-bit memory",
  multiMemory: "Several memories",
  exceptions: "Exceptions",
  tailCalls: "Tail calls",
};

const WHERE: Readonly<Record<string, string>> = {
  worker: "on a thread of their own",
  inline: "on the page's thread",
};

/** A name that has no label yet as words. */
const words = (name: string): string => LABELS[name] ?? name.replace(/([a-z0-9])([A-Z])/g, "$1 $2");

/** Everything that `capabilities()` tells, as a board of lamps and sentences. */
export function describeCapabilities(capabilities: object): HTMLElement[] {
  const lamps: HTMLElement[] = [];
  const facts: HTMLElement[] = [];
  const add = (name: string, value: unknown): void => {
    if (typeof value === "boolean") {
      lamps.push(
        h(
          "li",
          { class: "lamp-row", "data-state": value ? "on" : "off" },
          h("span", { class: "lamp-mark", "aria-hidden": "true" }),
          words(name),
          h("span", { class: "lamp-word" }, value ? "yes" : "no"),
        ),
      );
    } else if (typeof value === "object" && value !== null) {
      for (const [inner, one] of Object.entries(value)) add(inner, one);
    } else if (value !== undefined && value !== "") {
      facts.push(
        h(
          "div",
          {},
          h("dt", {}, words(name)),
          h("dd", {}, name === "thread" ? (WHERE[String(value)] ?? String(value)) : String(value)),
        ),
      );
    }
  };
  for (const [name, value] of Object.entries(capabilities)) add(name, value);
  return [h("dl", { class: "facts" }, facts), h("ul", { class: "lamps" }, lamps)];
}
