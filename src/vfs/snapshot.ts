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

/*
 * "wasmexfs", version u32 | entries | digest, 16 bytes; numbers little-endian.
 *
 * The first entry is the root; a directory's entries follow it, sorted by their bytes, then END:
 *   filetype u8, name length u8, name, access and modification time i64 | of a
 *   file: size f64, blocks u32, and for each block that isn't all zeros its offset f64, length u32 and bytes
 *   link: target length u32, target
 * Another name of a file that came before is LINK, name length u8, name, and the file's number u32, counted from 0.
 */
const MAGIC = "wasmexfs";
const VERSION = 1;
const HEADER = 12;
const DIGEST = 16;
const LINK = 0xfe;
const END = 0xff;
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

/**
 * Fills an empty backend with what `packTree` kept.
 *
 * @param bytes nobody else may be able to change them meanwhile
 * @throws WasmexError for anything but what `packTree` made, to the bit
 */
export function unpackTree(backend: Backend, bytes: Uint8Array<ArrayBuffer>): void {
  const refuse = (why: string): never => {
    throw new WasmexError(`not a file system's snapshot: ${why}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length - DIGEST;
  if (end < HEADER || new TextDecoder().decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) {
    refuse("pass what VirtualFileSystem.snapshot() returned, whole");
  }
  if (view.getUint32(8, true) !== VERSION) {
    refuse(`it is of version ${view.getUint32(8, true)}, this package reads ${VERSION}`);
  }
  if (digest(view, end).some((word, index) => word !== view.getInt32(end + index * 4, true))) {
    refuse("it was cut or altered, its checksum does not fit");
  }
  backend.begin();
  try {
    new Reader(backend, bytes, view, end, refuse).read();
  } catch (error) {
    // Behind a checksum that fits this takes a forger; still nothing but a refusal may come of it.
    throw error instanceof RangeError
      ? new WasmexError("not a file system's snapshot", { cause: error })
      : error;
  } finally {
    backend.end();
  }
}

class Reader {
  readonly #backend: Backend;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  readonly #refuse: (why: string) => never;
  #at = HEADER;

  constructor(
    backend: Backend,
    bytes: Uint8Array,
    view: DataView,
    end: number,
    refuse: (why: string) => never,
  ) {
    this.#backend = backend;
    this.#bytes = bytes;
    this.#view = view;
    this.#end = end;
    this.#refuse = refuse;
  }

  read(): void {
    const backend = this.#backend;
    const files: Node[] = [];
    // Directories get their times when all that is in them was made.
    const open: { node: Node; accessed: bigint; modified: bigint }[] = [];
    do {
      const filetype = this.#u8();
      if (filetype === END) {
        const done = open.pop() ?? this.#refuse("its directories don't match");
        backend.setTimes(done.node, done.accessed, done.modified);
        continue;
      }
      const name = this.#name(open.length === 0);
      const directory = open[open.length - 1]?.node ?? 0;
      if (filetype === LINK) {
        const file = files[this.#u32()] ?? this.#refuse("a link leads to no file");
        this.#made(backend.link(file, directory, name, 0, name.length));
        continue;
      }
      const accessed = this.#i64();
      const modified = this.#i64();
      if (filetype === FILETYPE_DIRECTORY) {
        const node =
          directory === 0 ? backend.openRoot() : this.#made(backend.mkdir(directory, name, 0, name.length));
        open.push({ node, accessed, modified });
        continue;
      }
      let node: Node;
      if (filetype === FILETYPE_REGULAR_FILE && directory !== 0) {
        node = this.#made(backend.create(directory, name, 0, name.length));
        this.#content(node);
      } else if (filetype === FILETYPE_SYMBOLIC_LINK && directory !== 0) {
        const target = this.#raw(this.#u32());
        node = this.#made(backend.symlink(directory, name, 0, name.length, target));
      } else {
        this.#refuse(`it has an entry of type ${filetype}`);
      }
      files.push(node);
      backend.setTimes(node, accessed, modified);
    } while (open.length > 0);
    if (this.#at !== this.#end) {
      this.#refuse("something follows its end");
    }
  }

  #content(node: Node): void {
    const size = this.#f64();
    if (!Number.isSafeInteger(size) || size < 0) {
      this.#refuse("a file has no size");
    }
    this.#made(this.#backend.truncate(node, size));
    for (let blocks = this.#u32(); blocks > 0; blocks--) {
      const offset = this.#f64();
      const block = this.#raw(this.#u32());
      if (!Number.isSafeInteger(offset) || offset < 0 || offset + block.length > size) {
        this.#refuse("a block lies outside of its file");
      }
      for (let done = 0; done < block.length; ) {
        done += this.#made(this.#backend.write(node, offset + done, block, done, block.length - done));
      }
    }
  }

  #made(result: number): number {
    if (result < 0) {
      this.#refuse(`an entry can't be made, errno ${-result}`);
    }
    return result;
  }

  #name(root: boolean): Uint8Array {
    const name = this.#raw(this.#u8());
    const dots = name.length <= 2 && name.every((byte) => byte === 46);
    if (root ? name.length > 0 : dots || name.includes(47) || name.includes(0)) {
      this.#refuse("a name is none");
    }
    return name;
  }

  /** Where the next `count` bytes begin. */
  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#end) {
      throw new RangeError("the entries go on past the end");
    }
    this.#at = at + count;
    return at;
  }

  #u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  #u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  #f64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  #raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }
}
