import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { DirectoryBackend } from "../../platform/node/directory-backend.js";
import { HandleGround } from "../../platform/node/directory-ground.js";
import { VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import { descriptorsSuite } from "../wasi/descriptors-suite.js";
import { pathsSuite } from "../wasi/paths-suite.js";
import { rightsSuite } from "../wasi/rights-suite.js";
import "wasmex";

const made: string[] = [];
afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

for (const handles of HandleGround.works() ? [true, false] : [false]) {
  for (const suite of [descriptorsSuite, pathsSuite, rightsSuite]) {
    suite(`a host directory by ${handles ? "handles" : "paths"}`, () => {
      const path = realpathSync(mkdtempSync(join(tmpdir(), "wasmex-wasi-")));
      made.push(path);
      return new VirtualFileSystem({}, { root: new DirectoryBackend(path, handles) });
    });
  }
}
