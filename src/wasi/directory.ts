import { type Backend, type DirectoryVisitor, FILETYPE_DIRECTORY, type Result } from "../vfs/contract.js";
import type { Descriptor } from "../vfs/descriptors.js";
import { ERRNO_FAULT, ERRNO_INVAL, ERRNO_NOTDIR } from "../vfs/errno.js";
import { ACCESS_READ, RIGHT_FD_READDIR } from "../vfs/rights.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";
import { DIRENT_SIZE, TWO_32 } from "./numbers.js";

const dots = new Uint8Array([46, 46]);
/** Cookies 1 and 2 continue after `.` and after `..`; the backend's own follow. */
const OWN_COOKIES = 2;

/** fd_readdir. */
export function directoryFunctions(guest: Guest): Functions {
  /** Where the next entry goes, and where the buffer ends. */
  let at = 0;
  let limit = 0;
  const partial = new Uint8Array(DIRENT_SIZE);
  const partialView = new DataView(partial.buffer);

  /** Puts an entry, cut where the buffer ends; answers whether there is room for more. */
  const put: DirectoryVisitor = (name, start, end, ino, type, next) => {
    const { bytes } = guest;
    const size = end - start;
    let to = at;
    const whole = to + DIRENT_SIZE <= limit;
    const view = whole ? guest.view : partialView;
    const head = whole ? to : 0;
    view.setUint32(head, next, true);
    view.setUint32(head + 4, next / TWO_32, true);
    if (typeof ino === "number") {
      view.setUint32(head + 8, ino, true);
      view.setUint32(head + 12, ino / TWO_32, true);
    } else {
      view.setBigUint64(head + 8, ino, true);
    }
    view.setUint32(head + 16, size, true);
    // The type is a byte, followed by padding.
    view.setUint32(head + 20, type, true);
    if (whole) {
      to += DIRENT_SIZE;
      const stop = to + size <= limit ? end : start + limit - to;
      for (let index = start; index < stop; index++) bytes[to++] = name[index] as number;
    } else {
      for (let index = 0; to < limit; index++) bytes[to++] = partial[index] as number;
    }
    at = to;
    return to < limit;
  };
  const visit: DirectoryVisitor = (name, start, end, ino, type, next) =>
    put(name, start, end, ino, type, next + OWN_COOKIES);

  /** Fills the buffer from that cookie on; answers a negated errno. */
  const fill = (backend: Backend, node: number, cookie: number): Result => {
    if (cookie < OWN_COOKIES) {
      const error = backend.stat(node, guest.filestat);
      if (error < 0) return error;
      const ino = guest.filestat.longs[1] as bigint;
      if (cookie < 1 && !put(dots, 0, 1, ino, FILETYPE_DIRECTORY, 1)) return 0;
      // Nobody may see what lies above: the parent is told as the directory itself, as at a root.
      if (!put(dots, 0, 2, ino, FILETYPE_DIRECTORY, 2)) return 0;
    }
    return backend.readdir(node, Math.max(cookie - OWN_COOKIES, 0), visit);
  };

  return {
    fd_readdir: [
      (directory: Descriptor, bufferAt: number, length: number, cookie: bigint) => {
        const buffer = bufferAt >>> 0;
        if (!guest.has(buffer, length >>> 0)) return -ERRNO_FAULT;
        const from = Number(cookie);
        if (from < 0 || from > Number.MAX_SAFE_INTEGER) return -ERRNO_INVAL;
        at = buffer;
        limit = buffer + (length >>> 0);
        const error = at < limit ? fill(guest.hold(directory), directory.node, from) : 0;
        return error < 0 ? error : at - buffer;
      },
      4,
      RIGHT_FD_READDIR,
      ACCESS_READ,
      0,
      ERRNO_NOTDIR,
      ERRNO_NOTDIR,
    ],
  };
}
