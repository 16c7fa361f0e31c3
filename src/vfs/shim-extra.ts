import { platform } from "../platform.js";
import { FILETYPE_DIRECTORY } from "./contract.js";
import type { ShimInode } from "./shim-objects.js";

/** What the package's inodes don't have, for as long as they live. */
export interface Extra {
  /** For an inode without a number. */
  readonly ino: bigint;
  /** Nanoseconds; `undefined` where the inode's own are to be believed. */
  atim: bigint | undefined;
  mtim: bigint | undefined;
  ctim: bigint | undefined;
  links: number;
  /** A directory whose last name is gone takes no new ones. */
  removed: boolean;
}

const extras = new WeakMap<ShimInode, Extra>();
let lastIno = 1n << 61n;

export function extraOf(inode: ShimInode): Extra {
  let extra = extras.get(inode);
  if (extra === undefined) {
    const unset = { atim: undefined, mtim: undefined, ctim: undefined };
    extra = { ino: lastIno++, ...unset, links: 1, removed: false };
    extras.set(inode, extra);
  }
  return extra;
}

/** Notes that an inode was changed now, and its content too. */
export function changed(inode: ShimInode, content: boolean): Extra {
  const extra = extraOf(inode);
  const now = BigInt(Math.floor(platform().now() * 1e3)) * 1_000n;
  extra.ctim = now;
  if (content) {
    extra.mtim = now;
  }
  return extra;
}

/** Notes that one name of an inode is gone. */
export function gone(inode: ShimInode): void {
  const extra = changed(inode, false);
  extra.links--;
  extra.removed = extra.links === 0;
}

export function isDirectory(inode: ShimInode): boolean {
  return inode.stat().filetype === FILETYPE_DIRECTORY;
}
