/** WASI preview 1, as far as the tests of file systems say it. */
export const OFLAGS_CREAT = 1;
export const OFLAGS_DIRECTORY = 2;
export const OFLAGS_EXCL = 4;
export const OFLAGS_TRUNC = 8;
export const FDFLAGS_APPEND = 1;
export const FSTFLAGS_ATIM = 1;
export const FSTFLAGS_ATIM_NOW = 2;
export const FSTFLAGS_MTIM = 4;
export const FSTFLAGS_MTIM_NOW = 8;
export const RIGHT_FD_READ = 1n << 1n;
export const RIGHT_FD_READDIR = 1n << 14n;
export const RIGHT_FD_WRITE = 1n << 6n;
/** Every right but sockets'. */
export const PREVIEW1_RIGHTS = (1n << 28n) - 1n;
/** The same without `fd_datasync`, `fd_write`, `fd_allocate` and `fd_filestat_set_size`, as wasi-libc opens for reading. */
export const READING_RIGHTS = PREVIEW1_RIGHTS & ~RIGHT_FD_WRITE & ~(1n | (1n << 8n) | (1n << 22n));
