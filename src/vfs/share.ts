import type { ArenaDescription } from "./arena-memory.js";
import type { Backend, Node } from "./contract.js";
import { MemoryBackend } from "./memory-backend.js";
import { MountTable } from "./mounts.js";
import { FOLLOW_ALWAYS } from "./paths.js";
import type { VirtualFileSystem } from "./virtual-file-system.js";
import { Walk } from "./walk.js";

/** How the other thread gets at one backend. */
export type BackendDescription =
  /** The very memory is shared. */
  | { readonly kind: "arena"; readonly arena: ArenaDescription }
  /** It is opened there once more, by what its `share` answered. */
  | { readonly kind: "open"; readonly shared: unknown }
  /** Its methods are to be forwarded to the thread that has it. */
  | { readonly kind: "proxy" };

/** A whole `VirtualFileSystem` for another thread, structured-cloneable. */
export interface FileSystemDescription {
  /** The first is the root's. */
  readonly backends: readonly BackendDescription[];
  /** In the order they were made; `over` and `backend` are indices, `node` is a number of an arena. */
  readonly mounts: readonly {
    readonly over: number;
    readonly node: Node;
    readonly path: string;
    readonly backend: number;
  }[];
}

/** What stays on the thread that shares: one for each thread that is given the file system. */
export interface FileSystemShare {
  readonly description: FileSystemDescription;
  /** By the indices of the description, for those that are proxied. */
  readonly backends: readonly Backend[];
  /**
   * Call it when the thread is being terminated: it can't begin another operation, and one that it is in the middle of has `grace`
   * milliseconds. Call it once more without any when the thread has ended: takes back what it left unfinished and releases what it
   * held open.
   */
  retire(grace: number): void;
}

/** Whether that is a file system in memory, of whatever copy of this package. */
function isArena(shared: unknown): shared is ArenaDescription {
  return typeof (shared as Partial<ArenaDescription> | undefined)?.generation === "number";
}

/** Enters one more thread; the file system's memory is shared from then on, at once and for good. */
export function shareFileSystem({ mounts }: VirtualFileSystem): FileSystemShare {
  const backends: Backend[] = [mounts.root.backend];
  const indexOf = (backend: Backend): number => {
    const known = backends.indexOf(backend);
    return known >= 0 ? known : backends.push(backend) - 1;
  };
  const mounted = mounts.list().map(({ over, backend, path }) => ({
    over: indexOf(over.backend),
    node: over.node,
    path,
    backend: indexOf(backend),
  }));
  const arenas: (readonly [MemoryBackend, ArenaDescription])[] = [];
  const describe = (backend: Backend): BackendDescription => {
    const shared = backend.share?.();
    if (isArena(shared)) {
      arenas.push([backend as MemoryBackend, shared]);
      return { kind: "arena", arena: shared };
    }
    return shared === undefined ? { kind: "proxy" } : { kind: "open", shared };
  };
  return {
    description: { backends: backends.map(describe), mounts: mounted },
    backends,
    retire(grace) {
      for (const [backend, arena] of arenas) backend.retire(arena, grace);
    },
  };
}

/**
 * The mounts of the same file system on the other thread.
 *
 * @param open makes the backend of that index: from `shared`, or where that is `undefined` a proxy to `FileSystemShare.backends`
 */
export function attachFileSystem(
  description: FileSystemDescription,
  open: (index: number, shared: unknown) => Backend,
): MountTable {
  const backends = description.backends.map((backend, index) => {
    if (backend.kind === "arena") {
      return new MemoryBackend({ shared: backend.arena });
    }
    return open(index, backend.kind === "open" ? backend.shared : undefined);
  });
  const mounts = new MountTable(backends[0] as Backend);
  const walk = new Walk(true);
  for (const { over, node, path, backend: index } of description.mounts) {
    const mounted = backends[index] as Backend;
    const backend = backends[over] as Backend;
    if (backend instanceof MemoryBackend) {
      mounts.add({ backend, node }, mounted, path);
      continue;
    }
    // Another instance of a host directory has numbers of its own.
    try {
      if (walk.resolvePath(mounts, path, FOLLOW_ALWAYS) >= 0 && walk.node > 0) {
        mounts.add(walk, mounted, path);
      }
    } finally {
      walk.leave();
    }
  }
  return mounts;
}
