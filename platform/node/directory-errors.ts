import {
  ERRNO_ACCES,
  ERRNO_AGAIN,
  ERRNO_BADF,
  ERRNO_BUSY,
  ERRNO_EXIST,
  ERRNO_FAULT,
  ERRNO_FBIG,
  ERRNO_ILSEQ,
  ERRNO_INVAL,
  ERRNO_IO,
  ERRNO_ISDIR,
  ERRNO_LOOP,
  ERRNO_MFILE,
  ERRNO_MLINK,
  ERRNO_NAMETOOLONG,
  ERRNO_NFILE,
  ERRNO_NOENT,
  ERRNO_NOMEM,
  ERRNO_NOSPC,
  ERRNO_NOSYS,
  ERRNO_NOTDIR,
  ERRNO_NOTEMPTY,
  ERRNO_NOTSUP,
  ERRNO_OVERFLOW,
  ERRNO_PERM,
  ERRNO_PIPE,
  ERRNO_ROFS,
  ERRNO_SPIPE,
  ERRNO_STALE,
  ERRNO_XDEV,
} from "../../src/vfs/errno.js";

/** The one boundary at which an error of `node:fs` becomes a WASI errno. Bare numbers are those that only a host can cause. */
const errnos = new Map<string, number>([
  ["E2BIG", 1],
  ["EACCES", ERRNO_ACCES],
  ["EAGAIN", ERRNO_AGAIN],
  ["EBADF", ERRNO_BADF],
  ["EBUSY", ERRNO_BUSY],
  ["EDQUOT", 19],
  ["EEXIST", ERRNO_EXIST],
  ["EFAULT", ERRNO_FAULT],
  ["EFBIG", ERRNO_FBIG],
  ["EILSEQ", ERRNO_ILSEQ],
  ["EINTR", 27],
  ["EINVAL", ERRNO_INVAL],
  ["EIO", ERRNO_IO],
  ["EISDIR", ERRNO_ISDIR],
  ["ELOOP", ERRNO_LOOP],
  ["EMFILE", ERRNO_MFILE],
  ["EMLINK", ERRNO_MLINK],
  ["ENAMETOOLONG", ERRNO_NAMETOOLONG],
  ["ENFILE", ERRNO_NFILE],
  ["ENODEV", 43],
  ["ENOENT", ERRNO_NOENT],
  ["ENOLCK", 46],
  ["ENOMEM", ERRNO_NOMEM],
  ["ENOSPC", ERRNO_NOSPC],
  ["ENOSYS", ERRNO_NOSYS],
  ["ENOTDIR", ERRNO_NOTDIR],
  ["ENOTEMPTY", ERRNO_NOTEMPTY],
  ["ENOTSUP", ERRNO_NOTSUP],
  ["EOPNOTSUPP", ERRNO_NOTSUP],
  ["ENXIO", 60],
  ["EOVERFLOW", ERRNO_OVERFLOW],
  ["EPERM", ERRNO_PERM],
  ["EPIPE", ERRNO_PIPE],
  ["EROFS", ERRNO_ROFS],
  ["ESPIPE", ERRNO_SPIPE],
  ["ESTALE", ERRNO_STALE],
  ["ETIMEDOUT", 73],
  ["ETXTBSY", 74],
  ["EXDEV", ERRNO_XDEV],
  // What the runtime refuses before it asks the system: NUL in a path, a size or offset beyond 2^53.
  ["ERR_INVALID_ARG_VALUE", ERRNO_INVAL],
  ["ERR_OUT_OF_RANGE", ERRNO_INVAL],
  ["ERR_FS_FILE_TOO_LARGE", ERRNO_FBIG],
]);

/** A negated errno for what a `node:fs` call threw; `-ERRNO_IO` for what is unheard of. */
export function failure(error: unknown): number {
  if (typeof error !== "object" || error === null) {
    return -ERRNO_IO;
  }
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (typeof code === "string") {
    return -(errnos.get(code) ?? ERRNO_IO);
  }
  // Deno's permission system.
  return name === "NotCapable" || name === "PermissionDenied" ? -ERRNO_ACCES : -ERRNO_IO;
}
