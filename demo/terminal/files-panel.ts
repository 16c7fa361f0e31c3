import type { VirtualFileSystem } from "wasmex";
import { button, enable, h, panel } from "../ui/dom.js";
import { messageOf, size } from "../ui/text.js";
import { FileEditor } from "./file-editor.js";
import { Question } from "./question.js";
import { baseName } from "./streams.js";
import { tarOf } from "./tar.js";
import { FileTree } from "./tree.js";

/** What programs expect to be there. */
const LASTING = ["/home", "/tmp"];

const inside = (directory: string, name: string): string => `${directory === "/" ? "" : directory}/${name}`;

function save(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The file tree with an editor below it, both live. */
export class FilesPanel {
  readonly root: HTMLElement;
  readonly tree: FileTree;
  readonly #fs: VirtualFileSystem;
  readonly #editor: FileEditor;
  readonly #question = new Question(() => this.tree.focus());
  /** What was done, or why something could not be. */
  readonly #note = h("p", { class: "files-note", role: "status" });
  readonly #download: HTMLButtonElement;
  readonly #delete: HTMLButtonElement;

  constructor(fs: VirtualFileSystem, onProgram: (path: string) => void) {
    this.#fs = fs;
    this.#download = button("Download", () => this.#save(), { "data-tool": "download" });
    this.#delete = button("Delete", () => this.#askDelete(), { "data-tool": "delete" });
    this.#editor = new FileEditor(fs, {
      onSaved: () => this.tree.refresh(),
      onClose: () => this.#leave(() => this.#close()),
    });
    this.tree = new FileTree(fs, {
      onOpen: (path) => this.open(path),
      onChange: (changed) => {
        if (this.#editor.follow(changed)) this.tree.select(undefined);
      },
      onFocus: (path, directory) => this.#showTools(path, directory),
      onDelete: () => this.#askDelete(),
    });
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
    const files = panel(
      "Files",
      { class: "panel-flush files" },
      this.#question.root,
      this.#note,
      this.tree.root,
      this.#editor.root,
    );
    files.tools.append(
      button("New", () => this.#askNew(), { "data-tool": "new" }),
      button("Upload", () => upload.click(), { "data-tool": "upload" }),
      this.#download,
      this.#delete,
      upload,
    );
    this.root = files.root;
  }

  /** Puts files of the visitor's machine into the file system; answers their paths. */
  async take(files: Iterable<File>): Promise<string[]> {
    const paths: string[] = [];
    const { directory } = this.tree;
    let bytes = 0;
    // The list of an input is emptied with it, and so is copied first.
    for (const file of [...files]) {
      const path = inside(directory, file.name);
      try {
        const content = new Uint8Array(await file.arrayBuffer());
        this.#fs.writeFile(path, content);
        bytes += content.length;
        paths.push(path);
      } catch (error) {
        this.#tell(`${file.name} could not be taken: ${messageOf(error)}`);
        this.tree.refresh();
        return paths;
      }
    }
    const what = paths.length === 1 ? baseName(paths[0] ?? "") : `${paths.length} files`;
    if (paths.length > 0) this.#tell(`Put ${what} into ${directory}, ${size(bytes)}.`);
    this.tree.refresh();
    return paths;
  }

  open(path: string): void {
    if (path === this.#editor.path) return;
    this.#leave(() => {
      const why = this.#editor.open(path);
      this.tree.select(path, why === undefined);
      this.#tell(why ?? "");
    });
  }

  /** Goes on at once, or once the visitor has said what becomes of the edits. */
  #leave(next: () => void): void {
    const { path, isEdited } = this.#editor;
    const go = (): void => {
      this.#question.close();
      next();
    };
    if (path === undefined || !isEdited) {
      go();
      return;
    }
    this.#question.ask({
      text: `${path} has edits that are not saved.`,
      answers: [
        {
          label: "Save",
          act: () => {
            const fault = this.#editor.save();
            if (fault !== undefined) throw new Error(fault);
            go();
          },
        },
        { label: "Discard", act: go },
      ],
    });
  }

  #close(): void {
    this.#editor.close();
    this.tree.select(undefined);
    this.tree.focus();
  }

  #tell(text: string): void {
    this.#note.textContent = text;
  }

  #showTools(path: string, directory: boolean): void {
    this.#download.title = directory ? `${path} as a .tar file` : path;
    this.#delete.title = LASTING.includes(path) ? `${path} has to stay` : path;
    enable(this.#delete, !LASTING.includes(path));
  }

  #askNew(): void {
    this.#tell("");
    const { directory } = this.tree;
    this.#question.ask({
      text: `New file in ${directory}`,
      field: "notes.txt",
      hint: "With / at its end it becomes a directory.",
      answers: [{ label: "Create", act: (name) => this.#make(directory, name) }],
    });
  }

  #make(directory: string, name: string): void {
    const path = (name.startsWith("/") ? name : inside(directory, name)).replace(/\/+$/, "");
    if (path === "" || name === "") throw new Error("It needs a name.");
    if (this.#fs.exists(path)) throw new Error(`${path} is there already.`);
    if (name.endsWith("/")) {
      this.#fs.mkdir(path, { recursive: true });
      this.tree.refresh();
      this.#question.close();
      this.tree.select(path, false);
      this.tree.focus();
      return;
    }
    this.#fs.writeFile(path, "");
    this.tree.refresh();
    this.#question.close();
    this.open(path);
    if (this.#editor.path === path) this.#editor.focus();
  }

  #save(): void {
    const path = this.tree.focused;
    try {
      if (this.tree.isDirectory(path)) save(`${baseName(path) || "files"}.tar`, tarOf(this.#fs, path));
      else save(baseName(path), new Blob([this.#fs.readFile(path).slice()]));
      this.#tell(
        path === this.#editor.path && this.#editor.isEdited ? "Downloaded as it was last saved." : "",
      );
    } catch (error) {
      this.#tell(messageOf(error));
    }
  }

  #askDelete(): void {
    const path = this.tree.focused;
    if (LASTING.includes(path) || !this.#fs.exists(path)) return;
    this.#tell("");
    this.#question.ask({
      text: this.tree.isDirectory(path) ? `Delete ${path} and all that is in it?` : `Delete ${path}?`,
      answers: [
        {
          label: "Delete it",
          act: () => {
            this.#fs.remove(path, { recursive: true });
            const { path: open } = this.#editor;
            if (open === path || open?.startsWith(`${path}/`)) this.#editor.close();
            this.#question.close();
            this.tree.refresh();
            this.tree.focus();
            this.#tell(`${path} is gone.`);
          },
        },
      ],
    });
  }
}
