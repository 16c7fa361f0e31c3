// Numbers of WASI preview 1. Nothing is imported here, so that esbuild puts the values where they are used.

/** `fdflags`. */
export const FDFLAGS_APPEND = 1;
export const FDFLAGS_DSYNC = 2;
export const FDFLAGS_NONBLOCK = 4;
export const FDFLAGS_RSYNC = 8;
export const FDFLAGS_SYNC = 16;
export const FDFLAGS_ANY_SYNC = FDFLAGS_DSYNC | FDFLAGS_SYNC;
export const ALL_FDFLAGS = FDFLAGS_APPEND | FDFLAGS_NONBLOCK | FDFLAGS_RSYNC | FDFLAGS_ANY_SYNC;

/** `oflags`. */
export const OFLAGS_CREAT = 1;
export const OFLAGS_DIRECTORY = 2;
export const OFLAGS_EXCL = 4;
export const OFLAGS_TRUNC = 8;
export const ALL_OFLAGS = 15;

/** The only one of the `lookupflags`: to follow a link in the last place. */
export const LOOKUP_SYMLINK_FOLLOW = 1;

/** `fstflags`: the time given; the next bit of each means now. */
export const FSTFLAGS_ATIM = 1;
export const FSTFLAGS_MTIM = 4;
export const ALL_FSTFLAGS = 15;

/** `eventtype` and its flags, and the size of an event in bytes. */
export const EVENT_CLOCK = 0;
export const EVENT_FD_READ = 1;
export const EVENT_FD_WRITE = 2;
export const EVENT_HANGUP = 1;
export const CLOCK_ABSOLUTE = 1;
export const EVENT_SIZE = 32;

/** `clockid`, and the last that there is: of the thread's processor time. */
export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
export const CLOCK_LAST = 3;

/** The head of a `dirent`, in bytes. */
export const DIRENT_SIZE = 24;

/** `Number.MAX_SAFE_INTEGER`: the largest offset in a file. */
export const LARGEST_OFFSET = 9007199254740991;
/** Two 32-bit halves of a 64-bit number without a `BigInt`. */
export const TWO_32 = 0x100000000;
