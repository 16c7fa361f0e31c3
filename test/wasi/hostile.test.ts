import { expect, test } from "vitest";
import { fuzz } from "../fuzz/wasi.fuzz.js";
import "wasmex";

test("every function answers hostile parameters with an errno and keeps to its buffers", {
  timeout: 60_000,
}, async () => {
  const { cases } = await fuzz({ seed: 7, milliseconds: 3000 });
  expect(cases).toBeGreaterThan(0);
});
