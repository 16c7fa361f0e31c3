import { expect, test } from "vitest";
import { fuzz } from "../fuzz/binary.fuzz.js";

test("the binary reader, the rewriter and the container hold against mutated modules", async () => {
  const { cases } = await fuzz({ seed: 1, milliseconds: 1500 });
  expect(cases).toBeGreaterThan(100);
});
