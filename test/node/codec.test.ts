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
  for (const tag of [
    ...["Map", "Set", "Date", "Array", "Uint8Array", "ArrayBuffer", "Number", "BigInt", "DOMException"],
    ...["0", "Mine"],
  ]) {
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

test("encode keeps boxed values, holes, and what an array has beside its places", () => {
  for (const value of [Object(1n), Object(-0), Object("x"), Object(false)])
    expect(sent(value)).toEqual(value);
  // biome-ignore lint/suspicious/noSparseArray: what is tested
  const sparse = Object.assign([, 1, , undefined, ,], { more: [2] });
  const back = sent(sparse) as typeof sparse;
  expect(Object.keys(back)).toEqual(["1", "3", "more"]);
  expect(back).toStrictEqual(sparse);
  const swapped = Object.assign([1, 2], { more: 3 });
  delete swapped[0];
  expect(sent([swapped, [], new Array(3), Object.assign([], { a: 1 })])).toStrictEqual([
    swapped,
    [],
    new Array(3),
    Object.assign([], { a: 1 }),
  ]);
  const ring: unknown[] = [];
  ring.push(ring);
  const ringBack = sent(ring) as unknown[];
  expect(ringBack[0]).toBe(ringBack);
});

test("encode keeps a DOMException", () => {
  const error = sent(new DOMException("too late", "TimeoutError")) as DOMException;
  expect(error).toBeInstanceOf(DOMException);
  expect(error).toMatchObject({ name: "TimeoutError", message: "too late", code: 23 });
});

test("encode keeps the buffer of views, one for all of them", () => {
  const buffer = new ArrayBuffer(16);
  const [bytes, view, doubles, itself] = sent([
    new Uint8Array(buffer, 2, 3),
    new DataView(buffer, 1, 4),
    new Float64Array(buffer),
    buffer,
  ]) as [Uint8Array, DataView, Float64Array, ArrayBuffer];
  expect(itself.byteLength).toBe(16);
  for (const each of [bytes, view, doubles]) expect(each.buffer).toBe(itself);
  expect([bytes.byteOffset, bytes.length, view.byteOffset, view.byteLength]).toEqual([2, 3, 1, 4]);
  view.setUint8(1, 9);
  expect(bytes[0]).toBe(9);
  const resizable = sent(new ArrayBuffer(3, { maxByteLength: 9 })) as ArrayBuffer;
  resizable.resize(9);
  expect(resizable.byteLength).toBe(9);
});

test("encode refuses what bytes can't carry, by its name", () => {
  const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const module = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  for (const [name, value] of [
    ["SharedArrayBuffer", shared.buffer],
    ["SharedArrayBuffer", new Uint8Array(shared.buffer)],
    ["SharedArrayBuffer", [new DataView(shared.buffer, 1)]],
    ["WebAssembly.Memory", shared],
    ["WebAssembly.Module", { module }],
    ["Blob", new Blob(["x"])],
  ] as const) {
    expect(() => encode(value)).toThrow(UnsupportedError);
    expect(() => encode(value)).toThrow(new RegExp(`of ${name} cannot cross .* thread: "inline"`));
  }
});
