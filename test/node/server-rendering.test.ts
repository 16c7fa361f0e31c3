import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { bundleOptions } from "../../build.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}.cache/server-rendering`;

/** What only a page has. A look at one of them is told, `typeof` included. */
const OF_A_PAGE = [
  "window",
  "self",
  "document",
  "location",
  "Worker",
  "SharedWorker",
  "localStorage",
  "sessionStorage",
  "indexedDB",
  "requestAnimationFrame",
];

function runScript(script: string): unknown {
  const args = ["--input-type=module", "--eval", script];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return JSON.parse(stdout);
}

const TRAPS = `const touched = [];
  for (const name of ${JSON.stringify(OF_A_PAGE)}) {
    Object.defineProperty(globalThis, name, { configurable: true, get() { touched.push(name); } });
  }`;

beforeAll(async () => {
  const options = bundleOptions("browser");
  await build({
    ...options,
    entryPoints: { index: "platform/browser/index.ts" },
    outdir: folder,
    format: "esm",
    splitting: true,
    external: ["wabt"],
  });
  await writeFile(`${folder}/package.json`, '{ "type": "module" }\n');
}, 60_000);

describe("the browser build on a server", () => {
  it("looks at nothing of a page when it is imported", () => {
    expect(runScript(`${TRAPS} await import("./index.js"); console.log(JSON.stringify(touched));`)).toEqual(
      [],
    );
  });

  it("compiles and calls inline, without a page", () => {
    const script = `const Wasmex = await import("./index.js");
      const bytes = new Uint8Array([0,97,115,109,1,0,0,0,1,5,1,96,0,1,127,3,2,1,0,7,10,1,6,97,110,115,119,101,114,0,0,10,6,1,4,0,65,42,11]);
      const guest = await Wasmex.start({ bytes });
      const results = await guest.callFunction("answer");
      console.log(JSON.stringify([guest.thread, results, Wasmex.capabilities().thread]));
      await guest.stop();`;
    expect(runScript(script)).toEqual(["inline", [42], "inline"]);
  });
});
