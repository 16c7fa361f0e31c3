import type { VirtualFileSystem } from "wasmex";
import { button, enable, h } from "../ui/dom.js";
import { Editor, type Language } from "../ui/editor.js";
import { messageOf, size } from "../ui/text.js";

/** Larger files are not opened, in bytes. */
const EDITABLE = 1 << 20;

function languageOf(path: string): Language {
  if (/\.tsx?$/.test(path)) return "typescript";
  if (/\.m?jsx?$/.test(path)) return "javascript";
  return /\.wat$/.test(path) ? "wat" : "text";
}

/** The text of a file, or why there is none to edit. */
function textOf(path: string, bytes: Uint8Array): { text: string } | { why: string } {
  const elsewhere = "Download it to look inside.";
  if (bytes.length > EDITABLE) {
    const held = `${path} is ${size(bytes.length)}`;
    return { why: `${held}: the editor takes files up to ${size(EDITABLE)}. ${elsewhere}` };
  }
  const binary = { why: `${path} is not text (${size(bytes.length)}), so it can't be edited. ${elsewhere}` };
  if (bytes.includes(0)) return binary;
  try {
    // Read leniently, a wrong byte would be another one after Save.
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.slice()) };
  } catch {
    return binary;
  }
}

export interface FileEditorEvents {
  onSaved(): void;
  onClose(): void;
}

/** One text file of the file system in an editor; follows what programs do to it. */
export class FileEditor {
  readonly root: HTMLElement;
  readonly #fs: VirtualFileSystem;
  readonly #events: FileEditorEvents;
  readonly #editor: Editor;
  readonly #name = h("span", { class: "open-name" });
  readonly #status = h("span", { class: "quiet", role: "status" });
  readonly #save: HTMLButtonElement;
  #path: string | undefined;
  /** What the file held when it was last read or written here, its lines ended as the editor ends them. */
  #known = "";
  #lineEnd = "\n";

  constructor(fs: VirtualFileSystem, events: FileEditorEvents) {
    this.#fs = fs;
    this.#events = events;
    this.#editor = new Editor({
      label: "File",
      language: "text",
      onChange: () => this.#show(),
      onSave: () => void this.save(),
    });
    this.#save = button("Save", () => void this.save(), {
      class: "button button-paint",
      title: "Ctrl-S",
    });
    this.root = h(
      "div",
      { class: "file-editor", hidden: true },
      h(
        "div",
        { class: "panel-rim" },
        h("div", { class: "open-title" }, this.#name, this.#status),
        h(
          "div",
          { class: "panel-tools" },
          this.#save,
          button("Close", () => events.onClose()),
        ),
      ),
      this.#editor.root,
    );
  }

  get path(): string | undefined {
    return this.#path;
  }

  get isEdited(): boolean {
    return this.#path !== undefined && this.#editor.text !== this.#known;
  }

  /** Opens a file; answers why it can't be edited, if so. */
  open(path: string): string | undefined {
    this.close();
    let read: ReturnType<typeof textOf>;
    try {
      read = textOf(path, this.#fs.readFile(path));
    } catch (error) {
      return messageOf(error);
    }
    if ("why" in read) return read.why;
    this.#take(read.text);
    this.#path = path;
    this.#name.textContent = path;
    this.root.hidden = false;
    this.#editor.open(this.#known, languageOf(path));
    this.#show();
    return undefined;
  }

  close(): void {
    this.#path = undefined;
    this.root.hidden = true;
  }

  focus(): void {
    this.#editor.focus();
  }

  /** Writes the file; answers what went wrong, if anything. */
  save(): string | undefined {
    if (this.#path === undefined) return undefined;
    const text = this.#editor.text;
    try {
      this.#fs.writeFile(this.#path, text.replaceAll("\n", this.#lineEnd));
    } catch (error) {
      this.#show(messageOf(error));
      return messageOf(error);
    }
    this.#known = text;
    this.#show("saved");
    this.#events.onSaved();
    return undefined;
  }

  /** Follows what a program did, unless the visitor is at work here; answers whether the file was closed. */
  follow(changed: ReadonlySet<string>): boolean {
    const path = this.#path;
    if (path === undefined || !changed.has(path)) return false;
    if (!this.#fs.exists(path)) {
      if (!this.isEdited) {
        this.close();
        return true;
      }
      this.#show("deleted by a program: Save writes it again");
      return false;
    }
    const { isEdited } = this;
    const read = textOf(path, this.#fs.readFile(path));
    if ("why" in read) {
      if (!isEdited) this.close();
      else this.#show("made binary by a program: Save keeps yours");
      return !isEdited;
    }
    if (read.text.replaceAll(/\r\n?/g, "\n") === this.#known) return false;
    if (isEdited) {
      this.#show("changed by a program too: Save keeps yours");
    } else {
      this.#take(read.text);
      this.#editor.open(this.#known);
      this.#show("changed by a program");
    }
    return false;
  }

  #take(text: string): void {
    this.#lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
    this.#known = text.replaceAll(/\r\n?/g, "\n");
  }

  #show(word?: string): void {
    const { isEdited } = this;
    enable(this.#save, isEdited);
    this.#status.textContent =
      word ?? (isEdited ? "edited" : size(new TextEncoder().encode(this.#known).length));
  }
}
