import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat } from "../../src/binary/cursor.js";
import { readInterface } from "../../src/binary/interface.js";
import { findCode, type Rewriting, rewriteHead } from "../../src/binary/rewrite.js";
import { CompileError } from "../../src/errors.js";
import { wat } from "../support/index.js";
import { binary, section, vec } from "./build.js";
import { engineAccepts } from "./engine-list.js";
import { features } from "./features.js";

function rewrite(bytes: Uint8Array<ArrayBuffer>, rewriting: Rewriting): Uint8Array<ArrayBuffer> {
  const rewritten = rewriteHead(bytes, rewriting);
  return rewritten === undefined ? bytes : concat([rewritten.head, bytes.subarray(rewritten.length)]);
}

const memoriesOf = (bytes: Uint8Array<ArrayBuffer>) =>
  [...readInterface(bytes).exports.values()].filter((type) => type.kind === "memory");

describe("rewriteHead", () => {
  test("rewriteHead makes every 32-bit memory shared and keeps its maximum", () => {
    const bytes = binary(
      section(2, vec(["env", "m", 2, 0, 1])),
      section(5, vec([1, 2, 3], [4, 5], [0, 0], [3, 1, 9])),
      section(7, vec(["a", 2, 0], ["b", 2, 1], ["c", 2, 2], ["d", 2, 3], ["e", 2, 4])),
    );
    const rewritten = rewrite(bytes, { shared: true });
    expect(memoriesOf(rewritten)).toEqual([
      { kind: "memory", minimum: 1, maximum: 65536, shared: true },
      { kind: "memory", minimum: 2, maximum: 3, shared: true },
      { kind: "memory", minimum: 5, shared: false, address: "i64" },
      { kind: "memory", minimum: 0, maximum: 65536, shared: true },
      { kind: "memory", minimum: 1, maximum: 9, shared: true },
    ]);
    expect(readInterface(rewritten).imports[0]?.type).toEqual({
      kind: "memory",
      minimum: 1,
      maximum: 65536,
      shared: true,
    });
  });

  test("rewriteHead clamps the maximum of the memories and tables that the module defines", () => {
    const bytes = binary(
      section(2, vec(["env", "m", 2, 0, 1], ["env", "t", 1, 0x70, 0, 1])),
      section(4, vec([0x70, 0, 2], [0x40, 0, 0x70, 1, 2, 9, 0xd0, 0x70, 0x0b], [0x6f, 1, 1, 3])),
      section(5, vec([0, 2], [5, 2, 100])),
      section(7, vec(["m", 2, 1], ["n", 2, 2], ["t", 1, 1], ["u", 1, 2], ["v", 1, 3])),
    );
    const { imports, exports } = readInterface(rewrite(bytes, { memoryPages: 10, tableElements: 5 }));
    expect(imports.map((entry) => entry.type)).toEqual(
      readInterface(bytes).imports.map((entry) => entry.type),
    );
    expect([...exports.values()]).toMatchObject([
      { minimum: 2, maximum: 10, shared: false },
      { minimum: 2, maximum: 10, address: "i64" },
      { minimum: 2, maximum: 5 },
      { minimum: 2, maximum: 5 },
      { minimum: 1, maximum: 3 },
    ]);
    expect(() => rewriteHead(bytes, { memoryPages: 1 })).toThrow(CompileError);
    expect(() => rewriteHead(bytes, { memoryPages: 1 })).toThrow(
      "the module needs 2 memory pages from the start",
    );
    expect(() => rewriteHead(bytes, { tableElements: 0 })).toThrow("more than the 0 that its limits allow");
  });

  test("rewriteHead counts pages of a size of their own by their bytes", () => {
    const bytes = binary(section(5, vec([8, 10, 0])), section(7, vec(["m", 2, 0])));
    expect(memoriesOf(rewrite(bytes, { shared: true, memoryPages: 1 }))).toEqual([
      { kind: "memory", minimum: 10, maximum: 65536, shared: false, pageSize: 1 },
    ]);
  });

  test("rewriteHead leaves what has nothing to rewrite alone", () => {
    expect(rewriteHead(binary(), { shared: true })).toBe(undefined);
    const bytes = binary(section(5, vec([3, 1, 2])));
    expect(rewriteHead(bytes, { shared: true, memoryPages: 2, tableElements: 0 })).toBe(undefined);
    expect(rewriteHead(binary(section(5, vec([0, 1]))), {})).toBe(undefined);
  });

  const rewritings: Rewriting[] = [
    { shared: true },
    { shared: true, memoryPages: 100_000, tableElements: 1000 },
    { memoryPages: 100_000 },
  ];

  test("rewriteHead gives a module that the engine accepts where it accepted the original", () => {
    let accepted = 0;
    for (const { bytes, title } of features) {
      if (!engineAccepts(bytes)) continue;
      for (const rewriting of rewritings) expect(engineAccepts(rewrite(bytes, rewriting)), title).toBe(true);
      accepted++;
    }
    expect(accepted).toBeGreaterThan(8);
  });

  test("rewriteHead passes malformed modules on unchanged or keeps them refused", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...features),
        fc.nat(),
        fc.nat(255),
        fc.constantFrom(...rewritings),
        ({ bytes }, at, value, rewriting) => {
          const mutated = bytes.slice();
          mutated[8 + (at % Math.max(1, mutated.length - 8))] = value;
          let rewritten: Uint8Array<ArrayBuffer>;
          try {
            rewritten = rewrite(mutated, rewriting);
          } catch (error) {
            expect(error).toBeInstanceOf(CompileError);
            return;
          }
          const isValid = engineAccepts(mutated);
          // A maximum past the engine's own may become a good one by being clamped.
          if (isValid || rewriting.memoryPages === undefined) expect(engineAccepts(rewritten)).toBe(isValid);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("a rewritten module computes what the original computes", async () => {
    const bytes = await wat(`(module
      (memory (export "m") 1 3)
      (data (i32.const 8) "some bytes")
      (table 2 funcref)
      (func (export "f") (param i32) (result i32) (local i32)
        (drop (memory.grow (i32.const 1)))
        (memory.fill (i32.const 100) (local.get 0) (i32.const 50))
        (memory.copy (i32.const 65530) (i32.const 8) (i32.const 10))
        (i32.store16 offset=3 (i32.const 200) (local.get 0))
        (i32.add (i32.load (i32.const 65531)) (i32.mul (memory.size) (memory.grow (i32.const 9))))))`);
    const run = (code: Uint8Array<ArrayBuffer>) => {
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code));
      const memory = exports["m"] as WebAssembly.Memory;
      const result = (exports["f"] as (value: number) => number)(77);
      return {
        result,
        bytes: new Uint8Array(memory.buffer).slice(),
        shared: !(memory.buffer instanceof ArrayBuffer),
      };
    };
    const original = run(bytes);
    const rewritten = run(rewrite(bytes, { shared: true, memoryPages: 3 }));
    expect(rewritten.result).toBe(original.result);
    expect(rewritten.bytes).toEqual(original.bytes);
    expect([original.shared, rewritten.shared]).toEqual([false, true]);
  });
});

describe("findCode", () => {
  test("findCode finds the code section however the module arrives", () => {
    const head = binary(section(5, vec([0, 1])), [1, 0x83, 0x80, 0, 10, 10, 10]);
    const bytes = concat([head, Uint8Array.of(10, 200, 10, 10)]);
    for (let step = 1; step <= bytes.length; step++) {
      let at = 8;
      for (let end = step; end < bytes.length + step; end += step) at = findCode(bytes.slice(0, end), at);
      expect(at, `in steps of ${step}`).toBe(head.length);
    }
  });

  test("findCode stays where a size is still to come, or is none", () => {
    const head = binary(section(1, vec()));
    for (const tail of [[], [1], [1, 0x80], [1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]]) {
      expect(findCode(concat([head, Uint8Array.from(tail)]), 8)).toBe(head.length);
    }
    expect(findCode(Uint8Array.of(0, 0x61), 8)).toBe(8);
    expect(findCode(concat([head, Uint8Array.of(0, 9)]), 8)).toBe(head.length + 11);
  });

  test("rewriteHead of what lies before the code is rewriteHead of the whole", () => {
    fc.assert(
      fc.property(fc.constantFrom(...features), fc.nat(), fc.nat(255), ({ bytes }, at, value) => {
        const mutated = bytes.slice();
        mutated[8 + (at % Math.max(1, mutated.length - 8))] = value;
        const end = findCode(mutated, 8);
        if (mutated[end] !== 10) return;
        expect(rewriteHead(mutated.slice(0, end), { shared: true })).toEqual(
          rewriteHead(mutated, { shared: true }),
        );
      }),
      { numRuns: 1000 },
    );
  });
});
