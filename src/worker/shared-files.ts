import { Filestat } from "../vfs/contract.js";
import { type FileSystemShare, shareFileSystem } from "../vfs/share.js";
import type { VirtualFileSystem } from "../vfs/virtual-file-system.js";
import { type ServedBackends, serveBackends } from "./file-proxy.js";
import type { HostFunctions } from "./host-functions.js";

/** A file system that a thread shares with this one. */
export interface SharedFiles {
  readonly share: FileSystemShare;
  readonly served: ServedBackends;
  /** Place of the function that does what only this thread can. */
  readonly index: number;
}

/** Shares a file system with one more thread. Loaded when that is first needed. */
export function shareFiles(fs: VirtualFileSystem, functions: HostFunctions): SharedFiles {
  const share = shareFileSystem(fs);
  const served = serveBackends(share.backends, new Filestat());
  return { share, served, index: functions.add("the file system", served.serve) };
}
