import { Directory, type Inode } from "@bjorn3/browser_wasi_shim";
import { VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import "wasmex";
import { descriptorsSuite } from "./descriptors-suite.js";
import { pathsSuite } from "./paths-suite.js";
import { rightsSuite } from "./rights-suite.js";

for (const suite of [descriptorsSuite, pathsSuite, rightsSuite])
  suite("memory", () => new VirtualFileSystem());

rightsSuite("objects of browser_wasi_shim", () => {
  const fs = new VirtualFileSystem();
  fs.mount("/", new Directory(new Map<string, Inode>()));
  return fs;
});
