import { directoryFunctions } from "./directory.js";
import { ioFunctions } from "./file-io.js";
import { metadataFunctions } from "./file-metadata.js";
import { type Call, type Functions, type Import, importOf } from "./functions.js";
import type { Guest } from "./guest.js";
import { pathFunctions } from "./path.js";
import { openFunctions } from "./path-open.js";
import { pollFunctions } from "./poll.js";
import { surroundingsFunctions } from "./surroundings.js";

/** All functions of one version for one guest. */
export function wasiFunctions(guest: Guest, unstable: boolean): { [name: string]: Import } {
  const filestat = unstable ? 56 : 64;
  const families: readonly Functions[] = [
    directoryFunctions(guest),
    metadataFunctions(guest, filestat),
    openFunctions(guest),
    pathFunctions(guest, filestat),
    pollFunctions(guest, unstable),
    surroundingsFunctions(guest),
  ];
  const functions: { [name: string]: Import } = ioFunctions(guest, unstable);
  for (const calls of families) {
    for (const name in calls) functions[name] = importOf(guest, calls[name] as Call);
  }
  if (unstable) delete functions.sock_accept;
  return functions;
}
