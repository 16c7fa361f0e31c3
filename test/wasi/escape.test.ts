import { Directory, type Inode } from "@bjorn3/browser_wasi_shim";
import { expect, test } from "vitest";
import { VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import "wasmex";
import { escapeSuite, plant } from "./escape-suite.js";

let attempts = 0;
const count = (more: number) => {
  attempts += more;
};

escapeSuite(
  "memory",
  () => {
    const fs = new VirtualFileSystem();
    plant(fs, "");
    return { fs, base: "" };
  },
  count,
);

escapeSuite(
  "a directory of memory below the root",
  () => {
    const fs = new VirtualFileSystem({ "/outside/secret": "never to be read, either" });
    plant(fs, "/deep/below");
    return { fs, base: "/deep/below" };
  },
  count,
);

escapeSuite(
  "objects of browser_wasi_shim",
  () => {
    const fs = new VirtualFileSystem();
    fs.mount("/shim", new Directory(new Map<string, Inode>()));
    plant(fs, "/shim");
    return { fs, base: "/shim" };
  },
  count,
);

escapeSuite(
  "a file system mounted in another",
  () => {
    const inner = new VirtualFileSystem();
    plant(inner, "");
    const fs = new VirtualFileSystem({ "/outside/secret": "of the outer one" });
    fs.mount("/mounted", inner);
    return { fs, base: "/mounted" };
  },
  count,
);

test("the escape suites made their attempts", () => {
  console.info(`${attempts} attempts to leave a preopen, none with success`);
  expect(attempts).toBeGreaterThan(2000);
});
