import { FILETYPE_DIRECTORY, type Result } from "./contract.js";
import { ERRNO_EXIST } from "./errno.js";
import { MemoryBackend } from "./memory-backend.js";
import { MountTable } from "./mounts.js";
import { FOLLOW_ALWAYS } from "./paths.js";
import { Walk } from "./walk.js";

/** Makes a directory and those above it where they aren't there yet. */
export function makeDirectories(mounts: MountTable, path: string): Result {
  const walk = new Walk(true);
  for (let end = 0; end < path.length; ) {
    end = path.indexOf("/", end + 1);
    if (end < 0) end = path.length;
    try {
      let result = walk.resolvePath(mounts, path.slice(0, end), FOLLOW_ALWAYS);
      if (result >= 0 && walk.node === 0) {
        result = walk.backend.mkdir(walk.directory, walk.bytes, walk.start, walk.end);
      } else if (result >= 0 && walk.filetype !== FILETYPE_DIRECTORY) result = -ERRNO_EXIST;
      if (result < 0) return result;
    } finally {
      walk.leave();
    }
  }
  return 0;
}

/** A new file system in memory, with the directories that are to be opened in it. */
export function newMounts(directories: Iterable<string>, limit?: number): MountTable {
  const mounts = new MountTable(new MemoryBackend(limit === undefined ? {} : { limit }));
  for (const path of directories) makeDirectories(mounts, path);
  return mounts;
}
