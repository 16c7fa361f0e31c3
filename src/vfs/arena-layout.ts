/*
 * The arena is one buffer that holds a whole file system: a header, pages of 64 KiB, and in them inodes, directories and data.
 * Addresses are indices of 32-bit words (so every block starts at a multiple of 16 words), 0 stands for none.
 *
 * Every change of metadata goes through `put`, which notes the former value first. An operation ends in `commit`; until then
 * `rollback` takes it back: when it fails half way, or when the thread that held the lock was terminated.
 * What is written without `put` must be unreachable until the commit, or data of files, or one word that is right either way.
 */

export const PAGE_WORDS = 1 << 14;
/** Addresses in bytes stay below 2^31, so that they are small integers everywhere. */
export const MAX_PAGES = 32767;

/** The header fills page 1; page 0 (and each 4096th) describes pages, see arena-pages.ts. */
export const HEADER = PAGE_WORDS;
export const MAGIC = HEADER;
export const LOCK = HEADER + 1;
/** Pages of the buffer. */
export const CAPACITY = HEADER + 2;
/** Pages ever handed out. */
export const PAGES = HEADER + 3;
/** Bytes that may be in use, and bytes in use. */
export const LIMIT = HEADER + 4;
export const USED = HEADER + 5;
/** The next inode number, 64 bits. */
export const NEXT_INO = HEADER + 6;
export const ROOT = HEADER + 8;
export const DEVICE = HEADER + 9;
/** A node whose last reference is gone and that is being taken apart. */
export const PENDING = HEADER + 10;
export const LOG_LENGTH = HEADER + 11;
/** Salt of the directories' hashes, so that colliding names can't be made ahead. */
export const SALT = HEADER + 12;
export const GENERATION = HEADER + 13;
/** Lists of pages with free blocks, by class 6…15. */
export const SMALL = HEADER + 16;
/** Lists of free runs of 2^k pages, k = 0…11. */
export const RUNS = HEADER + 32;
/** Threads that share the arena: generation (0: free), deadline, table of retains, its class and count. */
export const OWNERS = HEADER + 64;
export const OWNER_WORDS = 4;
export const MAX_OWNERS = 1024;
export const LOG = OWNERS + MAX_OWNERS * OWNER_WORDS;
export const LOG_END = HEADER + PAGE_WORDS;
export const MAGIC_VALUE = 0x616e7231;
