import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { DirectoryBackend } from "../../platform/node/directory-backend.js";
import { HandleGround } from "../../platform/node/directory-ground.js";
import { VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import { escapeSuite, plant } from "../wasi/escape-suite.js";
import "wasmex";

const made: string[] = [];
afterAll(() => {
  for (const path of made) {
    rmSync(path, { recursive: true, force: true });
  }
});

let attempts = 0;
for (const handles of HandleGround.works() ? [true, false] : [false]) {
  escapeSuite(
    `a host directory by ${handles ? "handles" : "paths"}`,
    () => {
      const path = realpathSync(mkdtempSync(join(tmpdir(), "wasmex-jail-")));
      made.push(path);
      const fs = new VirtualFileSystem({}, { root: new DirectoryBackend(path, handles) });
      plant(fs, "");
      return { fs, base: "", caseSensitive: process.platform === "linux" };
    },
    (more) => {
      attempts += more;
    },
  );
}

test("the escape suites made their attempts on the host", () => {
  console.info(`${attempts} attempts to leave a preopen on host directories, none with success`);
  expect(attempts).toBeGreaterThan(500);
});
