import * as Wasmex from "wasmex";
import type { Page } from "../app.js";
import { button, enable, h, panel } from "../ui/dom.js";
import { Editor } from "../ui/editor.js";
import { missingNote } from "../ui/environment.js";
import { Log } from "../ui/log.js";
import { Tabs } from "../ui/tabs.js";
import { duration, messageOf, size } from "../ui/text.js";
import { EXAMPLES, type Example } from "./examples.js";
import { Guest, type GuestState } from "./guest.js";
import { framesOf, Manifest } from "./manifest.js";
import { MemoryView } from "./memory-view.js";
import { showResults, showValue } from "./values.js";

const STATES: Record<GuestState, string> = {
  none: "not started",
  starting: "starting",
  ready: "ready",
  calling: "running",
  stopped: "stopped",
};

/** Milliseconds of rest after an edit before the text is compiled. */
const REST = 350;

/** A compile error without the line of source and the caret below it: the editor shows both. */
const withoutExcerpt = (message: string): string => message.replace(/\n[^\n]*\n *\^+ *(?=\n|$)/g, "");

class Playground implements Page {
  readonly root: HTMLElement;
  readonly #log = new Log("What happened", "Calls and what they answer show here.");
  readonly #manifest = new Manifest((name, params) => this.#call(name, params));
  readonly #memory = new MemoryView(() => this.#exportedMemory());
  readonly #guest = new Guest({
    onState: (state, thread) => this.#showState(state, thread),
    onPrint: (text) => void this.#log.add("output", h("code", {}, text.replace(/\n$/, ""))),
  });
  readonly #wat: Editor;
  readonly #host: Editor;
  readonly #tabs: Tabs;
  readonly #state = h("span", { class: "chip", role: "status" }, STATES.none);
  readonly #compiled = h("span", { class: "quiet number compiled", role: "status" });
  readonly #note = h("p", { class: "quiet example-note" });
  readonly #timeout: HTMLSelectElement;
  readonly #stop: HTMLButtonElement;
  readonly #examples: HTMLSelectElement;
  #example: Example = EXAMPLES[0] as Example;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #edits = 0;
  /** What the module in the editor became, or is still becoming. */
  #ready: Promise<void> = Promise.resolve();
  /** A binary module that was opened in place of the text. */
  #binary: { name: string; bytes: Uint8Array } | undefined;

  constructor() {
    const edited = (): void => {
      this.#binary = undefined;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#compile(), REST);
    };
    const onRun = (): void => void this.#run();
    this.#wat = new Editor({ label: "Module, WebAssembly text", language: "wat", onChange: edited, onRun });
    this.#host = new Editor({
      label: "Host functions, JavaScript",
      language: "javascript",
      onChange: () => this.#host.showFault(undefined),
      onRun,
    });
    this.#tabs = new Tabs("Source", [
      { label: "module.wat", content: [this.#note, this.#wat.root] },
      { label: "host.js", content: [this.#host.root] },
    ]);
    this.#stop = button("Stop", () => void this.#guest.stop(), { "aria-disabled": "true" });
    this.#timeout = h(
      "select",
      { class: "select", "aria-label": "Deadline of a call" },
      [1000, 5000, 30_000].map((ms) =>
        h("option", { value: ms, selected: ms === 5000 }, `${ms / 1000} s at most`),
      ),
      h("option", { value: "Infinity" }, "no deadline"),
    );
    this.#examples = h(
      "select",
      { class: "select", "aria-label": "Example", onchange: () => this.#open(this.#examples.value) },
      EXAMPLES.map((example) => h("option", { value: example.id }, example.title)),
    );
    this.root = this.#layOut();
    this.#open("sum");
  }

  show(): void {
    this.#memory.show();
  }

  hide(): void {
    this.#memory.hide();
  }

  #layOut(): HTMLElement {
    const file = h("input", {
      type: "file",
      accept: ".wasm,.wat",
      class: "unseen",
      tabindex: -1,
      "aria-label": "Module file",
    });
    file.addEventListener("change", () => {
      const chosen = file.files?.[0];
      if (chosen !== undefined) void this.#openFile(chosen);
      file.value = "";
    });
    const source = panel("Module", { class: "panel-flush source" }, this.#tabs.bodies);
    source.tools.append(
      this.#examples,
      button("Open…", () => file.click(), { title: "A .wasm or .wat file" }),
      file,
    );
    source.body.before(h("div", { class: "tab-rim" }, this.#tabs.strip, this.#compiled));
    source.body.after(
      h(
        "div",
        { class: "panel-foot" },
        button(["Run", h("kbd", { "aria-hidden": "true" }, "Ctrl ⏎")], () => void this.#run(), {
          class: "button button-paint",
        }),
        this.#stop,
        this.#timeout,
        this.#state,
      ),
    );
    source.root.addEventListener("dragover", (event) => event.preventDefault());
    source.root.addEventListener("drop", (event) => {
      const dropped = event.dataTransfer?.files[0];
      if (dropped === undefined) return;
      event.preventDefault();
      void this.#openFile(dropped);
    });
    const manifest = panel("Exports and imports", { class: "manifest-panel" }, this.#manifest.root);
    const memory = panel("Memory", { class: "memory-panel" }, this.#memory.root);
    const log = panel("Log", { class: "panel-flush log-panel" }, this.#log.root);
    log.tools.append(button("Clear", () => this.#log.clear()));
    return h(
      "div",
      { class: "playground" },
      h(
        "div",
        { class: "intro" },
        h("h1", {}, "Load it, call it, look inside"),
        h(
          "p",
          { class: "lead" },
          "Write a module, call what it exports, and watch its memory while it runs. It runs in a container of its own: stop it whenever you like.",
        ),
      ),
      missingNote(
        "Modules run on the page's own thread here: memory is shown between calls, and a call can't be cut short.",
      ),
      h("div", { class: "playground-grid" }, source.root, manifest.root, log.root, memory.root),
    );
  }

  #open(id: string): void {
    const example = EXAMPLES.find((one) => one.id === id);
    if (example === undefined) return;
    this.#example = example;
    this.#binary = undefined;
    this.#wat.open(example.wat);
    this.#host.open(example.host);
    this.#note.textContent = example.note;
    this.#manifest.clear("Compiling");
    this.#memory.setLook(example.view?.as ?? "uint8", example.view ?? {});
    this.#tabs.select(0);
    this.#compile();
    // An example of ours may be started unasked, so that there is something to see.
    const edit = this.#edits;
    void this.#ready.then(async () => {
      if (edit === this.#edits && this.#guest.module !== undefined) await this.#start();
    });
  }

  async #openFile(file: File): Promise<void> {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const binary = bytes[0] === 0 && bytes[1] === 0x61;
    this.#wat.open(
      binary
        ? `;; ${file.name}, ${size(bytes.length)}, is what runs.\n;; Type to go back to text.\n`
        : new TextDecoder().decode(bytes),
    );
    this.#binary = binary ? { name: file.name, bytes } : undefined;
    this.#note.textContent = `Opened ${file.name}.`;
    this.#manifest.clear("Compiling");
    this.#compile();
  }

  #compile(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#ready = this.#compileNow();
  }

  async #compileNow(): Promise<void> {
    this.#edits += 1;
    const edit = this.#edits;
    const begun = performance.now();
    try {
      const module = await Wasmex.Module.compile(this.#binary?.bytes ?? this.#wat.text);
      if (edit !== this.#edits) return;
      this.#wat.showFault(undefined);
      this.#compiled.textContent = `${size(module.byteLength)} in ${duration(performance.now() - begun)}`;
      this.#compiled.dataset["state"] = "good";
      this.#manifest.show(module, this.#example.params ?? {});
      await this.#guest.load(module, this.#host.text);
    } catch (error) {
      if (edit !== this.#edits) return;
      const at = error instanceof Wasmex.CompileError ? error : undefined;
      this.#wat.showFault({ line: at?.line, column: at?.column, message: withoutExcerpt(messageOf(error)) });
      this.#compiled.textContent =
        at?.line === undefined ? "does not compile" : `line ${at.line}: does not compile`;
      this.#compiled.dataset["state"] = "bad";
      await this.#guest.load(undefined, "");
    }
  }

  /** Starts the module afresh, and calls its entry where it has one. */
  async #run(): Promise<void> {
    if (this.#timer !== undefined || this.#guest.module === undefined) this.#compile();
    await this.#ready;
    const module = this.#guest.module;
    if (module === undefined) return;
    await this.#guest.load(module, this.#host.text);
    try {
      await this.#start();
    } catch {
      return;
    }
    this.#log.add(
      "note",
      `started ${module.name === undefined ? "the module" : module.name} (${this.#guest.process?.thread ?? "inline"})`,
    );
    const entry = ["_start", "main", "run"].find((name) => {
      const type = module.exports[name];
      return type?.kind === "function" && type.parameters.length === 0;
    });
    if (entry !== undefined) await this.#call(entry, []).catch(() => undefined);
  }

  /** Makes the instance; what the host code has wrong is shown at the host code. */
  async #start(): Promise<void> {
    try {
      await this.#guest.start();
      this.#host.showFault(undefined);
    } catch (error) {
      const ours = !(error instanceof Wasmex.WasmexError) || error instanceof Wasmex.LinkError;
      if (ours) this.#host.showFault({ line: undefined, message: messageOf(error) });
      this.#log.add(
        "bad",
        h("b", {}, error instanceof Error ? error.name : "Error"),
        " ",
        h("span", { class: "log-text" }, messageOf(error)),
      );
      throw error;
    }
  }

  async #call(name: string, params: Wasmex.WasmValue[]): Promise<string> {
    if (this.#timer !== undefined) this.#compile();
    await this.#ready;
    await this.#start();
    const text = `${name}(${params.map(showValue).join(", ")})`;
    const begun = performance.now();
    try {
      const results = await this.#guest.call(name, params, Number(this.#timeout.value));
      const shown = showResults(results);
      this.#log.add("good", h("code", {}, text), " ", h("b", {}, shown), this.#took(begun));
      return shown;
    } catch (error) {
      const kind = error instanceof Error ? error.name : "Error";
      const trap = error instanceof Wasmex.TrapError ? error : undefined;
      this.#log.add(
        "bad",
        h("code", {}, text),
        " ",
        h("b", {}, trap === undefined ? kind : `${kind}: ${trap.reason}`),
        this.#took(begun),
        h("div", { class: "log-text" }, messageOf(error)),
        trap !== undefined && trap.frames.length > 0 && framesOf(trap, (frame) => this.#reveal(frame)),
      );
      throw error;
    }
  }

  #took(begun: number): HTMLElement {
    return h("span", { class: "log-time number" }, duration(performance.now() - begun));
  }

  #reveal(name: string): void {
    this.#tabs.select(0);
    this.#wat.reveal(new RegExp(`\\(func\\s+\\$${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}[\\s()]`));
    this.#wat.focus();
  }

  #exportedMemory(): Wasmex.Memory<"uint8"> | undefined {
    const process = this.#guest.process;
    if (process === undefined) return undefined;
    if (process === this.#memoryOf?.process) return this.#memoryOf.memory;
    const exports = this.#guest.module?.exports ?? {};
    const exported = Object.values(exports).some((type) => type.kind === "memory");
    this.#memoryOf = { process, memory: exported ? process.memory("uint8") : undefined };
    return this.#memoryOf.memory;
  }
  #memoryOf: { process: Wasmex.Process; memory: Wasmex.Memory<"uint8"> | undefined } | undefined;

  #showState(state: GuestState, thread: "worker" | "inline" | undefined): void {
    const where =
      thread === undefined ? "" : thread === "worker" ? " in the background" : " on the page's thread";
    this.#state.textContent = STATES[state] + where;
    this.#state.dataset["state"] = state === "calling" ? "busy" : state === "ready" ? "good" : state;
    enable(this.#stop, state !== "none" && state !== "stopped");
  }
}

export const createPlayground = (): Page => new Playground();
