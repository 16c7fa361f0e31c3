// Of the bytes of a pipe, local or shared. Nothing is imported here, so that esbuild puts the values where they are used.

/** WASI preview 1 `errno.again`: nothing to take, or no room, at the moment. */
export const AGAIN = 6;
/** WASI preview 1 `errno.io`: no room, and nobody is to wait for it. */
export const IO = 29;
/** WASI preview 1 `errno.nomem`. */
export const NO_MEMORY = 48;

// The header, in 32-bit words.
/** The lock, and in the next word who waits for it. */
export const LOCK = 0;
/** How many bytes were ever taken and put, modulo 2^32: each changes by one store, so a thread that is killed leaves no torn pair. */
export const HEAD = 2;
export const TAIL = 3;
/** Each of the two is followed by the number of threads that wait for it to go on. */
export const DATA_SEQUENCE = 4;
export const SPACE_SEQUENCE = 6;
export const FLAGS = 8;
export const LIMIT = 9;
export const CAPACITY = 10;
export const HEADER = 64;

export const ENDED = 1;
export const BLOCKING = 2;
export const TERMINAL = 4;

/** How another thread opens the same queue; a plain object for `postMessage`. */
export interface SharedPipe {
  readonly pipe: SharedArrayBuffer;
}

/** Somebody who waits for bytes until they come, or until it is cancelled and the queue's `wake` called. */
export interface Waiting {
  cancelled: boolean;
}
