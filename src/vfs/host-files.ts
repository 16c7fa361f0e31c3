import { type Backend, FILETYPE_DIRECTORY } from "./contract.js";
import { ERRNO_BUSY, ERRNO_NOTEMPTY } from "./errno.js";
import type { MountTable } from "./mounts.js";

/** What a file can be made of; text is written as UTF-8. */
export type FileContent = string | ArrayBuffer | SharedArrayBuffer | ArrayBufferView;

export function isBackend(value: unknown): value is Backend {
  const backend = value as Partial<Backend> | null;
  return (
    typeof value === "object" &&
    typeof backend?.openRoot === "function" &&
    typeof backend.lookup === "function"
  );
}

/** The whole content, in a copy. */
export function readAll(backend: Backend, node: number): Uint8Array<ArrayBuffer> | number {
  const opened = backend.openFile(node, true, false);
  if (opened < 0) {
    return opened;
  }
  try {
    const size = backend.size(node);
    if (size < 0) {
      return size;
    }
    // One byte more, to see the end of a file whose size isn't known.
    let bytes = new Uint8Array(size + 1);
    let length = 0;
    for (;;) {
      const read = backend.read(node, length, bytes, length, bytes.length - length);
      if (read < 0) {
        return read;
      }
      length += read;
      if (read === 0) {
        return bytes.slice(0, length);
      }
      if (length === bytes.length) {
        const larger = new Uint8Array(length * 2 + 4096);
        larger.set(bytes);
        bytes = larger;
      }
    }
  } finally {
    backend.closeFile(node);
  }
}

/** Puts a content in the place of the one that is there. */
export function writeAll(backend: Backend, node: number, bytes: Uint8Array): number {
  const opened = backend.openFile(node, false, true);
  if (opened < 0) {
    return opened;
  }
  try {
    let result = backend.truncate(node, 0);
    for (let done = 0; result >= 0 && done < bytes.length; done += result) {
      result = backend.write(node, done, bytes, done, bytes.length - done);
    }
    return Math.min(result, 0);
  } finally {
    backend.closeFile(node);
  }
}

/** The names in a directory, each in its own bytes, in the directory's order. */
export function rawNamesIn(backend: Backend, directory: number): Uint8Array<ArrayBuffer>[] {
  const names: Uint8Array<ArrayBuffer>[] = [];
  backend.readdir(directory, 0, (name, start, end) => {
    names.push(new Uint8Array(name.subarray(start, end)));
    return true;
  });
  return names;
}

/**
 * Removes what is in a directory, the deepest first; what is mounted in it stays, and is an error. Without recursion: a guest can
 * nest directories deeper than the stack reaches.
 */
export function emptyDirectory(backend: Backend, root: number, mounts: MountTable): number {
  const open = [{ node: root, names: rawNamesIn(backend, root) }];
  for (let inner = open[0]; inner !== undefined; inner = open[open.length - 1]) {
    const { node: directory, names } = inner;
    const name = names[names.length - 1];
    if (name === undefined) {
      open.pop();
      continue;
    }
    const node = backend.lookup(directory, name, 0, name.length);
    let result = node;
    if (node > 0 && mounts.mountAt(backend, node) !== undefined) {
      result = -ERRNO_BUSY;
    } else if (node > 0 && backend.filetype(node) === FILETYPE_DIRECTORY) {
      result = backend.rmdir(directory, name, 0, name.length);
      if (result === -ERRNO_NOTEMPTY) {
        open.push({ node, names: rawNamesIn(backend, node) });
        continue;
      }
    } else if (node > 0) {
      result = backend.unlink(directory, name, 0, name.length);
    }
    if (result < 0) {
      return result;
    }
    names.pop();
  }
  return 0;
}
