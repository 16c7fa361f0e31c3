import { UnsupportedError } from "../errors.js";
import { FILETYPE_DIRECTORY } from "../vfs/contract.js";
import type { Descriptor, Stream } from "../vfs/descriptors.js";
import {
  ERRNO_AGAIN,
  ERRNO_BADF,
  ERRNO_FAULT,
  ERRNO_FBIG,
  ERRNO_INVAL,
  ERRNO_ISDIR,
  ERRNO_NOTCAPABLE,
  ERRNO_SPIPE,
} from "../vfs/errno.js";
import {
  ACCESS_READ,
  ACCESS_WRITE,
  RIGHT_FD_READ,
  RIGHT_FD_SEEK,
  RIGHT_FD_TELL,
  RIGHT_FD_WRITE,
  refusal,
} from "../vfs/rights.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";

export const FDFLAGS_APPEND = 1;
export const FDFLAGS_DSYNC = 2;
export const FDFLAGS_NONBLOCK = 4;
export const FDFLAGS_RSYNC = 8;
export const FDFLAGS_SYNC = 16;
const FDFLAGS_ANY_SYNC = FDFLAGS_DSYNC | FDFLAGS_SYNC;
export const ALL_FDFLAGS = FDFLAGS_APPEND | FDFLAGS_NONBLOCK | FDFLAGS_RSYNC | FDFLAGS_ANY_SYNC;

/** The values of `whence`, which `wasi_unstable` numbers differently. */
export interface Whence {
  readonly set: number;
  readonly current: number;
  readonly end: number;
}

/** `Number.MAX_SAFE_INTEGER`, as a literal for bundlers to put where it is used. */
const LARGEST = 9007199254740991;

/** As much as one write to a stream puts together. */
const GATHERED = 65_536;

/** fd_read, fd_pread, fd_write, fd_pwrite, fd_seek and fd_tell. */
export function ioFunctions(guest: Guest, whences: Whence): Functions {
  const { iovecs } = guest;
  let gathered: Uint8Array | undefined;

  /** Why nothing can be read from or written to it; 0 where it can. */
  const refused = (descriptor: Descriptor | undefined, right: number, access: number): number => {
    if (descriptor === undefined) return ERRNO_BADF;
    if (descriptor.filetype === FILETYPE_DIRECTORY) return ERRNO_ISDIR;
    return (descriptor.rights & right) === right ? 0 : refusal(descriptor.access, access);
  };

  /** Bytes read from `offset` on into the loaded buffers, or a negated errno. */
  const readFile = (descriptor: Descriptor, offset: number): number => {
    const backend = descriptor.backend;
    if (backend === undefined) return -ERRNO_BADF;
    let total = 0;
    backend.begin();
    guest.held = backend;
    for (let index = 0; index < guest.iovecCount; index++) {
      const length = iovecs[2 * index + 1] as number;
      if (length === 0) continue;
      const count = backend.read(
        descriptor.node,
        offset + total,
        guest.bytes,
        iovecs[2 * index] as number,
        length,
      );
      if (count < 0) {
        if (total === 0) total = count;
        break;
      }
      total += count;
      if (count < length) break;
    }
    guest.held = undefined;
    backend.end();
    return total;
  };

  /** Bytes written, or a negated errno; `offset` below 0 appends. */
  const writeFile = (descriptor: Descriptor, offset: number): number => {
    const backend = descriptor.backend;
    if (backend === undefined) return -ERRNO_BADF;
    if (offset + guest.iovecBytes > LARGEST) return -ERRNO_FBIG;
    let total = 0;
    backend.begin();
    guest.held = backend;
    for (let index = 0; index < guest.iovecCount; index++) {
      const length = iovecs[2 * index + 1] as number;
      if (length === 0) continue;
      const start = iovecs[2 * index] as number;
      const count =
        offset < 0
          ? backend.append(descriptor.node, guest.bytes, start, length)
          : backend.write(descriptor.node, offset + total, guest.bytes, start, length);
      if (count < 0) {
        if (total === 0) total = count;
        break;
      }
      total += count;
      if (count < length) break;
    }
    if (total > 0 && (descriptor.flags & FDFLAGS_ANY_SYNC) !== 0) {
      const synced = backend.sync(descriptor.node, (descriptor.flags & FDFLAGS_SYNC) === 0);
      if (synced < 0) total = synced;
    }
    if (offset < 0) {
      const size = backend.size(descriptor.node);
      if (size >= 0) descriptor.position = size;
    }
    guest.held = undefined;
    backend.end();
    return total;
  };

  const readStream = (descriptor: Descriptor, stream: Stream): number => {
    let total = 0;
    for (let index = 0; index < guest.iovecCount; index++) {
      const length = iovecs[2 * index + 1] as number;
      if (length === 0) continue;
      const start = iovecs[2 * index] as number;
      let count = stream.read(guest.bytes, start, length);
      while (count === -ERRNO_AGAIN && total === 0 && (descriptor.flags & FDFLAGS_NONBLOCK) === 0) {
        if (!stream.wait(Number.POSITIVE_INFINITY)) throw new UnsupportedError(stream.stuck);
        if (!guest.has(start, length)) return -ERRNO_FAULT;
        count = stream.read(guest.bytes, start, length);
      }
      if (count < 0) return total > 0 ? total : count;
      total += count;
      if (count < length) break;
    }
    return total;
  };

  /**
   * Several buffers go as one piece: lines stay whole, and nothing is looked at again after code of the host has run. Where
   * they are large the first one goes alone, as a short write.
   */
  const writeStream = (stream: Stream): number => {
    let total = 0;
    for (let index = 0; index < guest.iovecCount; index++) {
      const length = iovecs[2 * index + 1] as number;
      if (length === 0) continue;
      const start = iovecs[2 * index] as number;
      if (total === 0 && (length === guest.iovecBytes || guest.iovecBytes > GATHERED)) {
        return stream.write(guest.bytes, start, length);
      }
      gathered ??= new Uint8Array(GATHERED);
      gathered.set(guest.bytes.subarray(start, start + length), total);
      total += length;
    }
    return gathered === undefined || total === 0 ? 0 : stream.write(gathered, 0, total);
  };

  /** The most frequent write: one buffer. */
  const writeOne = (descriptor: Descriptor, start: number, length: number): number => {
    const { backend, position } = descriptor;
    if (backend === undefined) return descriptor.stream?.write(guest.bytes, start, length) ?? -ERRNO_BADF;
    if (position + length > LARGEST) return -ERRNO_FBIG;
    // Nobody else can use it: there is nothing to lock.
    const alone = backend.shared === false;
    if (!alone) {
      backend.begin();
      guest.held = backend;
    }
    let written: number;
    if ((descriptor.flags & FDFLAGS_APPEND) === 0) {
      written = backend.write(descriptor.node, position, guest.bytes, start, length);
      if (written > 0) descriptor.position = position + written;
    } else {
      written = backend.append(descriptor.node, guest.bytes, start, length);
      const size = backend.size(descriptor.node);
      if (size >= 0) descriptor.position = size;
    }
    if (!alone) {
      guest.held = undefined;
      backend.end();
    }
    return written;
  };

  /** Stores the count that a read or write came to. */
  const finish = (count: number, result: number): number => {
    if (count < 0) return -count;
    guest.setU32(result, count);
    return 0;
  };

  return {
    fd_read(fd: number, vectors: number, count: number, result: number) {
      try {
        const descriptor = guest.descriptor(fd >>> 0);
        if (count === 1 && descriptor?.backend !== undefined && (descriptor.rights & RIGHT_FD_READ) !== 0) {
          const vector = vectors >>> 0;
          const out = result >>> 0;
          if (!guest.has(vector, 8) || !guest.has(out, 4)) return ERRNO_FAULT;
          const start = guest.view.getUint32(vector, true);
          const length = guest.view.getUint32(vector + 4, true);
          if (!guest.has(start, length)) return ERRNO_FAULT;
          const { backend, position } = descriptor;
          const alone = backend.shared === false;
          if (!alone) {
            backend.begin();
            guest.held = backend;
          }
          const read = backend.read(descriptor.node, position, guest.bytes, start, length);
          if (!alone) {
            guest.held = undefined;
            backend.end();
          }
          if (read < 0) return -read;
          descriptor.position = position + read;
          guest.setU32(out, read);
          return 0;
        }
        const error = refused(descriptor, RIGHT_FD_READ, ACCESS_READ);
        if (error !== 0) return error;
        if (!guest.has(result >>> 0, 4) || !guest.loadIovecs(vectors >>> 0, count >>> 0)) return ERRNO_FAULT;
        const from = descriptor as Descriptor;
        if (from.stream !== undefined) return finish(readStream(from, from.stream), result >>> 0);
        const read = readFile(from, from.position);
        if (read > 0) from.position += read;
        return finish(read, result >>> 0);
      } catch (error) {
        return guest.caught(error);
      }
    },

    fd_write(fd: number, vectors: number, count: number, result: number) {
      try {
        const descriptor = guest.descriptor(fd >>> 0);
        if (descriptor === undefined) return ERRNO_BADF;
        if (
          count === 1 &&
          (descriptor.rights & RIGHT_FD_WRITE) !== 0 &&
          (descriptor.flags & FDFLAGS_ANY_SYNC) === 0
        ) {
          const vector = vectors >>> 0;
          const out = result >>> 0;
          if (!guest.has(vector, 8) || !guest.has(out, 4)) return ERRNO_FAULT;
          const start = guest.view.getUint32(vector, true);
          const length = guest.view.getUint32(vector + 4, true);
          if (!guest.has(start, length)) return ERRNO_FAULT;
          const written = writeOne(descriptor, start, length);
          if (written < 0) return -written;
          guest.setU32(out, written);
          return 0;
        }
        const error = refused(descriptor, RIGHT_FD_WRITE, ACCESS_WRITE);
        if (error !== 0) return error;
        if (!guest.has(result >>> 0, 4) || !guest.loadIovecs(vectors >>> 0, count >>> 0)) return ERRNO_FAULT;
        const to = descriptor as Descriptor;
        if (to.stream !== undefined) return finish(writeStream(to.stream), result >>> 0);
        if ((to.flags & FDFLAGS_APPEND) !== 0) return finish(writeFile(to, -1), result >>> 0);
        const written = writeFile(to, to.position);
        if (written > 0) to.position += written;
        return finish(written, result >>> 0);
      } catch (error) {
        return guest.caught(error);
      }
    },

    fd_pread(fd: number, vectors: number, count: number, offset: bigint, result: number) {
      try {
        const descriptor = guest.descriptor(fd >>> 0);
        if (descriptor?.stream !== undefined) return ERRNO_SPIPE;
        const error = refused(descriptor, RIGHT_FD_READ | RIGHT_FD_SEEK, ACCESS_READ);
        if (error !== 0) return error;
        if (!guest.has(result >>> 0, 4) || !guest.loadIovecs(vectors >>> 0, count >>> 0)) return ERRNO_FAULT;
        const from = Number(offset);
        if (from < 0) return ERRNO_INVAL;
        return finish(from > LARGEST ? 0 : readFile(descriptor as Descriptor, from), result >>> 0);
      } catch (error) {
        return guest.caught(error);
      }
    },

    fd_pwrite(fd: number, vectors: number, count: number, offset: bigint, result: number) {
      try {
        const descriptor = guest.descriptor(fd >>> 0);
        if (descriptor?.stream !== undefined) return ERRNO_SPIPE;
        const error = refused(descriptor, RIGHT_FD_WRITE | RIGHT_FD_SEEK, ACCESS_WRITE);
        if (error !== 0) return error;
        if (!guest.has(result >>> 0, 4) || !guest.loadIovecs(vectors >>> 0, count >>> 0)) return ERRNO_FAULT;
        const to = Number(offset);
        if (to < 0) return ERRNO_INVAL;
        return finish(writeFile(descriptor as Descriptor, to), result >>> 0);
      } catch (error) {
        return guest.caught(error);
      }
    },

    fd_seek(fd: number, offset: bigint, whence: number, result: number) {
      try {
        if (!guest.has(result >>> 0, 8)) return ERRNO_FAULT;
        const descriptor = guest.descriptor(fd >>> 0);
        if (descriptor === undefined) return ERRNO_BADF;
        if (descriptor.filetype === FILETYPE_DIRECTORY) return ERRNO_ISDIR;
        const { stream, backend } = descriptor;
        if (stream !== undefined) {
          if (!stream.seekable) return ERRNO_SPIPE;
          guest.setU64(result >>> 0, 0);
          return 0;
        }
        let target = Number(offset);
        const from = whence & 0xff;
        // Asking where one is takes less than moving.
        const needed = target === 0 && from === whences.current ? RIGHT_FD_TELL : RIGHT_FD_SEEK;
        if ((descriptor.rights & (needed | RIGHT_FD_SEEK)) === 0) return ERRNO_NOTCAPABLE;
        if (from === whences.current) {
          target += descriptor.position;
        } else if (from === whences.end && backend !== undefined) {
          backend.begin();
          guest.held = backend;
          const size = backend.size(descriptor.node);
          guest.held = undefined;
          backend.end();
          if (size < 0) return -size;
          target += size;
        } else if (from !== whences.set) {
          return ERRNO_INVAL;
        }
        if (target < 0 || target > LARGEST) return ERRNO_INVAL;
        descriptor.position = target;
        guest.setU64(result >>> 0, target);
        return 0;
      } catch (error) {
        return guest.caught(error);
      }
    },

    fd_tell(fd: number, result: number) {
      if (!guest.has(result >>> 0, 8)) return ERRNO_FAULT;
      const descriptor = guest.descriptor(fd >>> 0);
      if (descriptor === undefined) return ERRNO_BADF;
      if (descriptor.filetype === FILETYPE_DIRECTORY) return ERRNO_ISDIR;
      if (descriptor.stream !== undefined && !descriptor.stream.seekable) return ERRNO_SPIPE;
      if ((descriptor.rights & (RIGHT_FD_TELL | RIGHT_FD_SEEK)) === 0) return ERRNO_NOTCAPABLE;
      guest.setU64(result >>> 0, descriptor.position);
      return 0;
    },
  };
}
