import { Directory, type Inode } from "@bjorn3/browser_wasi_shim";
import * as fc from "fast-check";
import { test } from "vitest";
import { VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import { rightsCases, rightsHold } from "../fuzz/file-rights.js";
import "wasmex";

test("a preopen's rights hold against random file operations", { timeout: 120_000 }, () => {
  const memory = () => [{ name: "memory", fs: new VirtualFileSystem() }];
  fc.assert(
    fc.property(rightsCases, (one) => rightsHold(one, memory)),
    { seed: 7, numRuns: 300 },
  );
});

test("a preopen's rights hold on objects of browser_wasi_shim", { timeout: 120_000 }, () => {
  const shim = () => {
    const fs = new VirtualFileSystem();
    fs.mount("/", new Directory(new Map<string, Inode>()));
    return [{ name: "shim", fs }];
  };
  fc.assert(
    fc.property(rightsCases, (one) => rightsHold(one, shim)),
    { seed: 8, numRuns: 100 },
  );
});
