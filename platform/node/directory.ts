import { statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { WasmexError } from "../../src/errors.js";
import { describeValue } from "../../src/values.js";
import type { Backend } from "../../src/vfs/contract.js";
import { DirectoryBackend } from "./directory-backend.js";
import { HandleGround, realPath } from "./directory-ground.js";

/** How another thread opens the same directory: see `openShared`. */
export interface SharedDirectory {
  readonly kind: "node-directory";
  readonly path: string;
  readonly dev: bigint;
  readonly ino: bigint;
}

let handles: boolean | undefined;

/**
 * A directory of the host as a file system. `path` is taken from the working directory of now, or is a `file:` URL; links on it are followed
 * once.
 *
 * @throws WasmexError where there is no such directory, or it may not be read.
 */
export function openDirectory(path: string | URL): Backend {
  const isURL = path instanceof URL;
  if (isURL ? path.protocol !== "file:" : typeof path !== "string" || path === "") {
    const given = isURL ? path.href : describeValue(path);
    throw new WasmexError(
      `fromDirectory: pass the path of a directory as \`path\`, or its file: URL, not ${given}`,
    );
  }
  let real: string;
  let directory: boolean;
  try {
    real = realPath(resolve(isURL ? fileURLToPath(path) : path));
    directory = statSync(real).isDirectory();
  } catch (cause) {
    const { code } = cause as { code?: unknown };
    throw new WasmexError(
      code === "ENOENT" || code === "ENOTDIR"
        ? `There is no directory "${path}" on this host: create it first, or name one that exists.`
        : `The directory "${path}" can't be opened: ${(cause as Error).message}. Give this process access to it.`,
      { cause },
    );
  }
  if (!directory) {
    throw new WasmexError(`"${path}" is no directory: name the directory that holds it.`);
  }
  handles ??= HandleGround.works();
  return new DirectoryBackend(real, handles);
}

/**
 * Opens what `share` of a host directory described, on another thread.
 *
 * @throws WasmexError where another directory took its place meanwhile.
 */
export function openShared(shared: SharedDirectory): Backend {
  const backend = openDirectory(shared.path);
  const now = backend.share?.() as SharedDirectory;
  if (now.path !== shared.path || now.dev !== shared.dev || now.ino !== shared.ino) {
    throw new WasmexError(
      `The directory "${shared.path}" was replaced by another: start again with the new one.`,
    );
  }
  return backend;
}
