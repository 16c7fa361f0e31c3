import { type Backend, FILETYPE_DIRECTORY } from "../vfs/contract.js";
import { ERRNO_BADF, ERRNO_FAULT, ERRNO_INVAL, ERRNO_NOTCAPABLE, ERRNO_NOTDIR } from "../vfs/errno.js";
import { ACCESS_READ, RIGHT_FD_READDIR, refusal } from "../vfs/rights.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";

const DIRENT_SIZE = 24;
const TWO_32 = 2 ** 32;
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

  const header = (
    view: DataView,
    to: number,
    next: number,
    ino: bigint | number,
    size: number,
    type: number,
  ): void => {
    view.setUint32(to, next, true);
    view.setUint32(to + 4, next / TWO_32, true);
    if (typeof ino === "number") {
      view.setUint32(to + 8, ino, true);
      view.setUint32(to + 12, ino / TWO_32, true);
    } else {
      view.setBigUint64(to + 8, ino, true);
    }
    view.setUint32(to + 16, size, true);
    // The type is a byte, followed by padding.
    view.setUint32(to + 20, type, true);
  };

  /** Puts an entry, cut where the buffer ends; answers whether there is room for more. */
  const put = (
    name: Uint8Array,
    start: number,
    end: number,
    ino: bigint | number,
    type: number,
    next: number,
  ): boolean => {
    const { bytes } = guest;
    const size = end - start;
    let to = at;
    if (to + DIRENT_SIZE <= limit) {
      header(guest.view, to, next, ino, size, type);
      to += DIRENT_SIZE;
      const stop = to + size <= limit ? end : start + limit - to;
      for (let index = start; index < stop; index++) bytes[to++] = name[index] as number;
    } else {
      header(partialView, 0, next, ino, size, type);
      for (let index = 0; to < limit; index++) bytes[to++] = partial[index] as number;
    }
    at = to;
    return to < limit;
  };
  const visit = (
    name: Uint8Array,
    start: number,
    end: number,
    ino: bigint | number,
    type: number,
    next: number,
  ): boolean => put(name, start, end, ino, type, next + OWN_COOKIES);

  /** Fills the buffer from that cookie on; answers a negated errno. */
  const fill = (backend: Backend, node: number, cookie: number): number => {
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
    fd_readdir(fd: number, buffer: number, length: number, cookie: bigint, result: number) {
      try {
        const start = buffer >>> 0;
        if (!guest.has(start, length >>> 0) || !guest.has(result >>> 0, 4)) return ERRNO_FAULT;
        const descriptor = guest.descriptor(fd >>> 0);
        if (descriptor === undefined) return ERRNO_BADF;
        const { backend } = descriptor;
        if (descriptor.filetype !== FILETYPE_DIRECTORY || backend === undefined) return ERRNO_NOTDIR;
        if ((descriptor.access & ACCESS_READ) === 0) return refusal(descriptor.access, ACCESS_READ);
        if ((descriptor.rights & RIGHT_FD_READDIR) === 0) return ERRNO_NOTCAPABLE;
        const from = Number(cookie);
        if (from < 0 || from > Number.MAX_SAFE_INTEGER) return ERRNO_INVAL;
        at = start;
        limit = start + (length >>> 0);
        if (at < limit) {
          backend.begin();
          guest.held = backend;
          const error = fill(backend, descriptor.node, from);
          guest.held = undefined;
          backend.end();
          if (error < 0) return -error;
        }
        guest.setU32(result >>> 0, at - start);
        return 0;
      } catch (error) {
        return guest.caught(error);
      }
    },
  };
}
