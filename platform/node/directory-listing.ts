import { type Dirent, lstatSync, readdirSync } from "node:fs";
import {
  type DirectoryVisitor,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  FILETYPE_SYMBOLIC_LINK,
  FILETYPE_UNKNOWN,
  type Result,
} from "../../src/vfs/contract.js";
import { type Entry, filetypeOf, toBytes } from "./directory-entry.js";
import { failure } from "./directory-errors.js";
import type { Ground } from "./directory-ground.js";

const quiet = { bigint: true, throwIfNoEntry: false } as const;

interface Listed {
  readonly name: Uint8Array;
  readonly filetype: number;
  readonly cookie: number;
}

/**
 * The names of one open directory, each with a cookie that it keeps for as long as it is there. Names are read when a listing
 * begins (cookie 0); going on from a cookie never reads them again, so that what is added or removed meanwhile moves nothing.
 */
export class Listing {
  #entries: Listed[] = [];
  #last = 0;

  /** Reads the names anew. A name that was there before keeps its cookie. Throws what `node:fs` throws. */
  refresh(path: string | Buffer): void {
    const found = readdirSync(path, { withFileTypes: true, encoding: "buffer" });
    const known = new Map<string, Listed>();
    for (const entry of this.#entries) {
      known.set(keyOf(entry.name), entry);
    }
    const kept: Listed[] = [];
    const added: Listed[] = [];
    for (const { name, filetype } of found.map(toListed)) {
      const before = known.size === 0 ? undefined : known.get(keyOf(name));
      if (before === undefined) {
        added.push({ name, filetype, cookie: ++this.#last });
      } else {
        kept.push({ name, filetype, cookie: before.cookie });
      }
    }
    kept.sort((a, b) => a.cookie - b.cookie);
    this.#entries = known.size === 0 ? added : kept.concat(added);
  }

  /** The index of the first entry after that cookie. */
  after(cookie: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as Listed).cookie <= cookie) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  at(index: number): Listed | undefined {
    return this.#entries[index];
  }
}

/** One character per byte, so that names that aren't UTF-8 stay apart. */
function keyOf(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString("latin1");
}

function toListed(entry: Dirent<Buffer>): { name: Uint8Array; filetype: number } {
  // Some runtimes answer strings whatever encoding is asked for.
  const name: Buffer | string = entry.name;
  return { name: toBytes(name), filetype: direntType(entry) };
}

function direntType(entry: Dirent<Buffer>): number {
  if (entry.isFile()) {
    return FILETYPE_REGULAR_FILE;
  }
  if (entry.isDirectory()) {
    return FILETYPE_DIRECTORY;
  }
  return entry.isSymbolicLink() ? FILETYPE_SYMBOLIC_LINK : FILETYPE_UNKNOWN;
}

/** `Backend.readdir` for a directory. */
export function list(entry: Entry, ground: Ground, cookie: number, visit: DirectoryVisitor): Result {
  try {
    let listing = entry.listing;
    if (listing === undefined || cookie === 0) {
      const path = ground.self(entry);
      if (typeof path === "number") {
        return path;
      }
      listing ??= new Listing();
      listing.refresh(path);
      entry.listing = listing;
    }
    for (let index = listing.after(cookie); ; index++) {
      const listed = listing.at(index);
      if (listed === undefined) {
        return 0;
      }
      const { name } = listed;
      const path = ground.inside(entry, name, 0, name.length, 0);
      if (typeof path === "number") {
        return path;
      }
      // The one way to an inode number; and what is gone by now is not shown.
      const stats = lstatSync(path, quiet);
      if (stats !== undefined && !visit(name, 0, name.length, stats.ino, filetypeOf(stats), listed.cookie)) {
        return 0;
      }
    }
  } catch (error) {
    return failure(error);
  }
}
