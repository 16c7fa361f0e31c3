import type { VirtualFileSystem } from "wasmex";
import { button, h, panel } from "../ui/dom.js";
import { Editor, type Language } from "../ui/editor.js";
import { messageOf, size } from "../ui/text.js";
import { baseName } from "./streams.js";
import { FileTree } from "./tree.js";

/** Larger files are not opened in the editor, in bytes. */
const EDITABLE = 1 << 20;

function languageOf(path: string): Language {
  if (/\.tsx?$/.test(path)) return "typescript";
  if (/\.m?jsx?$/.test(path)) return "javascript";
  return /\.wat$/.test(path) ? "wat" : "text";
}

/** The file tree with an editor below it, both live. */
export class FilesPanel {
  readonly root: HTMLElement;
  readonly tree: FileTree;
  readonly #fs: VirtualFileSystem;
  readonly #editor: Editor;
  readonly #editorBox: HTMLElement;
  readonly #name = h("span", { class: "open-name" });
  readonly #status = h("span", { class: "quiet", role: "status" });
  readonly #save: HTMLButtonElement;
  #open: string | undefined;
  /** What the file held when it was last read or written here. */
  #known = "";

  constructor(fs: VirtualFileSystem, onProgram: (path: string) => void) {
    this.#fs = fs;
    this.tree = new FileTree(fs, {
      onOpen: (path) => this.open(path),
      onChange: (changed) => this.#onChange(changed),
    });
    this.#editor = new Editor({
      label: "File",
      language: "text",
      onChange: () => this.#showState(),
      onSave: () => this.save(),
    });
    this.#save = button("Save", () => this.save(), { class: "button button-paint", title: "Ctrl-S" });
    this.#editorBox = h(
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
          button("Close", () => this.close()),
        ),
      ),
      this.#editor.root,
    );

    const upload = h("input", {
      type: "file",
      multiple: true,
      class: "unseen",
      tabindex: -1,
      "aria-label": "Files to upload",
    });
    upload.addEventListener("change", () => {
      void this.take(upload.files ?? []).then((paths) => {
        const program = paths.find((path) => path.endsWith(".wasm"));
        if (program !== undefined) onProgram(program);
      });
      upload.value = "";
    });
    const files = panel("Files", { class: "panel-flush files" }, this.tree.root, this.#editorBox);
    files.tools.append(
      button("New", () => this.#make()),
      button("Upload", () => upload.click()),
      button("Download", () => this.#download()),
      button("Delete", () => this.#delete()),
      upload,
    );
    this.root = files.root;
  }

  /** Puts files of the visitor's machine into the file system; answers their paths. */
  async take(files: Iterable<File>): Promise<string[]> {
    const paths: string[] = [];
    for (const file of files) {
      const path = `${this.tree.directory === "/" ? "" : this.tree.directory}/${file.name}`;
      this.#fs.writeFile(path, new Uint8Array(await file.arrayBuffer()));
      paths.push(path);
    }
    this.tree.refresh();
    return paths;
  }

  open(path: string): void {
    const bytes = this.#fs.readFile(path);
    this.tree.select(path);
    if (bytes.length > EDITABLE || bytes.includes(0)) {
      this.close();
      this.tree.select(path);
      return;
    }
    this.#known = new TextDecoder().decode(bytes);
    this.#open = path;
    this.#name.textContent = path;
    this.#editorBox.hidden = false;
    this.#editor.open(this.#known, languageOf(path));
    this.#showState();
  }

  close(): void {
    this.#open = undefined;
    this.#editorBox.hidden = true;
    this.tree.select(undefined);
  }

  save(): void {
    if (this.#open === undefined) return;
    this.#known = this.#editor.text;
    try {
      this.#fs.writeFile(this.#open, this.#known);
      this.#showState("saved");
    } catch (error) {
      this.#showState(messageOf(error));
    }
    this.tree.refresh();
  }

  #showState(word?: string): void {
    const edited = this.#editor.text !== this.#known;
    this.#save.disabled = !edited;
    this.#status.textContent =
      word ?? (edited ? "edited" : size(new TextEncoder().encode(this.#known).length));
  }

  /** Follows what a program does to the open file, unless the visitor is at work in it. */
  #onChange(changed: ReadonlySet<string>): void {
    const path = this.#open;
    if (path === undefined || !changed.has(path)) return;
    if (!this.#fs.exists(path)) {
      this.close();
      return;
    }
    const now = this.#fs.readFile(path, "utf8");
    if (now === this.#known) return;
    if (this.#editor.text === this.#known) {
      this.#known = now;
      this.#editor.open(now);
      this.#showState("changed by a program");
    } else {
      this.#showState("changed by a program too: Save keeps yours");
    }
  }

  #make(): void {
    const name = prompt("Name of the new file; end it with / for a directory", "notes.txt")?.trim();
    if (!name) return;
    const path = name.startsWith("/")
      ? name
      : `${this.tree.directory === "/" ? "" : this.tree.directory}/${name}`;
    try {
      if (path.endsWith("/")) {
        this.#fs.mkdir(path.slice(0, -1), { recursive: true });
      } else {
        if (!this.#fs.exists(path)) this.#fs.writeFile(path, "");
        this.open(path);
      }
      this.tree.refresh();
    } catch (error) {
      alert(messageOf(error));
    }
  }

  #download(): void {
    const path = this.tree.focused;
    if (!this.#fs.exists(path) || this.#fs.stat(path).kind !== "file") return;
    const url = URL.createObjectURL(new Blob([this.#fs.readFile(path).slice()]));
    h("a", { href: url, download: baseName(path) }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  #delete(): void {
    const path = this.tree.focused;
    if (path === "/home" || path === "/tmp" || !confirm(`Delete ${path}?`)) return;
    this.#fs.remove(path, { recursive: true });
    this.tree.refresh();
  }
}
