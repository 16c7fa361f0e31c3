import { describe, expect, test } from "vitest";
import { type Names, readNames } from "../../src/binary/names.js";
import { binary, custom, name, section, uleb, vec } from "./build.js";

const subsection = (id: number, ...bytes: number[]) => [id, ...uleb(bytes.length), ...bytes];
const functionNames = (...names: [number, string][]) =>
  subsection(1, ...uleb(names.length), ...names.flatMap(([index, text]) => [...uleb(index), ...name(text)]));

function namesOf(bytes: Uint8Array<ArrayBuffer>): Names {
  return readNames(WebAssembly.Module.customSections(new WebAssembly.Module(bytes), "name").at(-1));
}

describe("readNames", () => {
  test("readNames reads the module's name and each function's by its index", () => {
    const names = namesOf(
      binary(
        section(1, vec()),
        custom(
          "name",
          subsection(0, ...name("módule")),
          functionNames([0, "first"], [300, "__proto__"], [301, ""]),
        ),
      ),
    );
    expect(names.moduleName).toBe("módule");
    expect(names.functionName(0)).toBe("first");
    expect(names.functionName(300)).toBe("__proto__");
    expect(names.functionName(301)).toBe("");
    expect(names.functionName(1)).toBe(undefined);
    expect(names.functionName(300)).toBe("__proto__");
  });

  test("readNames gives nothing for a module without one", () => {
    const names = namesOf(binary());
    expect(names.moduleName).toBe(undefined);
    expect(names.functionName(0)).toBe(undefined);
  });

  test("readNames takes a malformed section as engines do: what is unreadable has no name", () => {
    const cases = [
      [subsection(0, 9, 0x61)],
      [subsection(0, 1, 0xff)],
      [[0]],
      [[0, 0xff, 0xff, 0xff, 0xff, 0x0f]],
      [subsection(1, ...uleb(0xffff_ffff))],
      [subsection(1, 1, 0, 200)],
      [subsection(1, 1, 0, 1, 0xff)],
      [subsection(1, 0x80, 0x80)],
    ];
    for (const parts of cases) {
      const names = namesOf(binary(custom("name", ...parts)));
      expect(names.moduleName).toBe(undefined);
      expect(names.functionName(0)).toBe(undefined);
    }
    const half = namesOf(binary(custom("name", subsection(0, ...name("kept")), [1, 99])));
    expect(half.moduleName).toBe("kept");
  });
});
