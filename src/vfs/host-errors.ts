import { FileSystemError } from "../errors.js";
import * as errno from "./errno.js";

/** What to say of each, after the name that Node has for it. */
const TEXTS: { readonly [number: number]: string } = {
  [errno.ERRNO_ACCES]: "EACCES: permission denied",
  [errno.ERRNO_BUSY]: "EBUSY: the path is the root or has another file system mounted on it",
  [errno.ERRNO_EXIST]: "EEXIST: the path exists already",
  [errno.ERRNO_FBIG]: "EFBIG: the file would be too large",
  [errno.ERRNO_INVAL]: "EINVAL: not possible with this path",
  [errno.ERRNO_IO]: "EIO: input or output failed",
  [errno.ERRNO_ISDIR]: "EISDIR: the path is a directory",
  [errno.ERRNO_LOOP]: "ELOOP: too many symbolic links",
  [errno.ERRNO_NAMETOOLONG]: "ENAMETOOLONG: a name has more than 255 bytes or the path more than 4096",
  [errno.ERRNO_NOENT]: "ENOENT: no such file or directory",
  [errno.ERRNO_NOSPC]: "ENOSPC: no space left",
  [errno.ERRNO_NOTDIR]: "ENOTDIR: part of the path is no directory",
  [errno.ERRNO_NOTEMPTY]: "ENOTEMPTY: the directory is not empty",
  [errno.ERRNO_NOTSUP]: "ENOTSUP: this file system can't do that",
  [errno.ERRNO_PERM]: "EPERM: operation not permitted",
  [errno.ERRNO_ROFS]: "EROFS: the file system is read-only",
  [errno.ERRNO_XDEV]: "EXDEV: the paths are on different file systems: copy instead",
};

/** The error for a negated errno. */
export function fileSystemError(result: number, operation: string, path: string): FileSystemError {
  const text = TEXTS[-result] ?? `EIO: errno ${-result}`;
  const [code = ""] = text.split(":");
  return new FileSystemError(`${text}, ${operation} ${JSON.stringify(path)}`, { code, path });
}
