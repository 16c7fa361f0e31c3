import * as fc from "fast-check";
import { it } from "vitest";
import { operations } from "../fuzz/file-operations.js";
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
