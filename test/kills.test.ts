// Guests stopped, timed out and aborted in the middle of calls, host calls, pipes and file writes, in every engine.
import { describe, expect, it } from "vitest";
import { fuzz } from "./fuzz/faults.fuzz.js";
import { thread } from "./support/index.js";

/** As many on each engine; `npm run fuzz -- 10 --only=faults` goes on from there in Node. */
const SEEDS = 48;

describe(`a Process that is killed (${thread})`, () => {
  it.runIf(thread === "worker")(
    "leaves every promise settled and the file system whole, seed by seed",
    {
      timeout: 120_000,
    },
    async () => {
      for (let seed = 1; seed <= SEEDS; seed += 8) {
        expect(await fuzz({ seed, most: 8 })).toEqual({ cases: 8 });
      }
    },
  );
});
