import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { VirtualFileSystem } from "wasmex";
import { thread } from "../support/index.js";
import { programsSuite } from "../wasi/programs-suite.js";

const made: string[] = [];
afterAll(() => {
  for (const path of made) {
    rmSync(path, { recursive: true, force: true });
  }
});

programsSuite(`programs on a host directory, ${thread}`, () => {
  const path = mkdtempSync(join(tmpdir(), "wasmex-programs-"));
  made.push(path);
  return { fs: VirtualFileSystem.fromDirectory(path), directory: "/" };
});
