import { UnsupportedError } from "../../src/errors.js";
import type { Platform } from "../../src/platform.js";
import { stdio } from "./stdio.js";

/** What a background thread has as well as the page; the rest of the platform is the page's alone. */
export const common: Omit<Platform, "threadSupport" | "loadWabt"> = {
  name: "browser",
  now: () => performance.timeOrigin + performance.now(),
  monotonicNow: () => performance.now(),
  randomFill(bytes) {
    // The engine takes at most 65,536 bytes at once.
    for (let start = 0; start < bytes.length; start += 65536) {
      crypto.getRandomValues(bytes.subarray(start, start + 65536) as Uint8Array<ArrayBuffer>);
    }
  },
  stdio,
  // Only a page's own thread has a `document`; it may never wait.
  mayBlock: () => typeof document === "undefined",
  openDirectory(path) {
    throw new UnsupportedError(
      `a browser has no host directories: put the files of "${path}" into a VirtualFileSystem`,
    );
  },
  hasDirectories: false,
};
