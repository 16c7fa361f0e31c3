import { closeSync, openSync } from "node:fs";
import type { Node } from "../../src/vfs/contract.js";
import type { Entry } from "./directory-entry.js";
import type { Descriptors } from "./directory-ground.js";

/** Closes what a file system left open that nobody refers to any more. */
const forgotten = new FinalizationRegistry<Set<number>>((descriptors) => {
  for (const descriptor of descriptors) {
    closeQuietly(descriptor);
  }
  descriptors.clear();
});

/** Every descriptor that one file system has open. */
export class DescriptorSet implements Descriptors {
  readonly #open = new Set<number>();

  constructor(owner: object) {
    forgotten.register(owner, this.#open);
  }

  get size(): number {
    return this.#open.size;
  }

  open(path: string | Buffer, flags: number, mode?: number): number {
    const descriptor = openSync(path, flags, mode);
    this.#open.add(descriptor);
    return descriptor;
  }

  close(descriptor: number): void {
    // What is no longer listed was closed already, and its number may be another file's by now.
    if (this.#open.delete(descriptor)) {
      closeQuietly(descriptor);
    }
  }

  /** Closes whatever an entry has open. */
  closeAll(entry: Entry): void {
    for (const descriptor of [entry.handle, entry.io, entry.appender]) {
      if (descriptor >= 0) {
        this.close(descriptor);
      }
    }
    entry.handle = -1;
    entry.io = -1;
    entry.appender = -1;
    entry.readable = false;
    entry.writable = false;
  }
}

/** Late write errors that `close` may report (NFS) have nobody left to go to. */
function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {}
}

/** Node numbers: which entry each stands for, and which of them end with the operation. */
export class NodeTable {
  readonly #entries: (Entry | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #temporaries: Node[] = [];

  add(entry: Entry): Node {
    const index = this.#free.pop() ?? this.#entries.length;
    this.#entries[index] = entry;
    this.#temporaries.push(index + 1);
    return index + 1;
  }

  get(node: Node): Entry | undefined {
    return this.#entries[node - 1];
  }

  /** What is held no longer ends with the operation under way, or with the next. */
  release(node: Node): void {
    const entry = this.get(node);
    if (entry !== undefined && entry.retains > 0 && --entry.retains === 0) {
      this.#temporaries.push(node);
    }
  }

  /** Ends the operation: `keep` for what is retained, `drop` for the rest; what was found last is kept first. */
  settle(keep: (entry: Entry) => void, drop: (entry: Entry) => void): void {
    const temporaries = this.#temporaries;
    for (let index = temporaries.length - 1; index >= 0; index--) {
      const entry = this.get(temporaries[index] as Node);
      if (entry !== undefined && entry.retains > 0) {
        keep(entry);
      }
    }
    for (const node of temporaries) {
      const entry = this.get(node);
      if (entry !== undefined && entry.retains === 0) {
        this.#entries[node - 1] = undefined;
        this.#free.push(node - 1);
        drop(entry);
      }
    }
    temporaries.length = 0;
  }

  /** Every entry that has a number now. */
  *all(): Generator<Entry> {
    for (const entry of this.#entries) {
      if (entry !== undefined) {
        yield entry;
      }
    }
  }

  /** The entries that this operation found. */
  *recent(): Generator<Entry> {
    for (const node of this.#temporaries) {
      const entry = this.get(node);
      if (entry !== undefined) {
        yield entry;
      }
    }
  }
}
