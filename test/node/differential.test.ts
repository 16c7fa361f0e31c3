import * as fc from "fast-check";
import { it } from "vitest";
import { type Operation, operations } from "../fuzz/file-operations.js";
import { rightsCases } from "../fuzz/file-rights.js";
import { agree, agreeOnRights } from "../fuzz/file-system.fuzz.js";
import "wasmex";

it.runIf(process.platform === "linux")(
  "memory, a host directory and the kernel agree about random file operations",
  { timeout: 120_000 },
  () => {
    fc.assert(fc.property(operations, agree), { seed: 20, numRuns: 200 });
  },
);

it.runIf(process.platform === "linux")(
  "a preopen's rights hold on a host directory as they do in memory",
  { timeout: 120_000 },
  () => {
    fc.assert(fc.property(rightsCases, agreeOnRights), { seed: 9, numRuns: 150 });
  },
);

const anew = { follow: false, oflags: 1, access: "both", fdflags: 0 } as const;

it.runIf(process.platform === "linux").each<[string, Operation[]]>([
  [
    "a file renamed over a directory that it is in",
    [
      { call: "mkdir", fd: 0, path: "a" },
      { call: "open", fd: 0, path: "a/b", ...anew },
      { call: "rename", fd: 0, path: "a/b", to: 0, newPath: "a" },
    ],
  ],
  [
    "a link to the directory itself",
    [{ call: "link", fd: 0, path: ".", follow: false, to: 0, newPath: "a" }],
  ],
  [
    "a hard link by a link with a slash, which is followed",
    [
      { call: "symlink", target: ".", fd: 0, path: "a" },
      { call: "link", fd: 0, path: "a/", follow: false, to: 0, newPath: "b" },
    ],
  ],
  [
    "a hard link over a file, with a slash",
    [
      { call: "open", fd: 0, path: "a", ...anew },
      { call: "open", fd: 0, path: "b", ...anew },
      { call: "link", fd: 0, path: "a", follow: false, to: 0, newPath: "b/" },
    ],
  ],
])("the file systems agree about %s", (_what, run) => agree(run));
