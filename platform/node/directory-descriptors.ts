import { closeSync, openSync } from "node:fs";
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

  /** Closes all of them. */
  dispose(): void {
    for (const descriptor of this.#open) {
      this.close(descriptor);
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
