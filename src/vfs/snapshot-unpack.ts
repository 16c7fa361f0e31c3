import { digest } from "../binary/digest.js";
import { WasmexError } from "../errors.js";
import {
  type Backend,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  FILETYPE_SYMBOLIC_LINK,
  type Node,
} from "./contract.js";
import { DIGEST, END, HEADER, LINK, MAGIC, VERSION } from "./snapshot-format.js";

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
