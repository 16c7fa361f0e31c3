import { platform } from "../platform.js";
import type { ShimInode } from "./shim-objects.js";

/** What the package's inodes don't have, for as long as they live. */
export interface Extra {
  /** For an inode without a number. */
  readonly ino: bigint;
  /** Nanoseconds; absent where the inode's own are to be believed. */
  atim?: bigint | undefined;
  mtim?: bigint | undefined;
  ctim?: bigint;
  /** A directory that has none left takes no new names. */
  links: number;
}

const extras = new WeakMap<ShimInode, Extra>();
let lastIno = 1n << 61n;

export function extraOf(inode: ShimInode): Extra {
  let extra = extras.get(inode);
  if (extra === undefined) {
    extra = { ino: lastIno++, links: 1 };
    extras.set(inode, extra);
  }
  return extra;
}

/** Notes that an inode was changed now, and its content too. */
export function changed(inode: ShimInode, content: boolean): Extra {
  const extra = extraOf(inode);
  const now = BigInt(Math.floor(platform().now() * 1e3)) * 1_000n;
  extra.ctim = now;
  if (content) extra.mtim = now;
  return extra;
}
