import { UnsupportedError, WasmexError } from "../errors.js";
import { platform } from "../platform.js";
import { FILETYPE_DIRECTORY } from "../vfs/contract.js";
import { Descriptor } from "../vfs/descriptors.js";
import { newMounts } from "../vfs/directories.js";
import { ERRNO_NOENT } from "../vfs/errno.js";
import { MountTable } from "../vfs/mounts.js";
import { ALL_RIGHTS, DIRECTORY_RIGHTS } from "../vfs/rights.js";
import { FOLLOW_ALWAYS, Walk } from "../vfs/walk.js";
import type { CheckedOptions, CheckedPreopen } from "./options.js";

const encoder = new TextEncoder();

/** Opens the directories that the guest is given, in the order of the options. */
export function openPreopens({ preopens, fs }: CheckedOptions): Descriptor[] {
  if (preopens.length === 0) return [];
  const opened: Descriptor[] = [];
  try {
    if (fs === undefined && platform().hasDirectories) {
      for (const preopen of preopens) opened.push(openHostDirectory(preopen));
      return opened;
    }
    const mounts = fs?.mounts ?? newMounts(preopens.map(({ directory }) => directory));
    for (const preopen of preopens) opened.push(openIn(mounts, preopen));
    return opened;
  } catch (error) {
    for (const descriptor of opened) descriptor.close();
    throw error;
  }
}

function openHostDirectory({ directory, access, alias }: CheckedPreopen): Descriptor {
  let mounts: MountTable;
  try {
    mounts = new MountTable(platform().openDirectory(directory));
  } catch (error) {
    if (error instanceof UnsupportedError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new WasmexError(
      `wasi.preopen[${JSON.stringify(directory)}]: the directory can't be opened: ${reason}`,
      {
        cause: error,
      },
    );
  }
  const { backend, node } = mounts.root;
  return preopened(mounts, backend, node, access, alias);
}

function openIn(mounts: MountTable, { directory, access, alias }: CheckedPreopen): Descriptor {
  const walk = new Walk();
  try {
    let result = walk.resolvePath(mounts, directory, FOLLOW_ALWAYS);
    if (result >= 0 && walk.node === 0) result = -ERRNO_NOENT;
    if (result < 0 || walk.filetype !== FILETYPE_DIRECTORY) {
      const reason =
        result >= 0
          ? "is no directory in `fs`"
          : `${result === -ERRNO_NOENT ? "doesn't exist" : "can't be reached"} in \`fs\``;
      throw new WasmexError(
        `wasi.preopen[${JSON.stringify(directory)}] ${reason}: make it first, with fs.mkdir(path, { recursive: true })`,
      );
    }
    return preopened(mounts, walk.backend, walk.node, access, alias);
  } finally {
    walk.leave();
  }
}

function preopened(
  mounts: MountTable,
  backend: Descriptor["backend"],
  node: number,
  access: number,
  alias: string,
): Descriptor {
  // All that WASI calls rights: a C library would drop, without a word, what isn't there, where the contract has `EACCES`.
  const descriptor = new Descriptor(FILETYPE_DIRECTORY, DIRECTORY_RIGHTS, ALL_RIGHTS, access);
  backend?.begin();
  try {
    backend?.retain(node);
  } finally {
    backend?.end();
  }
  descriptor.backend = backend;
  descriptor.node = node;
  descriptor.mounts = mounts;
  descriptor.preopen = encoder.encode(alias);
  return descriptor;
}
