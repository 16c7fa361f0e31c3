import { VirtualFileSystem } from "wasmex";
import type { Page } from "../app.js";
import { button, freshId, h, panel } from "../ui/dom.js";
import { hasThreads, missingNote } from "../ui/environment.js";
import { ByteProgress } from "../ui/progress.js";
import { duration } from "../ui/text.js";
import { START_FILES } from "./files.js";
import { FilesPanel } from "./files-panel.js";
import { PROGRAMS } from "./programs.js";
import { Shell } from "./shell.js";
import { baseName } from "./streams.js";
import { Tty } from "./tty.js";

class TerminalPage implements Page {
  readonly root: HTMLElement;
  readonly #fs = new VirtualFileSystem(START_FILES);
  readonly #hint = h(
    "p",
    { class: "quiet terminal-hint", id: freshId() },
    "Arrow keys recall and edit lines, Tab completes. Tab on an empty line leaves the terminal, Shift-Tab at any time.",
  );
  readonly #tty = new Tty("Terminal", this.#hint.id);
  readonly #files = new FilesPanel(this.#fs, (path) => this.#runFile(path));
  readonly #state = h("span", { class: "chip", role: "status" }, "waiting for a command");
  readonly #progress = h("div", { class: "tty-progress", hidden: true });
  readonly #stop: HTMLButtonElement;
  readonly #end: HTMLButtonElement;
  readonly #shell: Shell;
  #bar: ByteProgress | undefined;
  #begun = false;

  constructor() {
    this.#stop = button("Ctrl-C", () => this.#tty.type("\x03"), { title: "Stop the program" });
    this.#end = button("Ctrl-D", () => this.#tty.type("\x04"), { title: "End of the program's input" });
    this.#shell = new Shell(this.#tty, this.#fs, {
      onProgress: (name, progress) => this.#showProgress(name, progress),
      onJob: (name) => {
        this.#state.textContent = name === undefined ? "waiting for a command" : `${name} is running`;
        this.#state.dataset["state"] = name === undefined ? "idle" : "running";
      },
      onExit: (name, code, milliseconds) => {
        this.#lastExit.textContent = `${name}: exit code ${code} after ${duration(milliseconds)}`;
        this.#files.tree.refresh();
      },
    });
    this.root = this.#layOut();
  }
  readonly #lastExit = h("span", { class: "quiet number last-exit", role: "status" });

  #layOut(): HTMLElement {
    const samples = Object.entries(PROGRAMS).map(([name, { sample, about }]) =>
      button(name, () => this.#runSample(sample), { title: about }),
    );
    const terminal = panel(
      "Terminal",
      { class: "panel-flush terminal-panel" },
      this.#progress,
      this.#tty.root,
    );
    terminal.tools.append(
      ...samples,
      button("help", () => this.#runSample("help")),
    );
    terminal.body.after(
      h("div", { class: "panel-foot" }, this.#stop, this.#end, this.#lastExit, this.#state),
    );
    const root = h(
      "div",
      { class: "terminal" },
      h(
        "div",
        { class: "intro" },
        h("h1", {}, "Real programs, in the page"),
        h(
          "p",
          { class: "lead" },
          "Compilers, interpreters and your own WASI programs, each in a container that sees these files and nothing else. Drop a .wasm file anywhere here to run it.",
        ),
      ),
      missingNote(
        "Programs run, but on the page's own thread: the page stands still meanwhile, they get their input before they start, and Ctrl-C can't reach them.",
      ),
      h("div", { class: "terminal-grid" }, terminal.root, this.#files.root),
      this.#hint,
    );
    root.addEventListener("dragover", (event) => {
      event.preventDefault();
      root.dataset["drop"] = "yes";
    });
    root.addEventListener("dragleave", () => delete root.dataset["drop"]);
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      delete root.dataset["drop"];
      void this.#files.take(event.dataTransfer?.files ?? []).then((paths) => {
        const program = paths.find((path) => path.endsWith(".wasm"));
        if (program !== undefined) this.#runFile(program);
      });
    });
    return root;
  }

  show(): void {
    this.#tty.fit();
    this.#files.tree.show();
    if (this.#begun) return;
    this.#begun = true;
    this.#tty.write(
      // Two lines, each short enough for a phone.
      "\x1b[1mwasmex\x1b[0m: a shell over WebAssembly programs.\n\x1b[32mhelp\x1b[0m lists them; try \x1b[32myard\x1b[0m.\n",
    );
    if (!hasThreads)
      this.#tty.write("\x1b[33mNo threads on this page: programs get their input first.\x1b[0m\n");
    void this.#shell.loop();
  }

  hide(): void {
    this.#files.tree.hide();
  }

  #runSample(command: string): void {
    // A program that runs would take it for its input.
    if (this.#shell.isBusy) this.#tty.focus();
    else this.#tty.type(`${command}\r`);
  }

  #runFile(path: string): void {
    const name = baseName(path);
    const quoted = /^[\w./-]+$/.test(path) ? path : `'${path}'`;
    const inPlace = path === `${this.#shell.directory === "/" ? "" : this.#shell.directory}/${name}`;
    this.#runSample(inPlace && quoted === path ? `./${name}` : quoted);
  }

  #showProgress(name: string, progress: { loaded: number; total: number | undefined } | undefined): void {
    if (progress === undefined) {
      this.#bar = undefined;
      this.#progress.hidden = true;
      this.#progress.replaceChildren();
      return;
    }
    if (this.#bar?.what !== name) {
      this.#bar = new ByteProgress(name);
      this.#progress.replaceChildren(this.#bar.root);
      this.#progress.hidden = false;
    }
    this.#bar.update(progress.loaded, progress.total);
  }
}

export const createTerminal = (): Page => new TerminalPage();
