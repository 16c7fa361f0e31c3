import { VirtualFileSystem as Plain } from "../../../src/vfs/virtual-file-system.js";
import { hosted } from "../hosted.js";

export const VirtualFileSystem: typeof Plain = /* @__PURE__ */ hosted(Plain);
export type VirtualFileSystem = Plain;
