import * as fc from "fast-check";
import { it } from "vitest";
import { operations } from "../fuzz/file-operations.js";
import { agree } from "../fuzz/file-system.fuzz.js";
import "wasmex";

it.runIf(process.platform === "linux")(
  "memory, a host directory and the kernel agree about random file operations",
  { timeout: 120_000 },
  () => {
    fc.assert(fc.property(operations, agree), { seed: 20, numRuns: 200 });
  },
);
