import { digest } from "../binary/digest.js";
import { WasmexError } from "../errors.js";
import {
  type Backend,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  FILETYPE_SYMBOLIC_LINK,
  Filestat,
  type Node,
} from "./contract.js";
import { rawNamesIn } from "./host-files.js";
import type { MemoryBackend } from "./memory-backend.js";
import type { Place } from "./mounts.js";
import { DIGEST, END, LINK, MAGIC, VERSION } from "./snapshot-format.js";

const BLOCK = 65536;

class Writer {
  bytes = new Uint8Array(4096);
  view = new DataView(this.bytes.buffer);
  length = 0;

  /** Room for that many bytes; answers where. */
  take(count: number): number {
    const at = this.length;
    if (at + count > this.bytes.length) {
      const larger = new Uint8Array((at + count) * 2);
      larger.set(this.bytes.subarray(0, at));
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    this.length = at + count;
    return at;
  }

  u8(value: number): void {
    // `take` first: it may replace the view.
    const at = this.take(1);
    this.view.setUint8(at, value);
  }

  u32(value: number): void {
    const at = this.take(4);
    this.view.setUint32(at, value, true);
  }

  f64(value: number): void {
    const at = this.take(8);
    this.view.setFloat64(at, value, true);
  }

  raw(bytes: Uint8Array): void {
    const at = this.take(bytes.length);
    this.bytes.set(bytes, at);
  }
}

/** The tree of one backend; what is mounted in it isn't there. */
export function packTree({ backend, node }: Place): Uint8Array {
  const to = new Writer();
  to.raw(new TextEncoder().encode(MAGIC));
  to.u32(VERSION);
  backend.begin();
  try {
    packEntries(to, backend, node);
  } finally {
    backend.end();
  }
  const end = to.take(DIGEST);
  digest(to.view, end).forEach((word, index) => {
    to.view.setInt32(end + index * 4, word, true);
  });
  return to.bytes.slice(0, to.length);
}

const stat = new Filestat();

function check(result: number): number {
  if (result < 0) {
    throw new WasmexError(`the file system can't be read for a snapshot: errno ${-result}`);
  }
  return result;
}

/** Without recursion: a guest can nest directories deeper than the stack reaches. */
function packEntries(to: Writer, backend: Backend, root: Node): void {
  const files = new Map<bigint, number>();
  const open: { readonly node: Node; readonly names: Uint8Array<ArrayBuffer>[] }[] = [];
  let node = root;
  let name = new Uint8Array(0);
  for (;;) {
    if (packEntry(to, backend, node, name, files)) {
      open.push({ node, names: rawNamesIn(backend, node).sort(compare).reverse() });
    }
    let inner = open[open.length - 1];
    while (inner !== undefined && inner.names.length === 0) {
      to.u8(END);
      open.pop();
      inner = open[open.length - 1];
    }
    const next = inner?.names.pop();
    if (inner === undefined || next === undefined) {
      return;
    }
    name = next;
    node = check(backend.lookup(inner.node, name, 0, name.length));
  }
}

/** Answers whether it is a directory, whose entries and END are to follow. */
function packEntry(
  to: Writer,
  backend: Backend,
  node: Node,
  name: Uint8Array,
  files: Map<bigint, number>,
): boolean {
  check(backend.stat(node, stat));
  const { filetype } = stat;
  const isFolder = filetype === FILETYPE_DIRECTORY;
  if (!isFolder && filetype !== FILETYPE_REGULAR_FILE && filetype !== FILETYPE_SYMBOLIC_LINK) {
    return false;
  }
  const ino = stat.longs[1] as bigint;
  const known = isFolder ? undefined : files.get(ino);
  to.u8(known === undefined ? filetype : LINK);
  to.u8(name.length);
  to.raw(name);
  if (known !== undefined) {
    to.u32(known);
    return false;
  }
  to.raw(stat.bytes.subarray(40, 56));
  if (isFolder) {
    return true;
  }
  files.set(ino, files.size);
  if (filetype === FILETYPE_SYMBOLIC_LINK) {
    const target = backend.readlink(node);
    const bytes = typeof target === "number" ? new Uint8Array(check(target)) : target;
    to.u32(bytes.length);
    to.raw(bytes);
  } else {
    packContent(to, backend, node, stat.size);
  }
  return false;
}

function packContent(to: Writer, backend: Backend, node: Node, size: number): void {
  to.f64(size);
  const counted = to.take(4);
  let blocks = 0;
  check(backend.openFile(node, true, false));
  try {
    const next = (backend as Partial<MemoryBackend>).nextData?.bind(backend);
    for (let offset = 0; offset < size; offset += BLOCK) {
      offset = next === undefined ? offset : next(node, offset);
      if (offset >= size) {
        break;
      }
      const start = to.length;
      to.f64(offset);
      const length = Math.min(BLOCK, size - offset);
      to.u32(length);
      const at = to.take(length);
      for (let done = 0; done < length; ) {
        const read = check(backend.read(node, offset + done, to.bytes, at + done, length - done));
        if (read === 0) {
          to.bytes.fill(0, at + done, at + length);
          break;
        }
        done += read;
      }
      if (isZero(to.bytes, at, length)) {
        to.length = start;
      } else {
        blocks++;
      }
    }
  } finally {
    backend.closeFile(node);
  }
  to.view.setUint32(counted, blocks, true);
}

function isZero(bytes: Uint8Array, start: number, length: number): boolean {
  for (let at = start; at < start + length; at++) {
    if (bytes[at] !== 0) {
      return false;
    }
  }
  return true;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    if (a[at] !== b[at]) {
      return (a[at] as number) - (b[at] as number);
    }
  }
  return a.length - b.length;
}
