import { lstatSync, readdirSync } from "node:fs";
import type { DirectoryVisitor, Result } from "../../src/vfs/contract.js";
import { Cookies } from "../../src/vfs/cookies.js";
import { type Entry, filetypeOf, toBytes } from "./directory-entry.js";
import { failure } from "./directory-errors.js";
import type { Ground } from "./directory-ground.js";

const quiet = { bigint: true, throwIfNoEntry: false } as const;

/** The key has one character per byte, so that names that aren't UTF-8 stay apart. */
function read(path: string | Buffer): (readonly [string, Uint8Array])[] {
  return readdirSync(path, { encoding: "buffer" }).map((name: Buffer | string) => {
    const item = toBytes(name);
    return [Buffer.from(item.buffer, item.byteOffset, item.length).toString("latin1"), item];
  });
}

/** `Backend.readdir` for a directory. */
export function list(entry: Entry, ground: Ground, cookie: number, visit: DirectoryVisitor): Result {
  if (entry.gone !== undefined) {
    return 0;
  }
  try {
    let listing = entry.listing;
    if (listing === undefined || cookie === 0) {
      const path = ground.self(entry);
      if (typeof path === "number") {
        return path;
      }
      listing ??= new Cookies<Uint8Array>();
      listing.refresh(read(path));
      entry.listing = listing;
    }
    for (let index = listing.after(cookie); ; index++) {
      const listed = listing.at(index);
      if (listed === undefined) {
        return 0;
      }
      const name = listed.item;
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
