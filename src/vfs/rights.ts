/**
 * Two kinds of rights meet here. What the host grants with a preopen's `flags` is `access`: it holds for all that is opened
 * below and is refused with `EACCES`. What WASI calls rights a guest can only give up by itself: refused with `ENOTCAPABLE`.
 */

// This file imports nothing, as do the others of constants: esbuild then puts the values where they are used.

/** Open or list what exists, for reading. */
export const ACCESS_READ = 1;
/** Change, truncate, rename or remove what exists. */
export const ACCESS_WRITE = 2;
/** Add a file, directory or link. */
export const ACCESS_CREATE = 4;

export const RIGHT_FD_DATASYNC = 0x1;
export const RIGHT_FD_READ = 0x2;
export const RIGHT_FD_SEEK = 0x4;
export const RIGHT_FD_FDSTAT_SET_FLAGS = 0x8;
export const RIGHT_FD_SYNC = 0x10;
export const RIGHT_FD_TELL = 0x20;
export const RIGHT_FD_WRITE = 0x40;
export const RIGHT_FD_ADVISE = 0x80;
export const RIGHT_FD_ALLOCATE = 0x100;
export const RIGHT_PATH_CREATE_DIRECTORY = 0x200;
export const RIGHT_PATH_CREATE_FILE = 0x400;
export const RIGHT_PATH_LINK_SOURCE = 0x800;
export const RIGHT_PATH_LINK_TARGET = 0x1000;
export const RIGHT_PATH_OPEN = 0x2000;
export const RIGHT_FD_READDIR = 0x4000;
export const RIGHT_PATH_READLINK = 0x8000;
export const RIGHT_PATH_RENAME_SOURCE = 0x10000;
export const RIGHT_PATH_RENAME_TARGET = 0x20000;
export const RIGHT_PATH_FILESTAT_GET = 0x40000;
export const RIGHT_PATH_FILESTAT_SET_SIZE = 0x80000;
export const RIGHT_PATH_FILESTAT_SET_TIMES = 0x100000;
export const RIGHT_FD_FILESTAT_GET = 0x200000;
export const RIGHT_FD_FILESTAT_SET_SIZE = 0x400000;
export const RIGHT_FD_FILESTAT_SET_TIMES = 0x800000;
export const RIGHT_PATH_SYMLINK = 0x1000000;
export const RIGHT_PATH_REMOVE_DIRECTORY = 0x2000000;
export const RIGHT_PATH_UNLINK_FILE = 0x4000000;
export const RIGHT_POLL_FD_READWRITE = 0x8000000;

/** What applies to a stream, such as a pipe or a terminal. */
export const STREAM_RIGHTS =
  RIGHT_FD_READ |
  RIGHT_FD_WRITE |
  RIGHT_FD_FDSTAT_SET_FLAGS |
  RIGHT_FD_SYNC |
  RIGHT_FD_FILESTAT_GET |
  RIGHT_POLL_FD_READWRITE;

/** What applies to a regular file. */
export const FILE_RIGHTS =
  STREAM_RIGHTS |
  RIGHT_FD_DATASYNC |
  RIGHT_FD_SEEK |
  RIGHT_FD_TELL |
  RIGHT_FD_ADVISE |
  RIGHT_FD_ALLOCATE |
  RIGHT_FD_FILESTAT_SET_SIZE |
  RIGHT_FD_FILESTAT_SET_TIMES;

/** What applies to a directory. */
export const DIRECTORY_RIGHTS =
  RIGHT_FD_FDSTAT_SET_FLAGS |
  RIGHT_FD_SYNC |
  RIGHT_FD_ADVISE |
  RIGHT_PATH_CREATE_DIRECTORY |
  RIGHT_PATH_CREATE_FILE |
  RIGHT_PATH_LINK_SOURCE |
  RIGHT_PATH_LINK_TARGET |
  RIGHT_PATH_OPEN |
  RIGHT_FD_READDIR |
  RIGHT_PATH_READLINK |
  RIGHT_PATH_RENAME_SOURCE |
  RIGHT_PATH_RENAME_TARGET |
  RIGHT_PATH_FILESTAT_GET |
  RIGHT_PATH_FILESTAT_SET_SIZE |
  RIGHT_PATH_FILESTAT_SET_TIMES |
  RIGHT_FD_FILESTAT_GET |
  RIGHT_FD_FILESTAT_SET_TIMES |
  RIGHT_PATH_SYMLINK |
  RIGHT_PATH_REMOVE_DIRECTORY |
  RIGHT_PATH_UNLINK_FILE |
  RIGHT_POLL_FD_READWRITE;

export const ALL_RIGHTS = DIRECTORY_RIGHTS | FILE_RIGHTS;
