import type { VirtualFileSystem } from "wasmex";
import { h } from "../ui/dom.js";
import { size } from "../ui/text.js";

interface Entry {
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  readonly directory: boolean;
  readonly bytes: number;
  readonly stamp: bigint;
}

/** Milliseconds between two looks at the file system. */
const LOOK = 300;
/** More than this many entries are not shown. */
const LIMIT = 400;
/** Milliseconds that a changed file stays marked. */
const MARKED = 1200;

export interface TreeEvents {
  onOpen(path: string): void;
  /** Told of the paths that are there, whenever one came, went or changed. */
  onChange(changed: ReadonlySet<string>): void;
  /** Told of the entry that the keyboard is at now. */
  onFocus(path: string, directory: boolean): void;
  /** The Delete key on that entry. */
  onDelete(): void;
}

/** The files of a virtual file system, as they are at this moment. */
export class FileTree {
  readonly root = h("ul", { class: "tree", role: "tree", "aria-label": "Files" });
  readonly #fs: VirtualFileSystem;
  readonly #events: TreeEvents;
  readonly #closed = new Set<string>(["/tmp"]);
  readonly #marked = new Map<string, number>();
  #entries: Entry[] = [];
  #stamps = new Map<string, bigint>();
  #focused = "/home";
  #timer: ReturnType<typeof setInterval> | undefined;
  selected: string | undefined;

  constructor(fs: VirtualFileSystem, events: TreeEvents) {
    this.#fs = fs;
    this.#events = events;
    this.root.addEventListener("keydown", (event) => this.#onKey(event));
    this.refresh();
    this.#marked.clear();
    this.#draw();
  }

  show(): void {
    this.#timer ??= setInterval(() => this.refresh(), LOOK);
  }

  hide(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The directory that new files go to: the one that has the focus, or the one of the file that has. */
  get directory(): string {
    const entry = this.#entries.find((one) => one.path === this.#focused);
    if (entry === undefined) return "/home";
    return entry.directory ? entry.path : entry.path.slice(0, entry.path.lastIndexOf("/")) || "/";
  }

  get focused(): string {
    return this.#focused;
  }

  isDirectory(path: string): boolean {
    return this.#entries.find((one) => one.path === path)?.directory ?? false;
  }

  /** Goes to that entry, as the open one or just so; nothing is open with `undefined`. */
  select(path: string | undefined, isOpen = true): void {
    this.selected = isOpen ? path : undefined;
    if (path !== undefined) {
      this.#focused = path;
      // What is in a closed directory could not be seen.
      for (const closed of this.#closed) if (path.startsWith(`${closed}/`)) this.#closed.delete(closed);
    }
    this.#draw();
  }

  focus(): void {
    this.#focusItem();
  }

  /** Looks at the file system; draws only what changed. */
  refresh(): void {
    const entries: Entry[] = [];
    const stamps = new Map<string, bigint>();
    this.#walk("/", 0, entries, stamps);
    const changed = new Set<string>();
    for (const [path, stamp] of stamps) if (this.#stamps.get(path) !== stamp) changed.add(path);
    for (const path of this.#stamps.keys()) if (!stamps.has(path)) changed.add(path);
    const now = performance.now();
    let faded = false;
    for (const [path, until] of this.#marked) {
      if (until > now) continue;
      this.#marked.delete(path);
      faded = true;
    }
    if (changed.size === 0 && !faded) return;
    for (const path of changed) this.#marked.set(path, now + MARKED);
    this.#entries = entries;
    this.#stamps = stamps;
    this.#draw();
    if (changed.size > 0) this.#events.onChange(changed);
  }

  #walk(directory: string, depth: number, entries: Entry[], stamps: Map<string, bigint>): void {
    for (const name of this.#fs.readdir(directory)) {
      if (stamps.size >= LIMIT) return;
      const path = directory === "/" ? `/${name}` : `${directory}/${name}`;
      let stat: ReturnType<VirtualFileSystem["stat"]>;
      try {
        stat = this.#fs.stat(path, { followSymlinks: false });
      } catch {
        // A guest may remove a file between the two looks.
        continue;
      }
      const isDirectory = stat.kind === "directory";
      // A directory changes with every file in it: that is told by the file.
      const stamp = isDirectory ? -1n : stat.modified * 4096n + BigInt(stat.size);
      stamps.set(path, stamp);
      entries.push({ path, name, depth, directory: isDirectory, bytes: stat.size, stamp });
      if (isDirectory) this.#walk(path, depth + 1, entries, stamps);
    }
  }

  #visible(): Entry[] {
    return this.#entries.filter(({ path }) => {
      for (const closed of this.#closed) if (path.startsWith(`${closed}/`)) return false;
      return true;
    });
  }

  #draw(): void {
    const hadFocus = this.root.contains(document.activeElement);
    const visible = this.#visible();
    this.#keepFocused(visible);
    this.root.replaceChildren(
      ...visible.map((entry) => {
        const open = entry.directory ? !this.#closed.has(entry.path) : undefined;
        return h(
          "li",
          {
            role: "treeitem",
            class: this.#marked.has(entry.path) ? "tree-item tree-changed" : "tree-item",
            style: `--depth: ${entry.depth}`,
            tabindex: entry.path === this.#focused ? 0 : -1,
            "data-path": entry.path,
            "data-kind": entry.directory ? "directory" : entry.name.endsWith(".wasm") ? "program" : "file",
            "aria-level": entry.depth + 1,
            "aria-expanded": open === undefined ? undefined : String(open),
            "aria-selected": String(entry.path === this.selected),
            onclick: () => this.#activate(entry),
          },
          h("span", { class: "tree-name" }, entry.name),
          !entry.directory && h("span", { class: "tree-size number" }, size(entry.bytes)),
        );
      }),
    );
    if (hadFocus) this.#focusItem();
    this.#events.onFocus(this.#focused, this.isDirectory(this.#focused));
  }

  /** Where the entry with the focus has gone, its directory gets it. */
  #keepFocused(visible: readonly Entry[]): void {
    const isThere = (path: string): boolean => visible.some((entry) => entry.path === path);
    while (this.#focused !== "" && !isThere(this.#focused))
      this.#focused = this.#focused.slice(0, this.#focused.lastIndexOf("/"));
    if (this.#focused === "") this.#focused = visible[0]?.path ?? "/";
  }

  #focusItem(): void {
    this.root.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }

  #activate(entry: Entry): void {
    this.#focused = entry.path;
    if (!entry.directory) {
      this.#events.onOpen(entry.path);
      return;
    }
    if (!this.#closed.delete(entry.path)) this.#closed.add(entry.path);
    this.#draw();
    this.#focusItem();
  }

  #onKey(event: KeyboardEvent): void {
    const visible = this.#visible();
    const at = visible.findIndex((entry) => entry.path === this.#focused);
    const entry = visible[at];
    if (entry === undefined) return;
    const focus = (next: Entry | undefined): void => {
      if (next === undefined) return;
      this.#focused = next.path;
      this.#draw();
    };
    const isOpen = entry.directory && !this.#closed.has(entry.path);
    switch (event.key) {
      case "ArrowDown":
        focus(visible[at + 1]);
        break;
      case "ArrowUp":
        focus(visible[at - 1]);
        break;
      case "Home":
        focus(visible[0]);
        break;
      case "End":
        focus(visible.at(-1));
        break;
      case "ArrowRight":
        if (entry.directory && !isOpen) this.#activate(entry);
        else if (isOpen) focus(visible[at + 1]);
        break;
      case "ArrowLeft":
        if (isOpen) this.#activate(entry);
        else
          focus(
            visible
              .slice(0, at)
              .reverse()
              .find((one) => one.depth < entry.depth),
          );
        break;
      case "Delete":
        this.#events.onDelete();
        break;
      case "Enter":
      case " ":
        this.#activate(entry);
        break;
      default:
        return;
    }
    event.preventDefault();
  }
}
