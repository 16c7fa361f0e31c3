import type * as Wasmex from "wasmex";
import { h } from "../ui/dom.js";
import { colour } from "../ui/theme.js";

const HEIGHT = 128;

/** One byte a pixel: 0 is the ground, 1 the paint, what is larger a shade between the two. */
export class MemoryPicture {
  readonly #canvas = h("canvas", { role: "img", "aria-label": "The memory as a picture, one byte a pixel" });
  readonly root = h("div", { class: "memory-picture", hidden: true }, this.#canvas);
  readonly #palette = new Uint32Array(256);
  #image: ImageData | undefined;
  width = 128;

  constructor() {
    this.#mix();
    addEventListener("themechange", () => this.#mix());
  }

  /** Canvas wants numbers where the style sheet has names. */
  #mix(): void {
    const probe = h("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    if (probe === null) return;
    const read = (name: string): Uint8ClampedArray => {
      probe.fillStyle = colour(name);
      probe.fillRect(0, 0, 1, 1);
      return probe.getImageData(0, 0, 1, 1).data;
    };
    const ground = read("--sunk");
    const ink = read("--accent");
    for (let value = 0; value < 256; value++) {
      const part = value <= 1 ? value : 0.2 + (0.8 * value) / 255;
      const channel = (index: number): number =>
        Math.round((ground[index] ?? 0) * (1 - part) + (ink[index] ?? 0) * part);
      this.#palette[value] = (255 << 24) | (channel(2) << 16) | (channel(1) << 8) | channel(0);
    }
  }

  paint(memory: Wasmex.Memory<"uint8">, address: number): void {
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    if (this.#image === undefined || this.#image.width !== this.width) {
      this.#canvas.width = this.width;
      this.#canvas.height = HEIGHT;
      this.#image = context.createImageData(this.width, HEIGHT);
    }
    const bytes = memory.readBinary(address, Math.min(this.width * HEIGHT, memory.length - address));
    const pixels = new Uint32Array(this.#image.data.buffer);
    for (let index = 0; index < pixels.length; index++) pixels[index] = this.#palette[bytes[index] ?? 0] ?? 0;
    context.putImageData(this.#image, 0, 0);
  }
}
