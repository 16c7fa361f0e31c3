import type { BigIntStats } from "node:fs";
import {
  FILETYPE_BLOCK_DEVICE,
  FILETYPE_CHARACTER_DEVICE,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  FILETYPE_SOCKET_STREAM,
  FILETYPE_SYMBOLIC_LINK,
  FILETYPE_UNKNOWN,
} from "../../src/vfs/contract.js";
import type { Cookies } from "../../src/vfs/cookies.js";

/** What stands behind one node number: a name in a directory, and the descriptors that pin what it named. */
export class Entry {
  /** The directory that it was found in; `undefined` for the root and where that directory is no longer held. */
  parent: Entry | undefined;
  name: Uint8Array;
  filetype: number;
  dev = 0n;
  ino = 0n;
  /** What `lstat` said in this operation; gone once the operation is over. */
  stats: BigIntStats | undefined;
  /** A descriptor that only names the file (`O_PATH`), or -1. */
  handle = -1;
  /** The descriptor for reads and writes, or -1. */
  io = -1;
  readable = false;
  writable = false;
  /** A second descriptor with `O_APPEND`: on Linux a positioned write on one of those appends, whatever the position. */
  appender = -1;
  retains = 0;
  /** A link's target, kept from when the link was retained. */
  target: Uint8Array | undefined;
  /** Why it could not be pinned when it was retained: what every later call answers. */
  lost = 0;
  listing: Cookies<Uint8Array> | undefined;
  /** Of a directory that is held by its path and was removed by this file system: what there is left to tell of it. */
  gone: BigIntStats | undefined;

  constructor(parent: Entry | undefined, name: Uint8Array, filetype: number) {
    this.parent = parent;
    this.name = name;
    this.filetype = filetype;
  }

  /** Remembers what `lstat` or `fstat` said. */
  seen(stats: BigIntStats): void {
    this.stats = stats;
    this.dev = stats.dev;
    this.ino = stats.ino;
    this.filetype = filetypeOf(stats);
  }
}

const S_IFMT = 0o170000;
const filetypes = new Map<number, number>([
  [0o140000, FILETYPE_SOCKET_STREAM],
  [0o120000, FILETYPE_SYMBOLIC_LINK],
  [0o100000, FILETYPE_REGULAR_FILE],
  [0o060000, FILETYPE_BLOCK_DEVICE],
  [0o040000, FILETYPE_DIRECTORY],
  [0o020000, FILETYPE_CHARACTER_DEVICE],
]);

export function filetypeOf(stats: { readonly mode: number | bigint }): number {
  // A FIFO has no type of its own in preview 1.
  return filetypes.get(Number(stats.mode) & S_IFMT) ?? FILETYPE_UNKNOWN;
}

/** Plain bytes, whose `slice` copies; some runtimes answer strings whatever encoding is asked for. */
export function toBytes(name: Buffer | string): Uint8Array {
  const { buffer, byteOffset, byteLength } = typeof name === "string" ? Buffer.from(name) : name;
  return new Uint8Array(buffer, byteOffset, byteLength);
}
