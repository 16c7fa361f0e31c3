import { lstatSync, readlinkSync } from "node:fs";
import { FILETYPE_DIRECTORY, FILETYPE_SYMBOLIC_LINK, type Node } from "../../src/vfs/contract.js";
import { ERRNO_BADF, ERRNO_INVAL, ERRNO_NOTDIR, ERRNO_STALE } from "../../src/vfs/errno.js";
import { NodeTable } from "../../src/vfs/node-table.js";
import { DescriptorSet } from "./directory-descriptors.js";
import { Entry, toBytes } from "./directory-entry.js";
import { failure } from "./directory-errors.js";
import { type Ground, HandleGround, type Located, PathGround } from "./directory-ground.js";

/**
 * Roots that are open, the one used last at the end. They are opened again when they are needed, so that however many file
 * systems a thread has made and forgotten, no more than these stay open.
 */
const openRoots = new Set<DirectoryNodes>();
const MOST_ROOTS = 32;
let latest: DirectoryNodes | undefined;

/** The nodes of one host directory: what they stand for, how long, and which descriptors that takes. */
export class DirectoryNodes {
  readonly root = new Entry(undefined, new Uint8Array(0), FILETYPE_DIRECTORY);
  readonly rootNode: Node;
  readonly ground: Ground;
  readonly descriptors: DescriptorSet;
  readonly #table: NodeTable<Entry>;

  /** `owner`: with whom the descriptors go. `path` is absolute and free of links. */
  constructor(owner: object, path: string, handles: boolean) {
    this.descriptors = new DescriptorSet(owner);
    this.root.seen(lstatSync(path, { bigint: true }));
    this.root.stats = undefined;
    // The root keeps its number: this hold is never released.
    this.root.retains = 1;
    this.ground = handles
      ? new HandleGround(this.descriptors, this.root, path)
      : new PathGround(this.root, path);
    this.#table = new NodeTable<Entry>(this.#keep, this.#drop);
    this.rootNode = this.#table.add(this.root);
  }

  begin(): void {
    this.#table.begin();
  }

  end(): void {
    if (this.#table.end() && this.root.handle >= 0 && latest !== this) {
      latest = this;
      openRoots.delete(this);
      openRoots.add(this);
      if (openRoots.size > MOST_ROOTS) {
        closeOldestRoot();
      }
    }
  }

  /** Answers false in the midst of an operation. */
  closeRoot(): boolean {
    if (this.#table.busy) {
      return false;
    }
    this.descriptors.closeAll(this.root);
    return true;
  }

  get(node: Node): Entry | undefined {
    return this.#table.get(node);
  }

  add(entry: Entry): Node {
    return this.#table.add(entry);
  }

  retain(node: Node): void {
    this.#table.retain(node);
  }

  release(node: Node): void {
    this.#table.release(node);
  }

  /** The path of a name in a directory, or a negated errno. */
  inside(directory: Node, name: Uint8Array, start: number, end: number, slot: 0 | 1): Located {
    const entry = this.#table.get(directory);
    if (entry === undefined) {
      return -ERRNO_BADF;
    }
    return entry.filetype === FILETYPE_DIRECTORY
      ? this.ground.inside(entry, name, start, end, slot)
      : -ERRNO_NOTDIR;
  }

  /** Before a name goes: what this operation found under it stays usable until its end. */
  pinNamed(directory: Entry, name: Uint8Array): void {
    for (const entry of this.#table.recent()) {
      if (isNamed(entry, directory, name)) {
        this.#pin(entry);
      }
    }
  }

  /** Directories that are held by their path, which is about to be removed: what is to be told of them after that. */
  aboutToGo(directory: Entry, name: Uint8Array, path: Buffer): (() => void)[] {
    if (this.ground.pins) {
      return [];
    }
    const going = [...this.#table.all()].filter(
      (entry) => entry.filetype === FILETYPE_DIRECTORY && isNamed(entry, directory, name),
    );
    const look = () => lstatSync(path, { bigint: true, throwIfNoEntry: false });
    const stats = going.length > 0 ? look() : undefined;
    return going.map((entry) => () => {
      // A rename to its own name leaves everything in its place.
      if (stats === undefined || look()?.ino === stats.ino) return;
      stats.nlink = 0n;
      entry.gone = stats;
    });
  }

  /** What is held by its path goes with a rename that the file system made itself. */
  follow(from: Entry, name: Uint8Array, to: Entry, newName: Uint8Array): void {
    if (this.ground.pins) {
      return;
    }
    for (const entry of this.#table.all()) {
      if (isNamed(entry, from, name)) {
        entry.parent = to;
        entry.name = newName;
      }
    }
  }

  readTarget(entry: Entry): Uint8Array | number {
    if (entry.target !== undefined) {
      return entry.target;
    }
    if (entry.parent === undefined) {
      return -ERRNO_INVAL;
    }
    const path = this.ground.inside(entry.parent, entry.name, 0, entry.name.length, 0);
    if (typeof path === "number") {
      return path;
    }
    try {
      return toBytes(readlinkSync(path, { encoding: "buffer" }));
    } catch (error) {
      return failure(error);
    }
  }

  readonly #keep = (entry: Entry): void => {
    entry.stats = undefined;
    if (entry !== this.root && this.ground.pins) {
      this.#pin(entry);
      // A link to it can only be made by its name, as long as its directory is held too.
      if (entry.parent?.retains === 0) {
        entry.parent = undefined;
      }
    }
  };

  readonly #drop = (entry: Entry): void => {
    this.descriptors.closeAll(entry);
    if (this.ground.pins) {
      entry.parent = undefined;
      entry.lost = -ERRNO_STALE;
    }
    entry.listing = undefined;
  };

  /** Makes the entry independent of its name. */
  #pin(entry: Entry): void {
    if (entry.filetype === FILETYPE_SYMBOLIC_LINK && entry.target === undefined) {
      const target = this.readTarget(entry);
      entry.target = typeof target === "number" ? undefined : target;
    }
    entry.lost = this.ground.pin(entry);
  }
}

function closeOldestRoot(): void {
  for (const nodes of openRoots) {
    if (nodes.closeRoot()) {
      openRoots.delete(nodes);
      return;
    }
  }
}

function isNamed(entry: Entry, directory: Entry, name: Uint8Array): boolean {
  const { parent } = entry;
  return (
    parent !== undefined &&
    parent.ino === directory.ino &&
    parent.dev === directory.dev &&
    Buffer.compare(entry.name, name) === 0
  );
}
