import { WasmexError } from "../errors.js";
import { platform } from "../platform.js";
import { classOf, imageOf, toBytes, viewOf } from "../source-bytes.js";
import { decodeText, encodeText } from "../text.js";
import { describeValue } from "../values.js";
import { type Backend, FILETYPE_DIRECTORY, FILETYPE_SYMBOLIC_LINK, Filestat } from "./contract.js";
import { makeDirectories } from "./directories.js";
import {
  ERRNO_BUSY,
  ERRNO_EXIST,
  ERRNO_INVAL,
  ERRNO_ISDIR,
  ERRNO_NOENT,
  ERRNO_NOTDIR,
  ERRNO_XDEV,
} from "./errno.js";
import { fileSystemError } from "./host-errors.js";
import { emptyDirectory, type FileContent, isBackend, rawNamesIn, readAll, writeAll } from "./host-files.js";
import { type FileStat, fileStat } from "./host-stat.js";
import { MemoryBackend } from "./memory-backend.js";
import { MountTable } from "./mounts.js";
import { FOLLOW_ALWAYS, FOLLOW_NEVER, FOLLOW_SLASH } from "./paths.js";
import { shimBackend } from "./shim.js";
import { packTree, unpackTree } from "./snapshot.js";
import { Walk } from "./walk.js";

/** Files and directories by name. A name may be a path; directories on the way are made. */
export interface Tree {
  readonly [name: string]: FileContent | Tree;
}

/** How a file system is made. */
export interface FileSystemOptions {
  /**
   * How many bytes it may take, each file and directory rounded up to a power of two. Without a limit it may grow to 2 GiB,
   * or to 1 GiB (in WebKit and Bun 256 MiB) from when a guest on another thread uses it.
   */
  readonly limit?: number | undefined;
  /** A file system to use in place of a new one in memory. */
  readonly root?: Backend | undefined;
}

/**
 * A tree of files that guests and the host share: in memory, with other file systems mounted in it. Everything is synchronous,
 * and on which thread a guest runs makes no difference. Paths are absolute, links on them are followed, and nothing leads
 * out of the tree.
 *
 * Every method throws `FileSystemError` with a `code` such as `ENOENT`.
 *
 * @example
 * const fs = new VirtualFileSystem({ "/in.txt": "text", "/bin": { run: bytes } });
 * fs.writeFile("/out.txt", "more");
 * fs.readFile("/out.txt", "utf8"); // "more"
 */
export class VirtualFileSystem {
  /** For the parts that resolve a guest's paths. @internal */
  readonly mounts: MountTable;
  readonly #walk = new Walk(true);

  constructor(tree: Tree = {}, options: FileSystemOptions = {}) {
    this.mounts = new MountTable(options.root ?? new MemoryBackend(options));
    this.#plant("", tree);
  }

  /** Has frameworks that wrap plain objects in proxies (Vue, Alpine) leave it as it is: through one its private fields can't be reached. @internal */
  get [Symbol.toStringTag](): string {
    return "VirtualFileSystem";
  }

  /**
   * The directory of the host itself, not a copy: what is written goes there. Only where the platform has directories.
   *
   * @param path from the working directory of now on, or a `file:` URL
   * @throws UnsupportedError in browsers; WasmexError where there is no such directory
   */
  static fromDirectory(path: string | URL): VirtualFileSystem {
    return new VirtualFileSystem({}, { root: platform().openDirectory(path) });
  }

  /**
   * A new file system with what `snapshot` kept.
   *
   * @throws WasmexError when the bytes were cut, altered or are something else
   */
  static fromSnapshot(bytes: Uint8Array | ArrayBuffer): VirtualFileSystem {
    const root = new MemoryBackend();
    unpackTree(root, imageOf(bytes).bytes);
    return new VirtualFileSystem({}, { root });
  }

  /**
   * The whole tree in one buffer: files, links of both kinds, access and modification times. The same tree gives the same bytes.
   * What is mounted in it is left out; its place is kept.
   */
  snapshot(): Uint8Array<ArrayBuffer> {
    return packTree(this.mounts.root);
  }

  /**
   * A copy of the file's content, or its text (UTF-8, broken sequences become U+FFFD).
   *
   * @throws WasmexError for another encoding: decode the bytes with a `TextDecoder`
   */
  readFile(path: string): Uint8Array<ArrayBuffer>;
  readFile(path: string, encoding: "utf8" | "utf-8"): string;
  readFile(path: string, encoding?: "utf8" | "utf-8"): Uint8Array<ArrayBuffer> | string {
    if (encoding !== undefined && !["utf8", "utf-8"].includes(encoding))
      throw new WasmexError(`readFile: the encoding is "utf8" or left out, not ${describeValue(encoding)}`);
    const bytes = this.#at(path, "readFile", FOLLOW_ALWAYS, (walk) => {
      if (walk.node === 0) {
        return -ERRNO_NOENT;
      }
      return walk.filetype === FILETYPE_DIRECTORY ? -ERRNO_ISDIR : readAll(walk.backend, walk.node);
    });
    return encoding === undefined ? bytes : decodeText(bytes);
  }

  /** Replaces the file's content, or makes the file. The directory that it is in must be there. */
  writeFile(path: string, content: FileContent): void {
    const bytes = toBytes(content);
    this.#at(path, "writeFile", FOLLOW_ALWAYS, (walk) => {
      const { backend } = walk;
      if (walk.node === 0 && walk.slash) {
        return -ERRNO_ISDIR;
      }
      const node =
        walk.node === 0 ? backend.create(walk.directory, walk.bytes, walk.start, walk.end) : walk.node;
      if (node < 0) {
        return node;
      }
      return backend.filetype(node) === FILETYPE_DIRECTORY ? -ERRNO_ISDIR : writeAll(backend, node, bytes);
    });
  }

  /** Makes a directory; with `recursive` also those above it, and one that is there already is fine. */
  mkdir(path: string, { recursive = false }: { readonly recursive?: boolean | undefined } = {}): void {
    const result =
      recursive && path !== ""
        ? makeDirectories(this.mounts, path)
        : this.#try(path, FOLLOW_NEVER, (walk) =>
            walk.node === 0
              ? walk.backend.mkdir(walk.directory, walk.bytes, walk.start, walk.end)
              : -ERRNO_EXIST,
          );
    if (result < 0) {
      throw fileSystemError(result, "mkdir", path);
    }
  }

  /** The names in a directory, sorted by their code units. */
  readdir(path: string): string[] {
    const names = this.#at(path, "readdir", FOLLOW_ALWAYS, (walk) => {
      if (walk.node === 0) {
        return -ERRNO_NOENT;
      }
      return walk.filetype === FILETYPE_DIRECTORY ? rawNamesIn(walk.backend, walk.node) : -ERRNO_NOTDIR;
    });
    return names.map((name) => decodeText(name)).sort();
  }

  /** What is at the path; with `followSymlinks: false` a link as its last name is told of itself. */
  stat(
    path: string,
    { followSymlinks = true }: { readonly followSymlinks?: boolean | undefined } = {},
  ): FileStat {
    const stat = new Filestat();
    this.#at(path, "stat", followSymlinks ? FOLLOW_ALWAYS : FOLLOW_SLASH, (walk) =>
      walk.node === 0 ? -ERRNO_NOENT : walk.backend.stat(walk.node, stat),
    );
    return fileStat(stat);
  }

  /** Whether the path leads to something. */
  exists(path: string): boolean {
    return this.#try(path, FOLLOW_ALWAYS, (walk) => walk.node !== 0) === true;
  }

  /** Moves a file, link or directory, over what is at `to` as POSIX has it. Both must be on one file system. */
  rename(from: string, to: string): void {
    const source = this.#walk;
    const target = new Walk(true);
    let result = source.resolvePath(this.mounts, from, FOLLOW_NEVER);
    try {
      if (result >= 0) {
        result = source.node === 0 ? -ERRNO_NOENT : source.named && !source.mounted ? 0 : -ERRNO_BUSY;
      }
      if (result < 0) {
        throw fileSystemError(result, "rename", from);
      }
      source.keep();
      result = target.resolvePath(this.mounts, to, FOLLOW_NEVER);
      if (result >= 0) {
        result = !target.named || target.mounted ? -ERRNO_BUSY : 0;
      }
      if (result >= 0 && source.backend !== target.backend) {
        result = -ERRNO_XDEV;
      }
      if (result >= 0) {
        result = target.backend.rename(
          source.directory,
          source.bytes,
          source.start,
          source.end,
          target.directory,
          target.bytes,
          target.start,
          target.end,
        );
      }
      if (result < 0) {
        throw fileSystemError(result, "rename", to);
      }
    } finally {
      target.leave();
      source.leave();
    }
  }

  /** Removes a file, a link (never what it leads to) or an empty directory; with `recursive` a directory and all in it. */
  remove(path: string, { recursive = false }: { readonly recursive?: boolean | undefined } = {}): void {
    this.#at(path, "remove", FOLLOW_NEVER, (walk) => {
      if (walk.node === 0) {
        return -ERRNO_NOENT;
      }
      if (!walk.named || walk.mounted) {
        return -ERRNO_BUSY;
      }
      const { backend, directory, bytes, start, end } = walk;
      if (walk.filetype !== FILETYPE_DIRECTORY) {
        return walk.slash ? -ERRNO_NOTDIR : backend.unlink(directory, bytes, start, end);
      }
      const emptied = recursive ? emptyDirectory(backend, walk.node, this.mounts) : 0;
      return emptied < 0 ? emptied : backend.rmdir(directory, bytes, start, end);
    });
  }

  /** Makes a symbolic link at `path` that leads to `target`; an absolute target starts at this file system's root. */
  symlink(target: string, path: string): void {
    this.#at(path, "symlink", FOLLOW_NEVER, (walk) =>
      walk.node !== 0
        ? -ERRNO_EXIST
        : walk.backend.symlink(walk.directory, walk.bytes, walk.start, walk.end, encodeText(target)),
    );
  }

  /** Where a symbolic link leads, as it was given. */
  readlink(path: string): string {
    const target = this.#at(path, "readlink", FOLLOW_SLASH, (walk) => {
      if (walk.node === 0) {
        return -ERRNO_NOENT;
      }
      return walk.filetype === FILETYPE_SYMBOLIC_LINK ? walk.backend.readlink(walk.node) : -ERRNO_INVAL;
    });
    return decodeText(target);
  }

  /**
   * Shows another file system at `path`, over what is there; a directory (or file) is made where nothing is.
   * Guests that are running on another thread don't see it.
   *
   * @param backend a `Backend`, another `VirtualFileSystem` (without what is mounted in it), or a `Directory`, `File` or `Fd`
   *   of `@bjorn3/browser_wasi_shim`
   */
  mount(path: string, backend: unknown): void {
    const mounted =
      backend instanceof VirtualFileSystem
        ? backend.mounts.root.backend
        : isBackend(backend)
          ? backend
          : shimBackend(backend);
    if (mounted === undefined) {
      throw new WasmexError(
        `${JSON.stringify(path)}: what is to be mounted is neither a Backend nor an object of browser_wasi_shim`,
      );
    }
    mounted.begin();
    let filetype: number;
    try {
      filetype = mounted.filetype(mounted.openRoot());
    } finally {
      mounted.end();
    }
    if (!this.exists(path)) {
      if (filetype === FILETYPE_DIRECTORY) {
        this.mkdir(path, { recursive: true });
      } else {
        this.#makeAbove(path);
        this.writeFile(path, "");
      }
    }
    this.#at(path, "mount", FOLLOW_ALWAYS, (walk) => {
      if ((walk.filetype === FILETYPE_DIRECTORY) !== (filetype === FILETYPE_DIRECTORY)) {
        return filetype === FILETYPE_DIRECTORY ? -ERRNO_NOTDIR : -ERRNO_ISDIR;
      }
      this.mounts.add({ backend: walk.backend, node: walk.node }, mounted, path);
      return 0;
    });
  }

  #makeAbove(path: string): void {
    const above = path.replace(/\/*$/, "").replace(/[^/]*$/, "");
    if (above !== "" && above !== "/") {
      this.mkdir(above, { recursive: true });
    }
  }

  /** @param deep whether directories on the way to `above` may be missing */
  #plant(above: string, tree: Tree, deep = false): void {
    if (classOf(tree) !== "Object") {
      throw new WasmexError(
        `${JSON.stringify(above || "/")}: pass text, bytes or an object of files, not ${describeValue(tree)}`,
      );
    }
    if (above !== "") this.mkdir(above, { recursive: deep || this.exists(above) });
    for (const [name, content] of Object.entries(tree)) {
      const below = name.replace(/^\/+/, "");
      const path = `${above}/${below}`;
      const isPath = below.includes("/");
      if (typeof content === "string" || viewOf(content) !== undefined) {
        if (isPath) this.#makeAbove(path);
        this.writeFile(path, content as FileContent);
      } else if (isBackend(content) || shimBackend(content) !== undefined) {
        this.mount(path, content);
      } else {
        this.#plant(path, content as Tree, isPath);
      }
    }
  }

  /** Answers what `use` does with the place that the path leads to, or the errno by which it doesn't. */
  #try<T>(path: string, follow: number, use: (walk: Walk) => T): T | number {
    const walk = this.#walk;
    try {
      const result = walk.resolvePath(this.mounts, path, follow);
      if (result < 0) return result;
      const { node, slash, filetype } = walk;
      // What is to be there already; where something is made, each operation has its own rules.
      const isFile = node !== 0 && slash && filetype !== FILETYPE_DIRECTORY;
      return isFile && follow !== FOLLOW_NEVER ? -ERRNO_NOTDIR : use(walk);
    } finally {
      walk.leave();
    }
  }

  /** The same, throwing where the answer is a negated errno. */
  #at<T>(
    path: string,
    operation: string,
    follow: number,
    use: (walk: Walk) => T | number,
  ): Exclude<T, number> {
    const result = this.#try(path, follow, use);
    if (typeof result === "number" && result < 0) {
      throw fileSystemError(result, operation, path);
    }
    return result as Exclude<T, number>;
  }
}
