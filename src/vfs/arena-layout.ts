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
/** A shared arena without a limit reserves 1 GiB, or what `growable` makes of that. */
export const SHARED_PAGES = 16384;
export const UNLIMITED = 0x7fffffff;

/** The header fills page 1; page 0 (and each 4096th) describes pages, see arena-pages.ts. */
export const HEADER = PAGE_WORDS;
export const MAGIC = HEADER;
/** The lock: who holds it, as 1 + the index among the owners; in the next word who waits for it. */
export const LOCK = HEADER + 1;
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
/** Pages of the buffer. */
export const CAPACITY = HEADER + 14;
/** Lists of pages with free blocks, by class 6…15. */
export const SMALL = HEADER + 16;
/** Lists of free runs of 2^k pages, k = 0…11. */
export const RUNS = HEADER + 32;
/** Threads that share the arena: generation (0: free, negated once it is retired), deadline, list of retains, its class and count. */
export const OWNERS = HEADER + 64;
export const OWNER_WORDS = 4;
export const MAX_OWNERS = 1024;
export const LOG = OWNERS + MAX_OWNERS * OWNER_WORDS;
export const LOG_END = HEADER + PAGE_WORDS;
export const MAGIC_VALUE = 0x616e7231;

/*
 * Blocks of 2^class bytes. Classes 6…15 are cut from pages of one class each; a class of 16 and more is a run of whole pages,
 * aligned to its length, split and joined as buddies. Page 0 of each 4096 holds their descriptors, 4 words a page:
 *
 *   state, next, previous: links of the list that the page (or the run that begins with it) is in, first free block
 *
 * state: FREE | order, RUN | order, or SMALL_PAGE | class | blocks ever cut << 5 | blocks in use << 16; 0 inside of runs.
 *
 * Rule: within one operation allocate first and free last, or what was freed may be overwritten before the commit.
 */

export const MIN_CLASS = 6;
export const PAGE_CLASS = 16;
export const MAX_ORDER = 11;
export const FREE = 1 << 30;
export const RUN = 1 << 29;
export const SMALL_PAGE = 1 << 28;
export const CUT = 1 << 5;
export const IN_USE = 1 << 16;

/*
 * An inode is a block of 16 words; its address is the node. A file's data is one block, or (MAPPED) a table of blocks of
 * 64 KiB with 0 for holes. What lies in a block beyond the file's size is undefined and is zeroed when the file grows.
 */

/** Filetype and the flags below. */
export const KIND = 0;
export const LINKS = 1;
/** Retains by all threads. */
export const OPENS = 2;
export const INO = 3;
export const SIZE = 5;
export const DATA = 7;
/** Class of the block at DATA; 0 where there is none. */
export const CLASS = 8;
export const ATIME = 10;
export const MTIME = 12;
export const CTIME = 14;

/** A directory's entries, its parent (in the words of SIZE), and the slots of its table in use. */
export const COUNT = 5;
export const PARENT = 6;
export const SLOTS = 9;

/*
 * Reads and writes only mark a time for update; it is set when the file is looked at or closed, as POSIX allows
 * (XBD 4.12): a clock read costs more than the write of a small record.
 */
export const MARK_ATIME = 0x100;
export const MARK_MTIME = 0x200;
export const MAPPED = 0x400;

/*
 * A directory's entries are one block: a header, a hash table of slot numbers (from 1), the slots in order of insertion, and the
 * names (a length byte, then the bytes); how long these are follows from the block's class. A removed entry leaves its slot, with
 * inode 0; when slots or names are used up, a new block takes over what is left. Each slot has a number that only grows: the cookie
 * of readdir.
 */

export const MIN_DIRECTORY_CLASS = 8;
/** Header: bytes of names in use, next cookie. */
export const D_NAMES_USED = 0;
export const D_COOKIE = 1;
export const D_TABLE = 8;
/** Slot: hash, inode, offset of its name, cookie. */
export const SLOT_WORDS = 4;
export const S_INODE = 1;
export const S_NAME = 2;
export const S_COOKIE = 3;

/** Offsets in an owner's record: the list of what it retains, and that block's class | nodes in it << 5. */
export const OWNER_LIST = 2;
export const OWNER_STATE = 3;

export const BLOCK = 1 << PAGE_CLASS;
/** Copies below this are faster byte by byte than through `subarray`. */
export const SMALL_COPY = 48;

/** What a table of blocks of at most 4 MiB reaches. */
export const MAX_FILE_SIZE = 0x1000000000;

/** The pages that so many bytes of blocks may take, so that no pattern of frees makes the arena grow without a bound. */
export const pagesFor = (limit: number): number => Math.min(MAX_PAGES, limit / 32768 + 64);
