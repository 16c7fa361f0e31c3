import { h, reducedMotion } from "../ui/dom.js";
import { colour } from "../ui/theme.js";

/** Milliseconds per frame that the graph reaches up to. */
const TOP = 50;
/** Frames further back than this are forgotten. */
const KEPT = 900;
/** Milliseconds over which the rate and the slowest frame are told. */
const WINDOW = 3000;

interface Frame {
  readonly at: number;
  readonly took: number;
  readonly wild: boolean;
}

/** Draws how long each frame of this page took, as it goes. */
export class FrameGraph {
  readonly #canvas = h("canvas", {
    class: "frames-canvas",
    role: "img",
    "aria-label": "Milliseconds of each frame of this page",
  });
  readonly #rate = h("b", { class: "number", id: "frame-rate" }, "–");
  readonly #slowest = h("b", { class: "number", id: "frame-slowest" }, "–");
  readonly #wild = h("b", { class: "number" }, "0");
  readonly root: HTMLElement;
  readonly #frames: Frame[] = [];
  #last = 0;
  #request = 0;
  #told = 0;
  /** Guests that run wild at this moment. */
  wild = 0;

  constructor() {
    this.root = h(
      "section",
      { class: "frames-panel", "aria-label": "Frames of this page" },
      h(
        "dl",
        { class: "frames-facts" },
        h("div", {}, h("dt", {}, "frames a second"), h("dd", {}, this.#rate)),
        h("div", {}, h("dt", {}, "slowest, in ms"), h("dd", {}, this.#slowest)),
        h("div", {}, h("dt", {}, "guests running wild"), h("dd", {}, this.#wild)),
      ),
      this.#canvas,
    );
  }

  show(): void {
    cancelAnimationFrame(this.#request);
    this.#last = 0;
    const tick = (now: number): void => {
      if (this.#last > 0) this.#add(now, now - this.#last);
      this.#last = now;
      this.#request = requestAnimationFrame(tick);
    };
    this.#request = requestAnimationFrame(tick);
  }

  hide(): void {
    cancelAnimationFrame(this.#request);
  }

  /** The slowest frame since then, in ms. */
  slowestSince(begun: number): number {
    return this.#frames.reduce((most, frame) => (frame.at >= begun ? Math.max(most, frame.took) : most), 0);
  }

  /** Frames a second since then, or in the time between. */
  rateSince(begun: number, ended = Number.POSITIVE_INFINITY): number {
    const frames = this.#frames.filter((frame) => frame.at >= begun && frame.at < ended);
    const time = frames.reduce((sum, frame) => sum + frame.took, 0);
    return time === 0 ? 0 : (1000 * frames.length) / time;
  }

  /** The rate since then beside that of the seconds before, as part of a sentence. */
  compare(begun: number): string {
    const before = this.rateSince(begun - WINDOW, begun);
    const meanwhile = `${this.rateSince(begun).toFixed(0)} frames a second meanwhile`;
    return before === 0 ? meanwhile : `${meanwhile}, ${before.toFixed(0)} before`;
  }

  #add(at: number, took: number): void {
    this.#frames.push({ at, took, wild: this.wild > 0 });
    if (this.#frames.length > KEPT) this.#frames.shift();
    // Numbers that change with every frame can't be read; and whoever wants less motion gets the graph in steps.
    const isTime = at - this.#told > 500;
    if (isTime) {
      this.#told = at;
      this.#rate.textContent = this.rateSince(at - WINDOW).toFixed(0);
      this.#slowest.textContent = this.slowestSince(at - WINDOW).toFixed(0);
    }
    if (this.#wild.textContent !== String(this.wild)) this.#wild.textContent = String(this.wild);
    if (isTime || !reducedMotion()) this.#draw();
  }

  #draw(): void {
    const scale = devicePixelRatio;
    const width = Math.round(this.#canvas.clientWidth * scale);
    const height = Math.round(this.#canvas.clientHeight * scale);
    if (width === 0) return;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    const colours = {
      good: colour("--green"),
      slow: colour("--ochre"),
      bad: colour("--red"),
      line: colour("--line"),
      quiet: colour("--quiet"),
      wild: colour("--paint-red"),
    };
    context.clearRect(0, 0, width, height);
    const floor = height - 6 * scale;
    const y = (milliseconds: number): number =>
      floor - (Math.min(milliseconds, TOP) / TOP) * (floor - 4 * scale);
    context.strokeStyle = colours.line;
    context.fillStyle = colours.quiet;
    context.lineWidth = scale;
    context.font = `${11 * scale}px system-ui, sans-serif`;
    // On a phone there is no room for two lines of letters.
    const marks = height < 60 * scale ? [1000 / 30] : [1000 / 60, 1000 / 30];
    for (const mark of marks) {
      const at = Math.round(y(mark)) + 0.5;
      context.beginPath();
      context.moveTo(0, at);
      context.lineTo(width, at);
      context.stroke();
      context.fillText(`${mark.toFixed(0)} ms`, 4 * scale, at - 4 * scale);
    }
    const step = 3 * scale;
    const count = Math.min(this.#frames.length, Math.floor(width / step));
    for (let back = 0; back < count; back++) {
      const frame = this.#frames[this.#frames.length - 1 - back];
      if (frame === undefined) continue;
      const x = width - (back + 1) * step;
      context.fillStyle = frame.took < 25 ? colours.good : frame.took < 60 ? colours.slow : colours.bad;
      const top = y(frame.took);
      context.fillRect(x, top, step - scale, floor - top);
      if (frame.wild) {
        context.fillStyle = colours.wild;
        context.fillRect(x, height - 4 * scale, step, 4 * scale);
      }
    }
  }
}
