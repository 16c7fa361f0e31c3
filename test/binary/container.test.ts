import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pack } from "../../src/binary/container.js";
import { unpack } from "../../src/binary/unpack.js";
import { CompileError } from "../../src/errors.js";

describe("unpack", () => {
  test("unpack gives what pack was given: any bytes, any name or none", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.option(fc.string({ unit: "grapheme" }), { nil: undefined }),
        (module, name) => {
          const unpacked = unpack(pack([module], name));
          expect(unpacked.name).toBe(name);
          expect(Array.from(unpacked.module)).toEqual(Array.from(module));
        },
      ),
    );
  });

  test("unpack refuses every flipped bit, cut and extension", () => {
    const container = pack([Uint8Array.from({ length: 70 }, (_, at) => at * 7)], "näme");
    for (let bit = 0; bit < container.length * 8; bit++) {
      const altered = container.slice();
      altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => unpack(altered), `bit ${bit}`).toThrow(CompileError);
    }
    for (let length = 0; length < container.length; length++) {
      expect(() => unpack(container.slice(0, length)), `length ${length}`).toThrow(CompileError);
    }
    for (const more of [1, 15, 16, 17, 1000]) {
      const extended = new Uint8Array(container.length + more);
      extended.set(container);
      expect(() => unpack(extended)).toThrow(CompileError);
    }
  });

  test("unpack refuses altered spans, swapped blocks and foreign bytes", () => {
    const module = Uint8Array.from({ length: 400 }, (_, at) => (at * at) >> 3);
    const container = pack([module], undefined);
    fc.assert(
      fc.property(
        fc.nat(container.length - 1),
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        (at, bytes) => {
          const altered = container.slice();
          altered.set(bytes.subarray(0, altered.length - at), at);
          const isSame = altered.every((byte, index) => byte === container[index]);
          if (!isSame) expect(() => unpack(altered)).toThrow(CompileError);
        },
      ),
      { numRuns: 500 },
    );
    const swapped = container.slice();
    swapped.copyWithin(32, 48, 64);
    swapped.set(container.subarray(32, 48), 48);
    expect(() => unpack(swapped)).toThrow("its checksum does not fit");
    expect(() => unpack(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))).toThrow("not a serialized module");
  });
});
