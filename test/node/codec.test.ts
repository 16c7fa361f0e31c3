import { expect, test } from "vitest";
import { UnsupportedError } from "../../src/errors.js";
import { decode, encode } from "../../src/worker/codec.js";
import { fuzz as codec } from "../fuzz/codec.fuzz.js";

test("values go through the thread bridge's encoding and back; damaged bytes are refused or read", {
  timeout: 30_000,
}, async () => {
  expect((await codec({ seed: 1, milliseconds: 1000 })).cases).toBeGreaterThan(100);
});

const sent = (value: unknown): unknown => decode(encode(value));

test("encode refuses what only says that it is of a class", () => {
  for (const tag of ["Map", "Set", "Date", "Array", "Uint8Array", "Mine"]) {
    expect(() => encode({ [Symbol.toStringTag]: tag, a: 1 })).toThrow(UnsupportedError);
  }
});

test("encode keeps what an AggregateError is made of", () => {
  const error = sent(
    new AggregateError([new TypeError("one"), 2], "both", { cause: "why" }),
  ) as AggregateError;
  expect(error).toBeInstanceOf(AggregateError);
  expect(error).toMatchObject({ message: "both", cause: "why", errors: [{ message: "one" }, 2] });
  expect(error.errors[0]).toBeInstanceOf(TypeError);
  expect(Object.keys(error)).toEqual([]);
});
