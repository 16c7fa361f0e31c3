// Of the bytes of a pipe, local or shared. Nothing is imported here, so that esbuild puts the values where they are used.

/** WASI preview 1 `errno.again`: nothing to take, or no room, at the moment. */
export const AGAIN = 6;
/** WASI preview 1 `errno.nomem`. */
export const NO_MEMORY = 48;

/** What a shared queue can grow to where the engine grants that much address space. */
export const SHARED_MAXIMUM = 2 ** 30;

// The header, in 32-bit words. Two slots of (head, tail) and a word that selects one: a thread that is killed between two
// stores leaves the old slot selected, never a torn pair.
export const LOCK = 0;
export const LOCK_WAITERS = 1;
export const SELECTOR = 2;
export const SLOTS = 3;
/** Each of the two is followed by the number of threads that wait for it to go on. */
export const DATA_SEQUENCE = 7;
export const SPACE_SEQUENCE = 9;
export const FLAGS = 11;
export const LIMIT = 12;
export const CAPACITY = 13;
export const HEADER = 64;

export const ENDED = 1;
export const BLOCKING = 2;
