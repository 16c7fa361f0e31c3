import { argumentFunctions } from "./arguments.js";
import { clockFunctions } from "./clock.js";
import { directoryFunctions } from "./directory.js";
import { ioFunctions, type Whence } from "./file-io.js";
import { metadataFunctions } from "./file-metadata.js";
import { type FilestatLayout, PREVIEW1_FILESTAT, UNSTABLE_FILESTAT } from "./filestat.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";
import { pathFunctions } from "./path.js";
import { openFunctions } from "./path-open.js";
import { pairFunctions } from "./path-pair.js";
import {
  PREVIEW1_SUBSCRIPTION,
  pollFunctions,
  type SubscriptionLayout,
  UNSTABLE_SUBSCRIPTION,
} from "./poll.js";
import { processFunctions, socketFunctions } from "./process.js";
import { randomFunctions } from "./random.js";

/** Where the versions of WASI differ: three layouts and a numbering. */
export interface Version {
  readonly filestat: FilestatLayout;
  readonly subscription: SubscriptionLayout;
  readonly whence: Whence;
}

export const PREVIEW1: Version = {
  filestat: PREVIEW1_FILESTAT,
  subscription: PREVIEW1_SUBSCRIPTION,
  whence: { set: 0, current: 1, end: 2 },
};

export const UNSTABLE: Version = {
  filestat: UNSTABLE_FILESTAT,
  subscription: UNSTABLE_SUBSCRIPTION,
  whence: { current: 0, end: 1, set: 2 },
};

/** Functions that have the boundary for what is thrown inside, so that a call is one call. */
const GUARDED = new Set([
  "clock_time_get",
  "fd_close",
  "fd_filestat_get",
  "fd_pread",
  "fd_pwrite",
  "fd_read",
  "fd_readdir",
  "fd_seek",
  "fd_write",
  "path_filestat_get",
  "path_open",
  "path_unlink_file",
  "random_get",
]);

/** All functions of one version for one guest. */
export function wasiFunctions(guest: Guest, version: Version): Functions {
  const functions: Functions = {
    ...argumentFunctions(guest),
    ...clockFunctions(guest),
    ...directoryFunctions(guest),
    ...ioFunctions(guest, version.whence),
    ...metadataFunctions(guest, version.filestat),
    ...openFunctions(guest),
    ...pairFunctions(guest),
    ...pathFunctions(guest, version.filestat),
    ...pollFunctions(guest, version.subscription),
    ...processFunctions(),
    ...randomFunctions(guest),
    ...socketFunctions(guest),
  };
  if (version === UNSTABLE) delete functions.sock_accept;
  for (const [name, run] of Object.entries(functions)) {
    if (!GUARDED.has(name)) {
      functions[name] = (...parameters) => {
        try {
          return run(...parameters);
        } catch (error) {
          return guest.caught(error);
        }
      };
    }
  }
  return functions;
}
