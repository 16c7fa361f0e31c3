/**
 * A file system that only the host can open (objects of a user's own, say), for a guest on another thread: each operation is one
 * call to the host. The bracket of `begin` and `end` is opened with the first operation in it and closed with the first of the
 * next, so that it costs no calls of its own.
 */
import type { Backend, DirectoryVisitor, Filestat, Node, Result } from "../vfs/contract.js";

/** What travels in one read at most: a short read is a good answer. */
const MOST_BYTES = 1 << 20;
/** Entries of a directory that travel at once. */
const MOST_ENTRIES = 256;

type Entry = readonly [name: Uint8Array, ino: bigint | number, filetype: number, next: number];
type Operation = (backend: Backend, ...args: never[]) => unknown;

/** Operations whose arguments or results are not those of the method. */
const OPERATIONS: { readonly [method: string]: Operation } = {
  nodesAreFiles: (backend) => backend.nodesAreFiles === true,
  stat(backend, node: Node, into: Filestat) {
    const result = backend.stat(node, into);
    return result < 0 ? result : into.bytes;
  },
  symlink: (backend, directory: Node, name: Uint8Array, target: Uint8Array) =>
    backend.symlink(directory, name, 0, name.length, target),
  read(backend, node: Node, offset: number, length: number) {
    const bytes = new Uint8Array(length);
    const count = backend.read(node, offset, bytes, 0, length);
    return count < 0 ? count : bytes.subarray(0, count);
  },
  readdir(backend, directory: Node, cookie: number) {
    const entries: Entry[] = [];
    const result = backend.readdir(directory, cookie, (name, start, end, ino, filetype, next) => {
      if (entries.length === MOST_ENTRIES) return false;
      entries.push([name.slice(start, end), ino, filetype, next]);
      return true;
    });
    return result < 0 ? result : entries;
  },
};

/** The host's side: the backends, and what one thread holds of them. */
export class ServedBackends {
  readonly #backends: readonly Backend[];
  readonly #filestat: Filestat;
  readonly #open = new Set<Backend>();
  readonly #retained = new Map<Backend, Node[]>();
  readonly #files = new Map<Backend, Node[]>();

  constructor(backends: readonly Backend[], filestat: Filestat) {
    this.#backends = backends;
    this.#filestat = filestat;
  }

  /** Does one operation of the thread's. */
  readonly serve = (index: number, begins: boolean, method: string, ...args: unknown[]): unknown => {
    const backend = this.#backends[index] as Backend;
    if (begins) {
      this.#close(backend);
      backend.begin();
      this.#open.add(backend);
    }
    if (method === "stat") args.push(this.#filestat);
    const own = OPERATIONS[method];
    if (own !== undefined) return own(backend, ...(args as never[]));
    // A name travels as its bytes alone.
    const expanded = args.flatMap((argument) =>
      argument instanceof Uint8Array ? [argument, 0, argument.length] : [argument],
    );
    const result: unknown = (backend[method as "lookup"] as (...args: unknown[]) => unknown).apply(
      backend,
      expanded,
    );
    this.#note(backend, method, args[0] as Node, result);
    return result;
  };

  /** The thread is gone: gives back what it held. */
  release(): void {
    for (const backend of this.#backends) {
      this.#close(backend);
      backend.begin();
      for (const node of this.#files.get(backend) ?? []) backend.closeFile(node);
      for (const node of this.#retained.get(backend) ?? []) backend.release(node);
      backend.end();
    }
  }

  #close(backend: Backend): void {
    if (this.#open.delete(backend)) backend.end();
  }

  #note(backend: Backend, method: string, node: Node, result: unknown): void {
    if (method === "retain") add(this.#retained, backend, node);
    else if (method === "release") remove(this.#retained, backend, node);
    else if (method === "openFile" && (result as number) >= 0) add(this.#files, backend, node);
    else if (method === "closeFile") remove(this.#files, backend, node);
  }
}

function add(held: Map<Backend, Node[]>, backend: Backend, node: Node): void {
  const nodes = held.get(backend);
  if (nodes === undefined) held.set(backend, [node]);
  else nodes.push(node);
}

function remove(held: Map<Backend, Node[]>, backend: Backend, node: Node): void {
  const nodes = held.get(backend) ?? [];
  const index = nodes.lastIndexOf(node);
  if (index >= 0) nodes.splice(index, 1);
}

/** The guest's side. */
export class ProxyBackend implements Backend {
  readonly nodesAreFiles: boolean;
  readonly #call: (begins: boolean, method: string, ...args: unknown[]) => unknown;
  #depth = 0;
  #begins = true;

  constructor(call: (begins: boolean, method: string, ...args: unknown[]) => unknown) {
    this.#call = call;
    this.nodesAreFiles = this.#do("nodesAreFiles") as boolean;
  }

  begin(): void {
    if (this.#depth++ === 0) this.#begins = true;
  }
  end(): void {
    this.#depth--;
  }

  #do(method: string, ...args: unknown[]): unknown {
    const begins = this.#begins;
    this.#begins = false;
    return this.#call(begins, method, ...args);
  }

  openRoot(): Node {
    return this.#do("openRoot") as Node;
  }
  retain(node: Node): void {
    this.#do("retain", node);
  }
  release(node: Node): void {
    this.#do("release", node);
  }
  lookup(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#do("lookup", directory, name.slice(start, end)) as Result;
  }
  filetype(node: Node): Result {
    return this.#do("filetype", node) as Result;
  }
  stat(node: Node, into: Filestat): Result {
    const result = this.#do("stat", node) as Uint8Array | Result;
    if (typeof result === "number") return result;
    into.bytes.set(result);
    return 0;
  }
  readlink(node: Node): Uint8Array | Result {
    return this.#do("readlink", node) as Uint8Array | Result;
  }
  create(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#do("create", directory, name.slice(start, end)) as Result;
  }
  mkdir(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#do("mkdir", directory, name.slice(start, end)) as Result;
  }
  symlink(directory: Node, name: Uint8Array, start: number, end: number, target: Uint8Array): Result {
    return this.#do("symlink", directory, name.slice(start, end), target) as Result;
  }
  link(node: Node, directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#do("link", node, directory, name.slice(start, end)) as Result;
  }
  unlink(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#do("unlink", directory, name.slice(start, end)) as Result;
  }
  rmdir(directory: Node, name: Uint8Array, start: number, end: number): Result {
    return this.#do("rmdir", directory, name.slice(start, end)) as Result;
  }
  rename(
    from: Node,
    fromName: Uint8Array,
    fromStart: number,
    fromEnd: number,
    to: Node,
    toName: Uint8Array,
    toStart: number,
    toEnd: number,
  ): Result {
    return this.#do(
      "rename",
      from,
      fromName.slice(fromStart, fromEnd),
      to,
      toName.slice(toStart, toEnd),
    ) as Result;
  }
  openFile(node: Node, read: boolean, write: boolean): Result {
    return this.#do("openFile", node, read, write) as Result;
  }
  closeFile(node: Node): void {
    this.#do("closeFile", node);
  }
  read(node: Node, offset: number, target: Uint8Array, start: number, length: number): Result {
    const result = this.#do("read", node, offset, Math.min(length, MOST_BYTES)) as Uint8Array | Result;
    if (typeof result === "number") return result;
    target.set(result, start);
    return result.length;
  }
  write(node: Node, offset: number, source: Uint8Array, start: number, length: number): Result {
    return this.#do("write", node, offset, source.slice(start, start + length)) as Result;
  }
  append(node: Node, source: Uint8Array, start: number, length: number): Result {
    return this.#do("append", node, source.slice(start, start + length)) as Result;
  }
  size(node: Node): Result {
    return this.#do("size", node) as Result;
  }
  truncate(node: Node, size: number): Result {
    return this.#do("truncate", node, size) as Result;
  }
  sync(node: Node, dataOnly: boolean): Result {
    return this.#do("sync", node, dataOnly) as Result;
  }
  setTimes(node: Node, atim: bigint | undefined, mtim: bigint | undefined): Result {
    return this.#do("setTimes", node, atim, mtim) as Result;
  }
  readdir(directory: Node, cookie: number, visit: DirectoryVisitor): Result {
    for (let from = cookie; ; ) {
      const entries = this.#do("readdir", directory, from) as readonly Entry[] | Result;
      if (typeof entries === "number") return entries;
      for (const [name, ino, filetype, next] of entries) {
        if (!visit(name, 0, name.length, ino, filetype, next)) return 0;
        from = next;
      }
      if (entries.length < MOST_ENTRIES) return 0;
    }
  }
}
