import { expect, test } from "vitest";
import { fuzz as codec } from "../fuzz/codec.fuzz.js";

test("values go through the thread bridge's encoding and back; damaged bytes are refused or read", {
  timeout: 30_000,
}, async () => {
  expect((await codec({ seed: 1, milliseconds: 1000 })).cases).toBeGreaterThan(100);
});
