import * as Wasmex from "wasmex";
import { button, enable, h } from "../ui/dom.js";
import { hasThreads } from "../ui/environment.js";
import { digits, duration, messageOf } from "../ui/text.js";

const PULSE = `(module $pulse
  (memory (export "memory") 1)
  (func (export "beat") (result i32)
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (i32.load (i32.const 0)))
  (func (export "trap") (unreachable))
  ;; Turns for a while, or for ever.
  (func (export "hang") (param $turns i64)
    (loop $again
      (local.set $turns (i64.sub (local.get $turns) (i64.const 1)))
      (br_if $again (i64.ne (local.get $turns) (i64.const 0))))))`;

const CHILD = "pulse";
const MAX_RESTARTS = 3;
const MAX_SECONDS = 10;
/** Milliseconds between two beats. */
const REST = 200;

/** A guest that beats, and comes back when it is broken: until it is broken too often. */
export class Supervised {
  readonly root: HTMLElement;
  readonly #beats = h("b", { class: "number pulse-beats" }, "–");
  readonly #lamp = h("span", { class: "pulse-lamp", "aria-hidden": "true" });
  readonly #lives = h("ol", { class: "lives", "aria-label": "Lives" });
  readonly #news = h("p", { class: "verdict", role: "status" });
  readonly #start: HTMLButtonElement;
  readonly #faults: HTMLButtonElement[];
  #supervisor: Wasmex.Supervisor | undefined;
  #last: Wasmex.Process | undefined;
  #life: HTMLElement | undefined;
  #born = 0;
  #count = 0;
  #broken = 0;
  /** One fault at a time: a second one would hit the guest that comes after. */
  #breaking = false;

  constructor() {
    this.#start = button("Start the supervisor", () => void this.#begin(), {
      class: "button button-paint",
      disabled: !hasThreads,
    });
    this.#faults = [
      button("Make it hang", () => void this.#break("hang"), { "aria-disabled": "true" }),
      button("Pull the plug", () => void this.#break("plug"), {
        "aria-disabled": "true",
        title: "Aborts a call through its signal",
      }),
      button("Make it trap", () => void this.#break("trap"), { "aria-disabled": "true" }),
    ];
    this.root = h(
      "section",
      { class: "panel trial supervised", id: "trial-supervised", "aria-label": "A process that comes back" },
      h("h2", {}, "A process that comes back"),
      h(
        "p",
        { class: "quiet" },
        `A supervised guest beats five times a second. Let it hang or pull its plug, and it is started afresh; a trap it survives. More than ${MAX_RESTARTS} restarts within ${MAX_SECONDS} seconds, and its supervisor gives up.`,
      ),
      !hasThreads &&
        h(
          "p",
          { class: "trial-missing" },
          "Not on this page: without a thread of its own a guest can't be cut short, and so never has to come back.",
        ),
      h("div", { class: "trial-controls" }, this.#start, ...this.#faults),
      h(
        "div",
        { class: "pulse" },
        this.#lamp,
        this.#beats,
        h("span", { class: "quiet" }, "beats in this life"),
      ),
      this.#lives,
      this.#news,
      h(
        "details",
        { class: "trial-source" },
        h("summary", {}, "The guest"),
        h("pre", {}, h("code", {}, PULSE)),
      ),
    );
  }

  async #begin(): Promise<void> {
    enable(this.#start, false);
    this.#lives.replaceChildren();
    this.#count = 0;
    this.#last = undefined;
    this.#news.textContent = "";
    try {
      const module = await Wasmex.Module.compile(PULSE);
      const supervisor = await Wasmex.Supervisor.start([Wasmex.childSpec({ id: CHILD, module })], {
        maxRestarts: MAX_RESTARTS,
        maxSeconds: MAX_SECONDS,
      });
      this.#supervisor = supervisor;
      this.root.dataset["state"] = "running";
      for (const fault of this.#faults) enable(fault, true);
      void supervisor.stopped.then((reason) => this.#end(reason));
      void this.#beat(supervisor);
    } catch (error) {
      this.#news.textContent = messageOf(error);
      enable(this.#start, true);
    }
  }

  async #beat(supervisor: Wasmex.Supervisor): Promise<void> {
    while (this.#supervisor === supervisor) {
      try {
        const child = supervisor.child(CHILD);
        if (child !== this.#last) this.#newLife(child);
        const [beats] = await child.callFunction("beat", [], 1000);
        this.#beats.textContent = digits(Number(beats));
        this.#lamp.dataset["beat"] = Number(beats) % 2 === 0 ? "a" : "b";
      } catch {
        // It was broken between two beats: the next look finds the one that has come instead.
      }
      await new Promise((resolve) => setTimeout(resolve, REST));
    }
  }

  #newLife(child: Wasmex.Process): void {
    const now = performance.now();
    this.#last = child;
    this.#count += 1;
    const back = this.#broken > 0 ? `, back after ${duration(now - this.#broken)}` : "";
    this.#broken = 0;
    this.#born = now;
    this.#life = h("li", { class: "life" }, `life ${this.#count}${back}`);
    this.#lives.append(this.#life);
  }

  async #break(how: "hang" | "plug" | "trap"): Promise<void> {
    const child = this.#supervisor?.child(CHILD);
    if (child === undefined || this.#breaking) return;
    this.#breaking = true;
    const life = this.#life;
    const born = this.#born;
    try {
      if (how === "trap") await child.callFunction("trap", []);
      else if (how === "hang") await child.callFunction("hang", [-1n], 300);
      else await child.callFunction("hang", [-1n], { signal: AbortSignal.timeout(50) });
    } catch (error) {
      const reason =
        error instanceof Wasmex.TrapError
          ? `TrapError (${error.reason})`
          : error instanceof Error
            ? error.name
            : String(error);
      if (how === "trap") {
        this.#news.textContent = `${reason}: the call has failed, the guest lives on.`;
        return;
      }
      this.#news.textContent = "";
      this.#broken = performance.now();
      if (life !== undefined) {
        life.dataset["state"] = "dead";
        life.append(`: ${reason} after ${duration(this.#broken - born)}`);
      }
    } finally {
      this.#breaking = false;
    }
  }

  #end(reason: unknown): void {
    this.#supervisor = undefined;
    this.root.dataset["state"] = "stopped";
    for (const fault of this.#faults) enable(fault, false);
    enable(this.#start, true);
    this.#news.textContent = `The supervisor has stopped: ${messageOf(reason)}`;
    this.#beats.textContent = "–";
  }
}
