import * as Wasmex from "wasmex";
import { button, freshId, h } from "../ui/dom.js";
import { digits, hex } from "../ui/text.js";
import { MemoryPicture } from "./memory-picture.js";

const TYPES = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "uint64",
  "int64",
  "float32",
  "float64",
] as const;
type ElementType = (typeof TYPES)[number];
export type MemoryLook = ElementType | "picture";

const ROWS = 16;
/** Milliseconds that a changed cell stays marked. */
const MARKED = 700;

interface Cell {
  readonly element: HTMLElement;
  bytes: string;
  markedUntil: number;
}

interface Row {
  readonly address: HTMLElement;
  readonly cells: Cell[];
  readonly text: HTMLElement;
}

function printable(byte: number): string {
  return byte > 32 && byte < 127 ? String.fromCharCode(byte) : byte === 32 ? " " : "·";
}

function showElement(type: ElementType, value: number | bigint): string {
  if (type === "uint8") return hex(Number(value), 2);
  return type.startsWith("float")
    ? Number(value)
        .toPrecision(type === "float32" ? 6 : 9)
        .replace(/\.?0+$/, "")
    : String(value);
}

const isZero = (content: string): boolean => content.replaceAll("\0", "") === "";

/** Linear memory as bytes and text, as typed elements or as a picture; follows the guest while it runs. */
export class MemoryView {
  readonly root: HTMLElement;
  readonly #memory: () => Wasmex.Memory<"uint8"> | undefined;
  readonly #grid = h("div", { class: "memory-grid", role: "group", tabindex: 0, "aria-label": "Memory" });
  readonly #info = h("span", { class: "quiet number" });
  readonly #empty = h("p", { class: "quiet memory-empty" }, "The memory shows here once the module runs.");
  readonly #look: HTMLSelectElement;
  readonly #goto: HTMLInputElement;
  readonly #picture = new MemoryPicture();
  #rows: Row[] = [];
  #type: ElementType = "uint8";
  #address = 0;
  #perRow = 16;
  #frame = 0;
  #last: Wasmex.Memory<"uint8"> | undefined;
  /** False for the first look at a memory: then nothing has changed yet. */
  #seen = false;

  constructor(memory: () => Wasmex.Memory<"uint8"> | undefined) {
    this.#memory = memory;
    const lookId = freshId();
    this.#look = h(
      "select",
      { class: "select", id: lookId, onchange: () => this.#setLook(this.#look.value as MemoryLook) },
      TYPES.map((type) => h("option", { value: type }, type === "uint8" ? "bytes and text" : type)),
      h("option", { value: "picture" }, "picture"),
    );
    this.#goto = h("input", {
      class: "field memory-address",
      "aria-label": "Address",
      value: "0x0",
      spellcheck: "false",
    });
    const page = (sign: number) => () => this.#move(sign * ROWS * this.#perRow);
    const go = (event: Event): void => {
      event.preventDefault();
      const address = Number(this.#goto.value.trim());
      this.#goto.setAttribute("aria-invalid", String(!(address >= 0)));
      if (address >= 0) this.goTo(address);
    };
    this.root = h(
      "div",
      { class: "memory" },
      h(
        "div",
        { class: "memory-tools" },
        h("label", { class: "unseen", for: lookId }, "Show memory as"),
        this.#look,
        h(
          "form",
          { class: "memory-go", onsubmit: go },
          this.#goto,
          h("button", { class: "button", type: "submit" }, "Go"),
          button("◂", page(-1), { "aria-label": "Back one screen" }),
          button("▸", page(1), { "aria-label": "On one screen" }),
        ),
        this.#info,
      ),
      this.#empty,
      h("div", { class: "memory-scroll" }, this.#grid),
      this.#picture.root,
    );
    this.#grid.addEventListener("keydown", (event) => this.#onKey(event));
    this.#grid.addEventListener(
      "wheel",
      (event) => {
        if (this.#last === undefined || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        this.#move(Math.sign(event.deltaY) * 2 * this.#perRow);
      },
      { passive: false },
    );
    this.#build();
    new ResizeObserver(() => {
      if (this.#perRow !== this.#fitting()) this.#build();
    }).observe(this.root);
  }

  /** Bytes in a row: on a phone eight are what fits. */
  #fitting(): number {
    return this.root.clientWidth > 0 && this.root.clientWidth < 520 ? 8 : 16;
  }

  setLook(look: MemoryLook, options: { address?: number; width?: number } = {}): void {
    this.#look.value = look;
    if (options.width !== undefined) this.#picture.width = options.width;
    this.#setLook(look);
    this.goTo(options.address ?? 0);
  }

  goTo(address: number): void {
    this.#address = 0;
    this.#move(Math.floor(address / this.#perRow) * this.#perRow);
  }

  /** Follows the memory until `hide`. */
  show(): void {
    cancelAnimationFrame(this.#frame);
    const follow = (): void => {
      this.#paint();
      this.#frame = requestAnimationFrame(follow);
    };
    this.#frame = requestAnimationFrame(follow);
  }

  hide(): void {
    cancelAnimationFrame(this.#frame);
  }

  #setLook(look: MemoryLook): void {
    const picture = look === "picture";
    this.#picture.root.hidden = !picture;
    this.#grid.hidden = picture;
    if (!picture) this.#type = look;
    this.#build();
  }

  #build(): void {
    const width = Wasmex.Memory.bytesPerElement(this.#type);
    this.#perRow = this.#fitting();
    const cells = this.#perRow / width;
    this.#rows = Array.from({ length: ROWS }, () => ({
      address: h("span", { class: "memory-at" }),
      cells: Array.from({ length: cells }, () => ({
        element: h("span", { class: "cell" }),
        bytes: "",
        markedUntil: 0,
      })),
      text: h("span", { class: "memory-text" }),
    }));
    this.#grid.style.setProperty("--cells", String(cells));
    this.#grid.dataset["type"] = this.#type;
    this.#grid.replaceChildren(
      ...this.#rows.map((row) =>
        h(
          "div",
          { class: "memory-row" },
          row.address,
          ...row.cells.map((cell) => cell.element),
          this.#type === "uint8" && row.text,
        ),
      ),
    );
    this.#seen = false;
  }

  #move(bytes: number): void {
    const length = this.#last?.length ?? Number.POSITIVE_INFINITY;
    const most = Math.max(0, length - ROWS * this.#perRow);
    this.#address = Math.min(Math.max(0, this.#address + bytes), most);
    this.#goto.value = `0x${hex(this.#address, 1)}`;
    this.#seen = false;
  }

  #onKey(event: KeyboardEvent): void {
    const screen = ROWS * this.#perRow;
    const steps: Record<string, number> = {
      ArrowUp: -this.#perRow,
      ArrowDown: this.#perRow,
      PageUp: -screen,
      PageDown: screen,
      Home: Number.NEGATIVE_INFINITY,
      End: this.#last?.length ?? 0,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.#move(step);
  }

  #paint(): void {
    const memory = this.#memory();
    if (memory !== this.#last) {
      this.#last = memory;
      this.#seen = false;
    }
    this.#empty.hidden = memory !== undefined;
    this.root.dataset["state"] = memory === undefined ? "none" : "live";
    if (memory === undefined) {
      this.#info.textContent = "";
      return;
    }
    const length = memory.length;
    const info = `${digits(length / 65536)} ${length === 65536 ? "page" : "pages"}, ${digits(length)} bytes`;
    if (this.#info.textContent !== info) this.#info.textContent = info;
    if (this.#grid.hidden) this.#picture.paint(memory, this.#address);
    else this.#paintRows(memory, Math.min(ROWS * this.#perRow, length - this.#address));
  }

  #paintRows(memory: Wasmex.Memory<"uint8">, visible: number): void {
    const now = performance.now();
    const bytes = memory.readBinary(this.#address, Math.max(0, visible));
    const typed = memory.view(this.#type);
    const width = typed.bytesPerElement;
    const label = `Memory from ${this.#address}, ${bytes.length} bytes`;
    if (this.#grid.getAttribute("aria-label") !== label) this.#grid.setAttribute("aria-label", label);
    this.#rows.forEach((row, index) => {
      const start = index * this.#perRow;
      const address = start < bytes.length ? hex(this.#address + start, 6) : "";
      if (row.address.textContent !== address) row.address.textContent = address;
      let text = "";
      row.cells.forEach((cell, column) => {
        const at = start + column * width;
        const inside = at + width <= bytes.length;
        // As text the bytes compare in one step, NaN included.
        const content = inside ? String.fromCharCode(...bytes.subarray(at, at + width)) : "";
        if (content !== cell.bytes) {
          cell.bytes = content;
          cell.element.textContent = inside
            ? showElement(this.#type, typed.get((this.#address + at) / width))
            : "";
          cell.element.classList.toggle("zero", isZero(content));
          if (this.#seen) cell.markedUntil = now + MARKED;
        }
        if (this.#type === "uint8" && inside) text += printable(bytes[at] ?? 0);
        const marked = cell.markedUntil > now;
        if (marked !== cell.element.classList.contains("changed"))
          cell.element.classList.toggle("changed", marked);
      });
      if (this.#type === "uint8" && row.text.textContent !== text) row.text.textContent = text;
    });
    this.#seen = true;
  }
}
