import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { h, reducedMotion } from "../ui/dom.js";
import { colour } from "../ui/theme.js";
import { cells, Line } from "./line.js";

export type Typed = { kind: "line"; text: string } | { kind: "end" } | { kind: "interrupt" };

export interface ReadOptions {
  readonly prompt?: string;
  readonly history: string[];
  /** What may stand in the place of the word before the cursor. */
  readonly complete?: (before: string) => readonly string[];
}

interface Reading {
  readonly line: Line;
  readonly options: ReadOptions;
  readonly resolve: (typed: Typed) => void;
}

const KEYS: Record<string, (line: Line) => void> = {
  "\x1b[D": (line) => line.move(-1),
  "\x1b[C": (line) => line.move(1),
  "\x1b[A": (line) => line.recall(-1),
  "\x1b[B": (line) => line.recall(1),
  "\x1b[H": (line) => line.moveToStart(),
  "\x1b[F": (line) => line.moveToEnd(),
  "\x1b[1~": (line) => line.moveToStart(),
  "\x1b[4~": (line) => line.moveToEnd(),
  "\x1b[3~": (line) => line.delete(),
  "\x1b[1;5D": (line) => line.moveWord(-1),
  "\x1b[1;5C": (line) => line.moveWord(1),
  "\x1b[1;3D": (line) => line.moveWord(-1),
  "\x1b[1;3C": (line) => line.moveWord(1),
  "\x1bb": (line) => line.moveWord(-1),
  "\x1bf": (line) => line.moveWord(1),
  "\x01": (line) => line.moveToStart(),
  "\x02": (line) => line.move(-1),
  "\x05": (line) => line.moveToEnd(),
  "\x06": (line) => line.move(1),
  "\x08": (line) => line.backspace(),
  "\x0b": (line) => line.killToEnd(),
  "\x0e": (line) => line.recall(1),
  "\x10": (line) => line.recall(-1),
  "\x15": (line) => line.killToStart(),
  "\x17": (line) => line.killWord(),
  "\x19": (line) => line.yank(),
  "\x7f": (line) => line.backspace(),
};

/** The paints of the page as a terminal's colours. */
const PAINTS = {
  black: "#10181d",
  red: "#e0614a",
  green: "#3fae80",
  yellow: "#d8a23a",
  blue: "#5b9bdc",
  magenta: "#b08be0",
  cyan: "#45b5ba",
  white: "#dfe9ee",
  brightBlack: "#7d909b",
  brightRed: "#ff9479",
  brightGreen: "#6ccfa4",
  brightYellow: "#eebd5a",
  brightBlue: "#84b8ee",
  brightMagenta: "#cba9f2",
  brightCyan: "#7fd8dc",
  brightWhite: "#ffffff",
};

/** Bytes of output that may wait to be shown. */
const FLOOD = 4_000_000;

const ESCAPE = "\x1b";
const SEQUENCE = new RegExp(`^${ESCAPE}(?:\\[[\\d;]*[A-Za-z~]|O[A-Za-z]|.)`);

/** A terminal in cooked mode: it edits lines, keeps their history and hands them over whole. */
export class Tty {
  readonly root = h("div", { class: "tty" });
  /** Ctrl-C while no line is being read. */
  onInterrupt: (() => void) | undefined;
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  #reading: Reading | undefined;
  /** A reading whose prompt is not on the screen yet. */
  #coming: Reading | undefined;
  /** What was typed while nobody read. */
  #ahead = "";
  /** The column in which the line begins, and the row of the cursor below that begin. */
  #startColumn = 0;
  #cursorRow = 0;
  #drawn = false;
  /** Output that the terminal has not taken in yet: until then nobody knows where the cursor is going to be. */
  #unseen = 0;
  #unseenBytes = 0;

  constructor(label: string, hint: string) {
    this.#terminal = new Terminal({
      convertEol: true,
      cursorBlink: !reducedMotion(),
      fontFamily: 'ui-monospace, "SF Mono", "Cascadia Code", Consolas, "DejaVu Sans Mono", monospace',
      fontSize: matchMedia("(max-width: 700px)").matches ? 12 : 14,
      lineHeight: 1.2,
      scrollback: 4000,
      minimumContrastRatio: 4.5,
      theme: this.#theme(),
    });
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.open(this.root);
    this.#terminal.textarea?.setAttribute("aria-label", label);
    this.#terminal.textarea?.setAttribute("aria-describedby", hint);
    this.#terminal.onData((data) => this.#type(data));
    // Tab on an empty line goes on through the page, so that the keyboard is never caught here.
    this.#terminal.attachCustomKeyEventHandler(
      (event) =>
        // WebKitGTK has no name for Shift-Tab's key.
        (event.key !== "Tab" && event.code !== "Tab") ||
        !(event.shiftKey || this.#reading === undefined || this.#reading.line.isEmpty),
    );
    new ResizeObserver(() => this.fit()).observe(this.root);
    addEventListener("themechange", () => {
      this.#terminal.options.theme = this.#theme();
    });
  }

  #theme() {
    return {
      background: colour("--screen"),
      foreground: colour("--screen-ink"),
      cursor: colour("--screen-cursor"),
      selectionBackground: colour("--screen-selection"),
      ...PAINTS,
    };
  }

  fit(): void {
    if (this.root.clientWidth > 0) this.#fit.fit();
  }

  focus(): void {
    this.#terminal.focus();
  }

  /** Output; a line that is being typed moves below it. A program that floods the terminal loses what it can't show. */
  write(data: string | Uint8Array): void {
    if (this.#unseenBytes > FLOOD) return;
    this.#erase();
    this.#unseen += 1;
    this.#unseenBytes += data.length;
    this.#terminal.write(data, () => {
      this.#unseen -= 1;
      this.#unseenBytes -= data.length;
      this.#settle();
    });
  }

  /** All output is there: the line goes on where the cursor is now. */
  #settle(): void {
    if (this.#unseen > 0 || this.#reading === undefined) return;
    this.#begin();
    const ahead = this.#ahead;
    this.#ahead = "";
    if (ahead !== "") this.#type(ahead);
  }

  clear(): void {
    this.#terminal.write("\x1b[2J\x1b[3J\x1b[H");
  }

  readLine(options: ReadOptions): Promise<Typed> {
    return new Promise((resolve) => {
      const reading: Reading = { line: new Line(options.history), options, resolve };
      this.#coming = reading;
      this.#terminal.write(options.prompt ?? "", () => {
        if (this.#coming !== reading) return;
        this.#coming = undefined;
        this.#reading = reading;
        this.#settle();
      });
    });
  }

  /** Takes back `readLine`: what was typed so far is kept for the next one. */
  cancelRead(): void {
    const reading = this.#reading ?? this.#coming;
    if (reading === undefined) return;
    this.#erase();
    this.#reading = undefined;
    this.#coming = undefined;
    this.#ahead = reading.line.text + this.#ahead;
    reading.resolve({ kind: "end" });
  }

  /** Types for the visitor, key by key as seen from the shell. */
  type(text: string): void {
    this.#type(text);
    this.focus();
  }

  #type(data: string): void {
    let rest = data;
    while (rest !== "") {
      const reading = this.#reading;
      if (reading === undefined) {
        if (rest.includes("\x03")) {
          this.#ahead = "";
          this.#terminal.write("^C\n");
          this.onInterrupt?.();
        } else {
          this.#ahead += rest;
        }
        return;
      }
      if (this.#unseen > 0 && !rest.startsWith("\x03")) {
        this.#ahead += rest;
        return;
      }
      const key = SEQUENCE.exec(rest)?.[0] ?? String.fromCodePoint(rest.codePointAt(0) ?? 0);
      rest = rest.slice(key.length);
      this.#press(reading, key.startsWith("\x1bO") ? `\x1b[${key.slice(2)}` : key);
    }
  }

  #press(reading: Reading, key: string): void {
    const { line, options } = reading;
    if (key === "\r" || key === "\n") {
      this.#finish({ kind: "line", text: line.text });
      return;
    }
    if (key === "\x03" || (key === "\x04" && line.isEmpty)) {
      this.#finish({ kind: key === "\x03" ? "interrupt" : "end" });
      return;
    }
    if (key === "\x0c") {
      this.clear();
      this.#terminal.write(options.prompt ?? "", () => this.#begin());
      return;
    }
    if (key === "\t") this.#complete(reading);
    else if (key === "\x04") line.delete();
    else if (KEYS[key] !== undefined) KEYS[key](line);
    else if (key >= " " && !key.startsWith("\x1b")) line.insert(key);
    this.#draw();
  }

  #finish(typed: Typed): void {
    const reading = this.#reading;
    if (reading === undefined) return;
    reading.line.moveToEnd();
    this.#draw();
    this.#reading = undefined;
    this.#drawn = false;
    this.#terminal.write(typed.kind === "interrupt" ? "^C\n" : "\n");
    if (typed.kind === "line") {
      const { history } = reading.options;
      if (typed.text.trim() !== "" && history.at(-1) !== typed.text) history.push(typed.text);
    }
    reading.resolve(typed);
  }

  #complete({ line, options }: Reading): void {
    const word = /[^\s|<>;&]*$/.exec(line.before)?.[0] ?? "";
    const found = options.complete?.(line.before) ?? [];
    const first = found[0];
    if (first === undefined) return;
    let common = first;
    for (const one of found) while (!one.startsWith(common)) common = common.slice(0, -1);
    if (common.length > word.length) line.insert(common.slice(word.length));
    if (found.length === 1 && !first.endsWith("/")) line.insert(" ");
    else if (found.length > 1 && common.length === word.length) {
      this.write(`\n${found.join("  ")}\n${options.prompt ?? ""}`);
    }
  }

  /** The line begins where the cursor is now. */
  #begin(): void {
    this.#startColumn = this.#terminal.buffer.active.cursorX;
    this.#cursorRow = 0;
    this.#drawn = false;
    if (this.#reading !== undefined && !this.#reading.line.isEmpty) this.#draw();
  }

  #back(): string {
    const up = this.#cursorRow > 0 ? `\x1b[${this.#cursorRow}A` : "";
    const right = this.#startColumn > 0 ? `\x1b[${this.#startColumn}C` : "";
    return `${up}\r${right}\x1b[J`;
  }

  #erase(): void {
    if (this.#drawn) this.#terminal.write(this.#back());
    this.#cursorRow = 0;
    this.#drawn = false;
  }

  #draw(): void {
    const line = this.#reading?.line;
    if (line === undefined) return;
    const columns = this.#terminal.cols;
    let total = 0;
    for (const character of line.text) total += cells(character);
    const end = this.#startColumn + total;
    const cursor = this.#startColumn + line.cursorCells;
    let output = this.#back() + line.text;
    // A cursor behind the last column stays in that row until something follows: make it a new one.
    if (total > 0 && end % columns === 0) output += "\r\n";
    const endRow = Math.floor(end / columns);
    const row = Math.floor(cursor / columns);
    if (endRow > row) output += `\x1b[${endRow - row}A`;
    output += "\r";
    if (cursor % columns > 0) output += `\x1b[${cursor % columns}C`;
    this.#terminal.write(output);
    this.#cursorRow = row;
    this.#drawn = true;
  }
}
