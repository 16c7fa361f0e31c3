import type { Backend } from "./contract.js";
import { ShimBackend } from "./shim-backend.js";
import { isFd, isInode, type ShimObject } from "./shim-objects.js";

/**
 * A `@bjorn3/browser_wasi_shim` object, or one of a user's own class with the same methods, as a file system to mount. Known by
 * its methods, not by its class: a page can have two copies of the package. `undefined` for anything else.
 *
 * A `Directory`, `PreopenDirectory` or `OpenDirectory` is a tree; a `File`, `SyncOPFSFile` or any `Fd` is one file.
 */
export function shimBackend(object: unknown): Backend | undefined {
  return isInode(object) || isFd(object) ? new ShimBackend(rootOf(object)) : undefined;
}

const pathMethods = ["path_open", "path_lookup", "path_unlink_file", "fd_readdir_single"] as const;

/** An open directory of the package's own class stands for its directory; one with methods of its own is asked by them. */
function rootOf(object: ShimObject): ShimObject {
  if (!isInode(object) && isInode(object.dir) && object.dir.contents instanceof Map) {
    const { dir } = object;
    const plain = dir.path_open(0, 0n, 0).fd_obj;
    if (plain != null && pathMethods.every((method) => plain[method] === object[method])) {
      return dir;
    }
  }
  return object;
}
