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
type Method = (...args: readonly unknown[]) => unknown;

/** What takes back an operation on a node. */
const UNDO: { readonly [method: string]: string } = { retain: "release", openFile: "closeFile" };

/** The host's side of the backends, and of what one thread holds of them. */
export interface ServedBackends {
  /** Does one operation of the thread's. */
  serve(index: number, begins: boolean, method: string, ...args: unknown[]): unknown;
  /** The thread asks for nothing more: gives back what it held. */
  release(): void;
}

export function serveBackends(backends: readonly Backend[], filestat: Filestat): ServedBackends {
  const open = new Set<Backend>();
  /** What is to be done when the thread has come to its end. */
  const held: (readonly [backend: Backend, method: string, node: Node])[] = [];
  const close = (backend: Backend): void => {
    if (open.delete(backend)) backend.end();
  };
  return {
    serve(index, begins, method, ...args) {
      const backend = backends[index] as Backend;
      if (begins) {
        close(backend);
        backend.begin();
        open.add(backend);
      }
      const [node, from] = args as [Node, number];
      if (method === "nodesAreFiles") return backend.nodesAreFiles === true;
      if (method === "stat") {
        const result = backend.stat(node, filestat);
        return result < 0 ? result : filestat.bytes;
      }
      if (method === "read") {
        const bytes = new Uint8Array(args[2] as number);
        const count = backend.read(node, from, bytes, 0, bytes.length);
        // What there is, without the rest of the buffer.
        return count < 0 ? count : bytes.slice(0, count);
      }
      if (method === "readdir") {
        const entries: Entry[] = [];
        const result = backend.readdir(node, from, (name, start, end, ino, filetype, next) => {
          if (entries.length === MOST_ENTRIES) return false;
          entries.push([sliceOf(name, start, end), ino, filetype, next]);
          return true;
        });
        return result < 0 ? result : entries;
      }
      const result = call(
        backend,
        method,
        args.flatMap((each) => (each instanceof Uint8Array ? [each, 0, each.length] : [each])),
      );
      const undo = UNDO[method];
      if (undo === undefined) {
        const at = held.findIndex((each) => each[0] === backend && each[1] === method && each[2] === node);
        if (at >= 0) held.splice(at, 1);
      } else if (!((result as Result) < 0)) held.push([backend, undo, node]);
      return result;
    },

    release() {
      open.forEach(close);
      for (const [backend, method, node] of held.reverse()) {
        backend.begin();
        call(backend, method, [node]);
        backend.end();
      }
    },
  };
}

/** A name may be a `Buffer` of Node, whose `slice` is no copy. */
function sliceOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, start, end);
}

function call(backend: Backend, method: string, args: readonly unknown[]): unknown {
  return (backend as unknown as Record<string, Method>)[method]?.call(backend, ...args);
}

/** The guest's side. */
export function proxyBackend(ask: (begins: boolean, method: string, ...args: unknown[]) => unknown): Backend {
  let depth = 0;
  let begins = true;
  const operate = (method: string, ...args: unknown[]): unknown => {
    const first = begins;
    begins = false;
    return ask(first, method, ...args);
  };
  /** Operations travel as they are, but for names and contents: those are their bytes alone. */
  const forward =
    (method: string): Method =>
    (...args) => {
      const sent: unknown[] = [];
      for (let at = 0; at < args.length; at++) {
        const [bytes, start, end] = args.slice(at) as [unknown, number?, number?];
        if (bytes instanceof Uint8Array && start !== undefined && end !== undefined) {
          // Contents come with their length, names with their end.
          sent.push(sliceOf(bytes, start, method === "write" || method === "append" ? start + end : end));
          at += 2;
        } else sent.push(bytes);
      }
      return operate(method, ...sent);
    };
  const own: Partial<Backend> = {
    nodesAreFiles: operate("nodesAreFiles") as boolean,
    begin() {
      if (depth++ === 0) begins = true;
    },
    end() {
      depth--;
    },
    stat(node: Node, into: Filestat): Result {
      const result = operate("stat", node) as Uint8Array | Result;
      if (typeof result === "number") return result;
      into.bytes.set(result);
      return 0;
    },
    read(node: Node, offset: number, target: Uint8Array, start: number, length: number): Result {
      const result = operate("read", node, offset, Math.min(length, MOST_BYTES)) as Uint8Array | Result;
      if (typeof result === "number") return result;
      target.set(result, start);
      return result.length;
    },
    readdir(directory: Node, cookie: number, visit: DirectoryVisitor): Result {
      for (let from = cookie; ; ) {
        const entries = operate("readdir", directory, from) as readonly Entry[] | Result;
        if (typeof entries === "number") return entries;
        for (const [name, ino, filetype, next] of entries) {
          if (!visit(name, 0, name.length, ino, filetype, next)) return 0;
          from = next;
        }
        if (entries.length < MOST_ENTRIES) return 0;
      }
    },
  };
  return new Proxy(own as Backend, {
    get: (target, method: keyof Backend) => target[method] ?? forward(method),
  });
}
