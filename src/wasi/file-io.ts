import type { Result } from "../vfs/contract.js";
import type { Descriptor, Stream } from "../vfs/descriptors.js";
import {
  ERRNO_AGAIN,
  ERRNO_FAULT,
  ERRNO_FBIG,
  ERRNO_INTR,
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
} from "../vfs/rights.js";
import { type Body, type Import, importOf } from "./functions.js";
import type { Guest } from "./guest.js";
import {
  FDFLAGS_ANY_SYNC,
  FDFLAGS_APPEND,
  FDFLAGS_NONBLOCK,
  FDFLAGS_SYNC,
  LARGEST_OFFSET,
} from "./numbers.js";
import { stuck } from "./stdio.js";

/** As much as one write to a stream puts together. */
const GATHERED = 65_536;
/** As many buffers as one call takes; the rest is left for the next, as a short read or write. */
const IOVECS = 1024;

/** fd_read, fd_pread, fd_write, fd_pwrite, fd_seek and fd_tell. */
export function ioFunctions(guest: Guest, unstable: boolean): { [name: string]: Import } {
  const { entries } = guest.table;
  /** Pointers and lengths of the buffers of this call, copied out so that they can't change under way. */
  const iovecs = new Float64Array(2 * IOVECS);
  let iovecCount = 0;
  let gathered: Uint8Array | undefined;

  /** Copies the vectors at that place and checks their buffers; answers the bytes in all of them, or `-ERRNO_FAULT`. */
  const load = (vectors: number, count: number): Result => {
    const pointer = vectors >>> 0;
    if (!guest.has(pointer, (count >>> 0) * 8)) return -ERRNO_FAULT;
    let total = 0;
    iovecCount = 0;
    for (let index = 0; index < count >>> 0 && index < IOVECS; index++) {
      const start = guest.view.getUint32(pointer + index * 8, true);
      const length = guest.view.getUint32(pointer + index * 8 + 4, true);
      if (!guest.has(start, length)) return -ERRNO_FAULT;
      total += length;
      if (length === 0) continue;
      iovecs[iovecCount++] = start;
      iovecs[iovecCount++] = length;
    }
    return total;
  };

  /** Hands over one buffer after the other until one isn't used up; answers the bytes, or a negated errno where there are none. */
  const each = (move: (start: number, length: number, done: number) => Result): Result => {
    let total = 0;
    for (let index = 0; index < iovecCount; index += 2) {
      const length = iovecs[index + 1] as number;
      const count = move(iovecs[index] as number, length, total);
      if (count < 0) return total || count;
      total += count;
      if (count < length) break;
    }
    return total;
  };

  const readFile = (file: Descriptor, offset: number): Result => {
    const backend = guest.hold(file);
    return each((start, length, done) => backend.read(file.node, offset + done, guest.bytes, start, length));
  };

  const writeFile = (file: Descriptor, offset: number, append: boolean): Result => {
    const backend = guest.hold(file);
    const { node, flags } = file;
    const total = each((start, length, done) =>
      append
        ? backend.append(node, guest.bytes, start, length)
        : backend.write(node, offset + done, guest.bytes, start, length),
    );
    if (append) file.position = Math.max(backend.size(node), 0);
    const synced =
      total > 0 && (flags & FDFLAGS_ANY_SYNC) !== 0 ? backend.sync(node, (flags & FDFLAGS_SYNC) === 0) : 0;
    return synced < 0 ? synced : total;
  };

  const readStream = (stream: Stream, flags: number): Result =>
    each((start, length, done) => {
      for (;;) {
        const count = stream.readInto(guest.bytes, start, length);
        if (count !== -ERRNO_AGAIN || done > 0 || (flags & FDFLAGS_NONBLOCK) !== 0) return count;
        if (!stream.wait(guest.left())) {
          if (guest.left() <= 0) return -ERRNO_INTR;
          throw stuck(stream);
        }
        if (!guest.has(start, length)) return -ERRNO_FAULT;
      }
    });

  /**
   * Several buffers go as one piece: lines stay whole, and nothing is looked at again after code of the host has run. Where
   * they are large the first one goes alone, as a short write.
   */
  const writeStream = (stream: Stream, total: number, flags: number): Result => {
    if (total === 0) return 0;
    if (iovecCount === 2 || total > GATHERED)
      return stream.writeFrom(guest.bytes, iovecs[0] as number, iovecs[1] as number, flags);
    gathered ??= new Uint8Array(GATHERED);
    const into = gathered;
    each((start, length, done) => {
      into.set(guest.bytes.subarray(start, start + length), done);
      return length;
    });
    return stream.writeFrom(into, 0, total, flags);
  };

  const readAny = importOf(guest, [
    (file: Descriptor, vectors: number, count: number) => {
      const total = load(vectors, count);
      if (total < 0) return total;
      if (file.stream !== undefined) return readStream(file.stream, file.flags);
      const read = readFile(file, file.position);
      if (read > 0) file.position += read;
      return read;
    },
    4,
    RIGHT_FD_READ,
    ACCESS_READ,
    ERRNO_ISDIR,
  ]);

  const writeAny = importOf(guest, [
    (file: Descriptor, vectors: number, count: number) => {
      const total = load(vectors, count);
      if (total < 0) return total;
      if (file.stream !== undefined) return writeStream(file.stream, total, file.flags);
      const append = (file.flags & FDFLAGS_APPEND) !== 0;
      if (!append && file.position + total > LARGEST_OFFSET) return -ERRNO_FBIG;
      const written = writeFile(file, file.position, append);
      if (written > 0 && !append) file.position += written;
      return written;
    },
    4,
    RIGHT_FD_WRITE,
    ACCESS_WRITE,
    ERRNO_ISDIR,
  ]);

  /** fd_pread and fd_pwrite: `move` gets the bytes that there is room for. */
  const positioned = (
    right: number,
    access: number,
    move: (file: Descriptor, at: number, total: number) => Result,
  ) => {
    const body: Body = (file: Descriptor, vectors: number, count: number, offset: bigint) => {
      const total = load(vectors, count);
      const at = Number(offset);
      return total < 0 ? total : at < 0 ? -ERRNO_INVAL : move(file, at, total);
    };
    return importOf(guest, [body, 4, right | RIGHT_FD_SEEK, access, ERRNO_ISDIR, ERRNO_SPIPE]);
  };

  return {
    // The most frequent read and write, of one buffer that lies in the memory, go the short way; all others the general one.

    fd_read(fd: number, vectors: number, count: number, result: number) {
      const file = entries[fd >>> 0];
      const { bytes, view } = guest;
      const vector = vectors >>> 0;
      const out = result >>> 0;
      if (
        count === 1 &&
        file?.backend !== undefined &&
        (file.rights & RIGHT_FD_READ) !== 0 &&
        vector + 8 <= bytes.length &&
        out + 4 <= bytes.length
      ) {
        const start = view.getUint32(vector, true);
        const length = view.getUint32(vector + 4, true);
        if (start + length <= bytes.length) {
          try {
            const { backend, position } = file;
            // Nobody else can use it: there is nothing to lock.
            const alone = backend.shared === false;
            if (!alone) guest.hold(file);
            const read = backend.read(file.node, position, bytes, start, length);
            if (!alone) guest.end();
            if (read < 0) return -read;
            file.position = position + read;
            guest.setU32(out, read);
            return 0;
          } catch (error) {
            guest.broken = true;
            return guest.caught(error);
          }
        }
      }
      return readAny(fd, vectors, count, result);
    },

    fd_write(fd: number, vectors: number, count: number, result: number) {
      const file = entries[fd >>> 0];
      const { bytes, view } = guest;
      const vector = vectors >>> 0;
      const out = result >>> 0;
      if (
        count === 1 &&
        file !== undefined &&
        (file.rights & RIGHT_FD_WRITE) !== 0 &&
        (file.flags & FDFLAGS_ANY_SYNC) === 0 &&
        vector + 8 <= bytes.length &&
        out + 4 <= bytes.length
      ) {
        const start = view.getUint32(vector, true);
        const length = view.getUint32(vector + 4, true);
        const { backend, stream, position, node } = file;
        // A file in memory that nobody else can use: there is nothing to lock, no other code runs, and it has a limit of its own.
        const alone = backend?.shared === false;
        if (start + length <= bytes.length && (alone || position + length <= LARGEST_OFFSET)) {
          try {
            let written = 0;
            if (stream !== undefined) {
              written = stream.writeFrom(bytes, start, length, file.flags);
            } else if (backend !== undefined) {
              if (!alone) guest.hold(file);
              if ((file.flags & FDFLAGS_APPEND) === 0) {
                written = backend.write(node, position, bytes, start, length);
                if (written > 0) file.position = position + written;
              } else {
                written = backend.append(node, bytes, start, length);
                file.position = Math.max(backend.size(node), 0);
              }
              if (!alone) guest.end();
            }
            if (written < 0) return -written;
            if (alone) view.setUint32(out, written, true);
            else guest.setU32(out, written);
            return 0;
          } catch (error) {
            guest.broken = true;
            return guest.caught(error);
          }
        }
      }
      return writeAny(fd, vectors, count, result);
    },

    fd_pread: positioned(RIGHT_FD_READ, ACCESS_READ, (file, at) =>
      at > LARGEST_OFFSET ? 0 : readFile(file, at),
    ),

    fd_pwrite: positioned(RIGHT_FD_WRITE, ACCESS_WRITE, (file, at, total) =>
      at + total > LARGEST_OFFSET ? -ERRNO_FBIG : writeFile(file, at, false),
    ),

    fd_seek: importOf(guest, [
      (file: Descriptor, offset: bigint, whence: number) => {
        if (file.stream !== undefined) return file.stream.seekable ? 0 : -ERRNO_SPIPE;
        let target = Number(offset);
        // Preview 1 counts start, current, end; `wasi_unstable` current, end, start.
        const from = ((whence & 0xff) + (unstable ? 1 : 0)) % 3;
        // Asking where one is takes less than moving.
        const asks = target === 0 && from === 1;
        if ((file.rights & (asks ? RIGHT_FD_TELL | RIGHT_FD_SEEK : RIGHT_FD_SEEK)) === 0)
          return -ERRNO_NOTCAPABLE;
        if ((whence & 0xff) > 2) return -ERRNO_INVAL;
        if (from === 1) target += file.position;
        if (from === 2) {
          const size = guest.hold(file).size(file.node);
          if (size < 0) return size;
          target += size;
        }
        if (target < 0 || target > LARGEST_OFFSET) return -ERRNO_INVAL;
        file.position = target;
        return target;
      },
      8,
      0,
      0,
      ERRNO_ISDIR,
    ]),

    fd_tell: importOf(guest, [
      (file: Descriptor) => {
        if (file.stream !== undefined && !file.stream.seekable) return -ERRNO_SPIPE;
        return (file.rights & (RIGHT_FD_TELL | RIGHT_FD_SEEK)) === 0 ? -ERRNO_NOTCAPABLE : file.position;
      },
      8,
      0,
      0,
      ERRNO_ISDIR,
    ]),
  };
}
