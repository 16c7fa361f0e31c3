import { type Backend, FILETYPE_DIRECTORY, Filestat, type Node } from "./contract.js";

/** A node and the file system it is of. */
export interface Place {
  readonly backend: Backend;
  readonly node: Node;
}

export interface Mount extends Place {
  /** The covered place, its node retained for as long as the table lives. */
  readonly over: Place;
  readonly path: string;
}

/**
 * What the walk needs to know of a tree that is made of several backends.
 *
 * - Ask `mountAt` for every node that a `lookup` answered (directories and files: a single file can be mounted), while its
 *   backend is begun; go on at the place it answers, and ask for that as well. A name whose node is a mount point must not be
 *   removed, renamed or renamed over: `-ERRNO_BUSY`.
 * - `..` at the root of a mounted backend is the walk's to know: it keeps the places it came through. The directories above a
 *   mount point can't vanish (they are not empty), so their nodes stay valid without being retained.
 * - Hold one backend at a time: `end` the one before you `begin` the next, or two threads may wait for each other.
 */
export class MountTable {
  readonly root: Place;
  /** Where absolute paths begin: the root, or what is mounted over it. */
  top: Place;
  readonly #mounts: Mount[] = [];

  constructor(root: Backend) {
    root.begin();
    try {
      const node = root.openRoot();
      root.retain(node);
      this.root = this.top = { backend: root, node };
    } finally {
      root.end();
    }
  }

  /** Every mount, in the order they were made. */
  list(): readonly Mount[] {
    return this.#mounts;
  }

  /** Covers a node with the root of a backend. The node must be valid now; the table retains it. */
  add(over: Place, backend: Backend, path: string): void {
    over.backend.begin();
    try {
      over.backend.retain(over.node);
    } finally {
      over.backend.end();
    }
    backend.begin();
    let node: Node;
    try {
      node = backend.openRoot();
      backend.retain(node);
    } finally {
      backend.end();
    }
    const mount = { over, backend, node, path };
    this.#mounts.push(mount);
    if (over.backend === this.top.backend && over.node === this.top.node) this.top = mount;
  }

  /** What is mounted over that node, if anything is; the backend must be begun. */
  mountAt(backend: Backend, node: Node): Place | undefined {
    // Asked for every name on a path: a loop needs no function of its own.
    for (const mount of this.#mounts) {
      const { over } = mount;
      if (over.backend === backend && (over.node === node || sameFile(backend, over.node, node)))
        return mount;
    }
    return undefined;
  }
}

const left = new Filestat();
const right = new Filestat();

/** Whether two numbers of a backend that doesn't answer one number per file stand for the same one. */
function sameFile(backend: Backend, a: Node, b: Node): boolean {
  if (backend.nodesAreFiles === true || backend.stat(a, left) < 0 || backend.stat(b, right) < 0) {
    return false;
  }
  return (
    left.longs[1] === right.longs[1] &&
    left.longs[0] === right.longs[0] &&
    (left.filetype === FILETYPE_DIRECTORY) === (right.filetype === FILETYPE_DIRECTORY)
  );
}
