// The limit that WASI is measured against: imports that do just the work. No checks, no rights, one flat in-memory file
// system, no links, no times; nothing that a hostile or even a careless guest could be run with.

const encoder = new TextEncoder();

export function minimalWasi() {
  /** @type {WebAssembly.Memory} */
  let memory;
  /** @type {Uint8Array} */
  let bytes;
  /** @type {DataView} */
  let view;
  const files = new Map();
  const listing = [".", ".."].map((name) => ({ name: encoder.encode(name), ino: 1, type: 3 }));
  /** @type {any[]} */
  const fds = [undefined, { file: newFile(0), position: 0, append: false }, undefined, {}];
  const pool = new Uint8Array(65_536);
  let used = pool.length;

  function newFile(ino) {
    return { data: new Uint8Array(0), size: 0, ino };
  }
  function refresh() {
    if (bytes.length === 0) {
      bytes = new Uint8Array(memory.buffer);
      view = new DataView(memory.buffer);
    }
  }
  function key(pointer, length) {
    let text = "";
    for (let index = 0; index < length; index++) text += String.fromCharCode(bytes[pointer + index]);
    return text;
  }

  return {
    /** Empties what stdout has collected. */
    drain() {
      fds[1].file.size = 0;
      fds[1].position = 0;
    },
    /** @param {WebAssembly.Memory} it */
    bind(it) {
      memory = it;
      bytes = new Uint8Array(memory.buffer);
      view = new DataView(memory.buffer);
    },
    imports: {
      fd_write(fd, iovs, _count, result) {
        refresh();
        const open = fds[fd];
        const { file } = open;
        const start = view.getUint32(iovs, true);
        const length = view.getUint32(iovs + 4, true);
        const position = open.append ? file.size : open.position;
        const end = position + length;
        if (end > file.data.length) {
          const larger = new Uint8Array(Math.max(end, file.data.length * 2));
          larger.set(file.data);
          file.data = larger;
        }
        if (length < 32)
          for (let index = 0; index < length; index++) file.data[position + index] = bytes[start + index];
        else file.data.set(bytes.subarray(start, start + length), position);
        if (end > file.size) file.size = end;
        open.position = end;
        view.setUint32(result, length, true);
        return 0;
      },
      fd_read(fd, iovs, _count, result) {
        refresh();
        const open = fds[fd];
        const { file, position } = open;
        const start = view.getUint32(iovs, true);
        const length = Math.min(view.getUint32(iovs + 4, true), file.size - position);
        if (length < 32)
          for (let index = 0; index < length; index++) bytes[start + index] = file.data[position + index];
        else bytes.set(file.data.subarray(position, position + length), start);
        open.position = position + length;
        view.setUint32(result, length, true);
        return 0;
      },
      fd_seek(fd, offset, _whence, result) {
        fds[fd].position = Number(offset);
        view.setBigUint64(result, offset, true);
        return 0;
      },
      fd_close(fd) {
        fds[fd] = undefined;
        return 0;
      },
      fd_readdir(_fd, pointer, size, cookie, result) {
        const end = pointer + size;
        let at = pointer;
        for (let index = Number(cookie); index < listing.length; index++) {
          const { name, ino, type } = listing[index];
          if (at + 24 + name.length > end) {
            at = end;
            break;
          }
          view.setUint32(at, index + 1, true);
          view.setUint32(at + 4, 0, true);
          view.setUint32(at + 8, ino, true);
          view.setUint32(at + 12, 0, true);
          view.setUint32(at + 16, name.length, true);
          view.setUint32(at + 20, type, true);
          for (let byte = 0; byte < name.length; byte++) bytes[at + 24 + byte] = name[byte];
          at += 24 + name.length;
        }
        view.setUint32(result, at - pointer, true);
        return 0;
      },
      path_open(_fd, _flags, pointer, length, _oflags, _base, _inheriting, fdflags, result) {
        const path = key(pointer, length);
        let file = files.get(path);
        if (file === undefined) {
          file = newFile(files.size + 2);
          files.set(path, file);
          if (path.startsWith("d/"))
            listing.push({ name: encoder.encode(path.slice(2)), ino: file.ino, type: 4 });
        }
        let fd = 4;
        while (fd < fds.length && fds[fd] !== undefined) fd++;
        fds[fd] = { file, position: 0, append: (fdflags & 1) !== 0 };
        view.setUint32(result, fd, true);
        return 0;
      },
      path_filestat_get(_fd, _flags, pointer, length, result) {
        const file = files.get(key(pointer, length));
        if (file === undefined) return 44;
        for (let word = 0; word < 16; word++) view.setUint32(result + 4 * word, 0, true);
        view.setUint32(result, 1, true);
        view.setUint32(result + 8, file.ino, true);
        view.setUint32(result + 16, 4, true);
        view.setUint32(result + 24, 1, true);
        view.setUint32(result + 32, file.size, true);
        return 0;
      },
      path_unlink_file(_fd, pointer, length) {
        files.delete(key(pointer, length));
        return 0;
      },
      clock_time_get(_id, _precision, result) {
        view.setBigUint64(result, BigInt(Math.round(performance.now() * 1e6)), true);
        return 0;
      },
      random_get(pointer, length) {
        if (used + length > pool.length) {
          crypto.getRandomValues(pool);
          used = 0;
        }
        if (length < 32)
          for (let index = 0; index < length; index++) bytes[pointer + index] = pool[used + index];
        else bytes.set(pool.subarray(used, used + length), pointer);
        used += length;
        return 0;
      },
    },
  };
}
