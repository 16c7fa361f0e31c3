import * as binary from "./binary.fuzz.js";
import * as codec from "./codec.fuzz.js";
import * as faults from "./faults.fuzz.js";
import * as fileSystem from "./file-system.fuzz.js";
import * as wasi from "./wasi.fuzz.js";

/** Every fuzz there is, by name: a seed and a time in, the number of cases out. */
export const targets: Readonly<
  Record<string, (options: { seed: number; milliseconds: number }) => Promise<{ cases: number }>>
> = {
  binary: binary.fuzz,
  wasi: wasi.fuzz,
  "file-system": fileSystem.fuzz,
  codec: codec.fuzz,
  faults: faults.fuzz,
};
