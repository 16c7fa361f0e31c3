import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readInterface } from "../../src/binary/interface.js";
import { CompileError } from "../../src/errors.js";
import { binary, section, uleb, vec } from "./build.js";
import { engineAccepts, engineList } from "./engine-list.js";
import { features } from "./features.js";

/** Reads, and lets nothing out but a `CompileError`. */
function readOrRefuse(bytes: Uint8Array<ArrayBuffer>): ReturnType<typeof readInterface> | undefined {
  try {
    return readInterface(bytes);
  } catch (error) {
    if (error instanceof CompileError) return undefined;
    throw error;
  }
}

/** Compares with names and kinds as the engine lists them, where it accepts the module. */
function expectEngineList(
  bytes: Uint8Array<ArrayBuffer>,
  read: ReturnType<typeof readInterface> | undefined,
) {
  if (!engineAccepts(bytes)) return;
  const list = engineList(bytes);
  if (list !== undefined) expect(read && ownList(read)).toEqual(list);
}

function ownList({ exports, imports }: ReturnType<typeof readInterface>) {
  return {
    exports: [...exports].map(([name, { kind }]) => [name, kind]),
    imports: imports.map(({ module, name, type }) => [module, name, type.kind]),
  };
}

describe("readInterface", () => {
  for (const { title, bytes, imports = [], exports = {} } of features) {
    test(`readInterface reads ${title}`, () => {
      const read = readInterface(bytes);
      expect(read.imports).toEqual(imports.map(([module, name, type]) => ({ module, name, type })));
      expect([...read.exports]).toEqual(Object.entries(exports));
      expectEngineList(bytes, read);
    });

    test(`readInterface refuses or reads every cut of ${title}`, () => {
      for (let length = 0; length < bytes.length; length++) readOrRefuse(bytes.slice(0, length));
    });
  }

  test("readInterface gives frozen types, one object for all functions of a type", () => {
    const bytes = binary(
      section(1, vec([0x60, vec(0x7f), vec()])),
      section(2, vec(["a", "f", 0, 0], ["a", "g", 0, 0])),
    );
    const [first, second] = readInterface(bytes).imports;
    expect(first?.type).toBe(second?.type);
    expect(Object.isFrozen(first?.type)).toBe(true);
    expect(Object.isFrozen(first?.type.kind === "function" && first.type.parameters)).toBe(true);
  });

  test("readInterface refuses counts that their section can't hold before it makes room for them", () => {
    const most = uleb(0xffff_ffff);
    for (const id of [1, 2, 3, 4, 5, 6, 7, 13]) {
      const bytes = binary(
        section(1, vec([0x60, vec(), vec()])),
        section(id, most),
        section(7, vec(["f", 0, 0], ["t", 1, 0], ["m", 2, 0], ["g", 3, 0], ["e", 4, 0])),
      );
      expect(readOrRefuse(bytes), `section ${id}`).toBe(undefined);
    }
    expect(() => readInterface(binary([1, most]))).toThrow(CompileError);
    expect(() => readInterface(binary(section(1, vec([0x60, most]))))).toThrow(CompileError);
    expect(() => readInterface(binary(section(2, vec([most, "x"]))))).toThrow(CompileError);
  });

  test("readInterface meets endless numbers and deep nesting without recursion", () => {
    const nested = Array.from({ length: 100_000 }, () => 0x65);
    for (const body of [
      vec([0x60, 1, 0x63, ...nested]),
      vec([...nested]),
      vec([0x60, 1, 0x63, ...nested.map(() => 0x80)]),
      vec([0x60, ...nested.map(() => 0x80)]),
    ]) {
      readOrRefuse(binary(section(1, body), section(2, vec(["", "", 0, 0]))));
    }
  });

  test("readInterface never throws anything but CompileError for arbitrary sections", () => {
    const body = fc.uint8Array({ maxLength: 60 });
    const sections = fc.array(fc.tuple(fc.integer({ min: 0, max: 14 }), body), { maxLength: 6 });
    fc.assert(
      fc.property(sections, (list) => {
        readOrRefuse(binary(...list.map(([id, bytes]) => section(id, ...bytes))));
      }),
      { numRuns: 2000 },
    );
  });

  test("readInterface reads what the engine accepts of mutated modules", () => {
    const mutation = fc.record({
      feature: fc.constantFrom(...features),
      edits: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(mutation, ({ feature, edits }) => {
        const bytes = feature.bytes.slice();
        for (const [at, value] of edits) bytes[8 + (at % Math.max(1, bytes.length - 8))] = value;
        const read = readOrRefuse(bytes);
        expectEngineList(bytes, read);
      }),
      { numRuns: 3000 },
    );
  });
});
