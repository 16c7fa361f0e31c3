import { encodeText } from "../text.js";
import {
  type Backend,
  FILETYPE_DIRECTORY,
  FILETYPE_SYMBOLIC_LINK,
  type Node,
  type Result,
} from "./contract.js";
import {
  ERRNO_ILSEQ,
  ERRNO_INVAL,
  ERRNO_LOOP,
  ERRNO_NAMETOOLONG,
  ERRNO_NOENT,
  ERRNO_NOTDIR,
  ERRNO_PERM,
} from "./errno.js";
import type { MountTable } from "./mounts.js";
import { DOT, FOLLOW_ALWAYS, FOLLOW_SLASH, LINKS_MAX, NAME_MAX, PATH_MAX, SLASH } from "./paths.js";
import { validUtf8Until } from "./utf8.js";

/**
 * Resolves paths, one component after the other, above the backends. It never leaves the directory it starts from: `..`
 * above it, an absolute path and a link to either are `-ERRNO_PERM`. The path is copied first, so that nobody can change
 * it between the check and the use.
 *
 * One object serves any number of walks, one at a time: `load`, `resolve`, use the results, `leave`.
 */
export class Walk {
  /** Of what was found; begun until `leave`. */
  backend!: Backend;
  /** The directory that has the last name, or would have it. */
  directory: Node = 0;
  /** What the path stands for; 0 where its last name doesn't exist. */
  node: Node = 0;
  filetype = 0;
  /** The last name is `bytes[start, end)`. */
  bytes: Uint8Array = new Uint8Array(PATH_MAX);
  start = 0;
  end = 0;
  /** False where the path ends in `.` or `..` and so has no last name. */
  named = false;
  /** A slash follows the last name. */
  slash = false;
  /** Another file system is mounted there. */
  mounted = false;

  #length = 0;
  #spare: Uint8Array | undefined;
  #begun: Backend | undefined;
  readonly #rooted: boolean;
  readonly #nodes: Node[] = [];
  readonly #backends: Backend[] = [];
  /** What is retained while another backend is begun, as pairs. */
  readonly #retained: { backend: Backend; node: Node }[] = [];

  /** @param rooted for the host's own paths, never a guest's: the start is `/` to links, and its own `..` */
  constructor(rooted = false) {
    this.#rooted = rooted;
  }

  /** Copies a path of that many bytes. `-ERRNO_INVAL` for a NUL, `-ERRNO_ILSEQ` for what is no UTF-8. */
  load(source: Uint8Array, pointer: number, length: number): Result {
    if (length > PATH_MAX) return -ERRNO_NAMETOOLONG;
    const bytes = this.bytes;
    let all = 0;
    let zero = false;
    for (let index = 0; index < length; index++) {
      const byte = source[pointer + index] as number;
      bytes[index] = byte;
      all |= byte;
      if (byte === 0) zero = true;
    }
    if (zero) return -ERRNO_INVAL;
    if (all >= 0x80 && validUtf8Until(bytes, 0, length) !== length) return -ERRNO_ILSEQ;
    this.#length = length;
    return 0;
  }

  /** The path that was loaded: a copy of its bytes. */
  loaded(): Uint8Array {
    return this.bytes.slice(0, this.#length);
  }

  /** Resolves a path that the host gave, in the whole tree whatever it begins with. */
  resolvePath(mounts: MountTable, path: string, follow: number): Result {
    if (path === "") return -ERRNO_NOENT;
    const bytes = encodeText(path.replace(/^\/+/, "") || ".");
    const loaded = this.load(bytes, 0, bytes.length);
    return loaded < 0 ? loaded : this.resolve(mounts, mounts.top.backend, mounts.top.node, follow);
  }

  /** Resolves the path from that directory on. Answers 0, with `node` 0 where only the last name is missing. */
  resolve(mounts: MountTable, start: Backend, directory: Node, follow: number): Result {
    const length = this.#length;
    if (length === 0) return -ERRNO_NOENT;
    if (this.bytes[0] === SLASH) return -ERRNO_PERM;
    this.#begin(start);
    return this.#steps(mounts, directory, follow);
  }

  /** Ends the walk: nodes that it found are no longer valid. */
  leave(): void {
    const begun = this.#begun;
    if (begun !== undefined) {
      this.#begun = undefined;
      begun.end();
    }
    if (this.#retained.length > 0) this.#release();
  }

  /**
   * Ends the hold on the backend but keeps `directory` and `node` valid until `leave`: for operations with two paths, as
   * only one backend may be held at a time.
   */
  keep(): void {
    const backend = this.backend;
    // Of a mount point the directory is in another backend, and of no use: it can be neither moved nor linked.
    if (!this.mounted) this.#retain(backend, this.directory);
    if (this.node > 0) this.#retain(backend, this.node);
    this.#begun = undefined;
    backend.end();
  }

  #steps(mounts: MountTable, from: Node, follow: number): Result {
    const nodes = this.#nodes;
    const backends = this.#backends;
    let backend = this.backend;
    let directory = from;
    let depth = 0;
    let links = 0;
    let at = 0;
    this.mounted = false;
    for (;;) {
      const bytes = this.bytes;
      const length = this.#length;
      const start = at;
      while (at < length && bytes[at] !== SLASH) at++;
      const end = at;
      while (at < length && bytes[at] === SLASH) at++;
      const last = at === length;
      const size = end - start;
      if (bytes[start] === DOT && (size === 1 || (size === 2 && bytes[start + 1] === DOT))) {
        if (size === 2) {
          if (depth === 0) {
            if (!this.#rooted) return -ERRNO_PERM;
          } else {
            depth--;
            directory = nodes[depth] as Node;
            const above = backends[depth] as Backend;
            if (above !== backend) backend = this.#cross(above, depth);
          }
        }
        if (!last) continue;
        this.directory = directory;
        this.node = directory;
        this.filetype = FILETYPE_DIRECTORY;
        this.named = false;
        this.slash = at > end;
        return 0;
      }
      if (size > NAME_MAX) return -ERRNO_NAMETOOLONG;
      let node = backend.lookup(directory, bytes, start, end);
      if (node < 0) {
        if (!last || node !== -ERRNO_NOENT) return node;
        this.#found(directory, 0, start, end, at > end);
        return 0;
      }
      let mount = mounts.mountAt(backend, node);
      const mounted = mount !== undefined;
      if (mounted) {
        nodes[depth] = directory;
        backends[depth] = backend;
      }
      // What is mounted may be mounted over.
      for (; mount !== undefined; mount = mounts.mountAt(backend, node)) {
        backend = this.#cross(mount.backend, depth + 1);
        node = mount.node;
      }
      const filetype = backend.filetype(node);
      if (filetype < 0) return filetype;
      if (
        filetype === FILETYPE_SYMBOLIC_LINK &&
        (!last || follow === FOLLOW_ALWAYS || (follow === FOLLOW_SLASH && at > end))
      ) {
        if (++links > LINKS_MAX) return -ERRNO_LOOP;
        const target = backend.readlink(node);
        if (typeof target === "number") return target;
        if (target[0] === SLASH && this.#rooted) {
          depth = 0;
          directory = from;
          if (backend !== mounts.top.backend) backend = this.#cross(mounts.top.backend, 0);
        }
        const spliced = this.#splice(target, end);
        if (spliced < 0) return spliced;
        at = 0;
        continue;
      }
      if (last) {
        this.filetype = filetype;
        this.mounted = mounted;
        this.#found(directory, node, start, end, at > end);
        return 0;
      }
      if (filetype !== FILETYPE_DIRECTORY) return -ERRNO_NOTDIR;
      if (!mounted) {
        nodes[depth] = directory;
        backends[depth] = backend;
      }
      depth++;
      directory = node;
    }
  }

  #found(directory: Node, node: Node, start: number, end: number, slash: boolean): void {
    this.directory = directory;
    this.node = node;
    this.start = start;
    this.end = end;
    this.named = true;
    this.slash = slash;
  }

  /** Puts a link's target in the place of the path up to `end`. */
  #splice(target: Uint8Array, end: number): Result {
    const rest = this.#length - end;
    const size = target.length;
    if (size === 0) return -ERRNO_NOENT;
    if (target[0] === SLASH) {
      if (!this.#rooted) return -ERRNO_PERM;
      let slashes = 1;
      while (target[slashes] === SLASH) slashes++;
      return this.#splice(slashes < size ? target.subarray(slashes) : Uint8Array.of(DOT), end);
    }
    if (size + rest > PATH_MAX) return -ERRNO_NAMETOOLONG;
    const spare = this.#spare ?? new Uint8Array(PATH_MAX);
    spare.set(target, 0);
    spare.set(this.bytes.subarray(end, end + rest), size);
    this.#spare = this.bytes;
    this.bytes = spare;
    this.#length = size + rest;
    return 0;
  }

  #begin(backend: Backend): void {
    backend.begin();
    this.#begun = backend;
    this.backend = backend;
  }

  /** Goes on in another backend; the places passed in this one, `depth` of them, stay valid for `..`. */
  #cross(to: Backend, depth: number): Backend {
    const from = this.backend;
    for (let index = 0; index < depth; index++) {
      if (this.#backends[index] === from) this.#retain(from, this.#nodes[index] as Node);
    }
    this.#begun = undefined;
    from.end();
    this.#begin(to);
    return to;
  }

  #retain(backend: Backend, node: Node): void {
    backend.retain(node);
    this.#retained.push({ backend, node });
  }

  #release(): void {
    for (let kept = this.#retained.pop(); kept !== undefined; kept = this.#retained.pop()) {
      kept.backend.begin();
      try {
        kept.backend.release(kept.node);
      } finally {
        kept.backend.end();
      }
    }
  }
}
