import { Directory, type Inode } from "@bjorn3/browser_wasi_shim";
import { VirtualFileSystem } from "wasmex";
import { thread } from "../support/index.js";
import { programsSuite } from "./programs-suite.js";

programsSuite(`programs on memory, ${thread}`, () => {
  const fs = new VirtualFileSystem();
  fs.mkdir("/home");
  return { fs, directory: "/home" };
});

programsSuite(`programs on objects of browser_wasi_shim, ${thread}`, () => {
  const fs = new VirtualFileSystem();
  fs.mount("/shim", new Directory(new Map<string, Inode>()));
  return { fs, directory: "/shim" };
});
