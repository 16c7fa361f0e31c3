import {
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  FILETYPE_SYMBOLIC_LINK,
  type Filestat,
} from "./contract.js";

/** What is at a path; `"other"` for devices, sockets and pipes of a host directory. */
export type FileKind = "file" | "directory" | "symlink" | "other";

/** What `VirtualFileSystem.stat` tells. Times are in nanoseconds since the epoch. */
export interface FileStat {
  /** File, directory, link or something else. */
  readonly kind: FileKind;
  /** In bytes. */
  readonly size: number;
  /** The same number for every name of one file, within its backend. */
  readonly inode: bigint;
  /** How many names the file has. */
  readonly links: number;
  /** When it was last read, as far as the backend keeps that. */
  readonly accessed: bigint;
  /** When its content was last changed. */
  readonly modified: bigint;
  /** When its content, names or times were last changed. */
  readonly changed: bigint;
}

const KINDS: { readonly [filetype: number]: FileKind } = {
  [FILETYPE_DIRECTORY]: "directory",
  [FILETYPE_REGULAR_FILE]: "file",
  [FILETYPE_SYMBOLIC_LINK]: "symlink",
};

export function fileStat({ filetype, size, longs, words }: Filestat): FileStat {
  return {
    kind: KINDS[filetype] ?? "other",
    size,
    inode: longs[1] as bigint,
    links: words[6] as number,
    accessed: longs[5] as bigint,
    modified: longs[6] as bigint,
    changed: longs[7] as bigint,
  };
}
