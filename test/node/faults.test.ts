import { expect, test } from "vitest";
import { fuzz as codec } from "../fuzz/codec.fuzz.js";
import { fuzz as faults } from "../fuzz/faults.fuzz.js";

test("a process killed at random points leaves every promise settled and the file system whole", {
  timeout: 60_000,
}, async () => {
  expect((await faults({ seed: 1, milliseconds: 4000 })).cases).toBeGreaterThan(3);
});

test("values go through the thread bridge's encoding and back; damaged bytes are refused or read", {
  timeout: 30_000,
}, async () => {
  expect((await codec({ seed: 1, milliseconds: 1000 })).cases).toBeGreaterThan(100);
});
