import { runInNewContext } from "node:vm";
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
    ...["Error", "0", "Mine"],
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

test("encode takes an array whose prototype was replaced", () => {
  expect(decode(encode(Object.setPrototypeOf([1, 2], null)))).toEqual([1, 2]);
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

test("encode keeps the bytes alone of a view whose buffer is shared, or has much beside them", () => {
  const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;
  for (const buffer of [shared, new ArrayBuffer(65_536 + 5)]) {
    new Uint8Array(buffer).set([1, 2, 3, 4], 8);
    const views = [new Uint8Array(buffer, 8, 4), new DataView(buffer, 9, 2), new Uint16Array(buffer, 8, 1)];
    // In an error what can't cross is text: these can.
    for (const back of [
      sent(views),
      (sent(Object.assign(new Error("mine"), { views })) as { views: unknown }).views,
    ]) {
      const [bytes, view, numbers] = back as [Uint8Array, DataView, Uint16Array];
      expect(bytes).toEqual(Uint8Array.of(1, 2, 3, 4));
      expect([view.byteLength, view.getUint16(0)]).toEqual([2, 0x0203]);
      expect(numbers).toEqual(Uint16Array.of(0x0201));
      for (const each of [bytes, view, numbers]) {
        expect(each.buffer).toBeInstanceOf(ArrayBuffer);
        expect([each.byteOffset, each.buffer.byteLength]).toEqual([0, each.byteLength]);
      }
    }
  }
  // With no more than that beside them they keep it.
  expect((sent(new Uint8Array(new ArrayBuffer(65_536 + 4), 8, 4)) as Uint8Array).byteOffset).toBe(8);
});

test("encode keeps errors of another realm", () => {
  const error = sent(
    runInNewContext(`Object.assign(new TypeError("x", { cause: new Error("y") }), { a: 1 })`),
  );
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ message: "x", a: 1, cause: { message: "y" } });
  expect((error as Error).cause).toBeInstanceOf(Error);
  const several = sent({ in: runInNewContext(`new AggregateError([new RangeError("z")], "m")`) }) as {
    in: AggregateError;
  };
  expect(several.in).toBeInstanceOf(AggregateError);
  expect(several.in.errors[0]).toBeInstanceOf(RangeError);
  // As where this package is loaded into a realm that has the platform's objects of another.
  const late = new DOMException("late", "TimeoutError");
  Object.setPrototypeOf(
    late,
    Object.create(Object.prototype, Object.getOwnPropertyDescriptors(DOMException.prototype)),
  );
  expect(late).not.toBeInstanceOf(Error);
  expect(sent(late)).toMatchObject({ name: "TimeoutError", message: "late", code: 23 });
});

test("encode refuses what bytes can't carry, by its name", () => {
  const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const module = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  for (const [name, value] of [
    ["SharedArrayBuffer", shared.buffer],
    ["WebAssembly.Memory", shared],
    ["WebAssembly.Module", { module }],
    ["Blob", new Blob(["x"])],
  ] as const) {
    expect(() => encode(value)).toThrow(UnsupportedError);
    expect(() => encode(value)).toThrow(new RegExp(`of ${name} cannot cross .* thread: "inline"`));
  }
});
