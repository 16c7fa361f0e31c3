import { UnsupportedError, WasmexError } from "../errors.js";
import { platform } from "../platform.js";
import { encodeText } from "../text.js";
import { FILETYPE_DIRECTORY } from "../vfs/contract.js";
import { Descriptor } from "../vfs/descriptors.js";
import { newMounts } from "../vfs/directories.js";
import { ERRNO_NOENT } from "../vfs/errno.js";
import { MountTable } from "../vfs/mounts.js";
import { FOLLOW_ALWAYS } from "../vfs/paths.js";
import { ALL_RIGHTS, DIRECTORY_RIGHTS } from "../vfs/rights.js";
import { Walk } from "../vfs/walk.js";
import type { CheckedOptions, CheckedPreopen } from "./options.js";

/** Opens the directories that the guest is given, in the order of the options. */
export function openPreopens({ preopens, fs }: CheckedOptions): Descriptor[] {
  if (preopens.length === 0) return [];
  const opened: Descriptor[] = [];
  const mounts =
    fs?.mounts ??
    (platform().hasDirectories ? undefined : newMounts(preopens.map(({ directory }) => directory)));
  try {
    for (const preopen of preopens) {
      opened.push(
        mounts === undefined
          ? openIn(hostDirectory(preopen), ".", preopen)
          : openIn(mounts, preopen.directory, preopen),
      );
    }
    return opened;
  } catch (error) {
    for (const descriptor of opened) descriptor.close();
    throw error;
  }
}

function refused(directory: string, why: string, cause?: unknown): WasmexError {
  return new WasmexError(`wasi.preopen[${JSON.stringify(directory)}]${why}`, { cause });
}

function hostDirectory({ directory }: CheckedPreopen): MountTable {
  try {
    return new MountTable(platform().openDirectory(directory));
  } catch (error) {
    if (error instanceof UnsupportedError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw refused(directory, `: the directory can't be opened: ${reason}`, error);
  }
}

function openIn(mounts: MountTable, path: string, { directory, access, alias }: CheckedPreopen): Descriptor {
  const walk = new Walk();
  try {
    let result = walk.resolvePath(mounts, path, FOLLOW_ALWAYS);
    if (result >= 0 && walk.node === 0) result = -ERRNO_NOENT;
    if (result < 0 || walk.filetype !== FILETYPE_DIRECTORY) {
      const reason =
        result >= 0 ? "is no directory" : result === -ERRNO_NOENT ? "doesn't exist" : "can't be reached";
      throw refused(
        directory,
        ` ${reason} in \`fs\`: make it first, with fs.mkdir(path, { recursive: true })`,
      );
    }
    // All that WASI calls rights: a C library would drop, without a word, what isn't there, where the contract has `EACCES`.
    const descriptor = new Descriptor(FILETYPE_DIRECTORY, DIRECTORY_RIGHTS, ALL_RIGHTS, access);
    walk.backend.retain(walk.node);
    descriptor.backend = walk.backend;
    descriptor.node = walk.node;
    descriptor.mounts = mounts;
    descriptor.preopen = encodeText(alias);
    return descriptor;
  } finally {
    walk.leave();
  }
}
