import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { concat } from "../../src/binary/cursor.js";
import { readInterface } from "../../src/binary/interface.js";
import { rewriteHead } from "../../src/binary/rewrite.js";

const packages = new URL("../../node_modules/", import.meta.url);
const files = readdirSync(packages, { recursive: true, encoding: "utf8" }).filter((path) =>
  path.endsWith(".wasm"),
);

describe("readInterface on the modules of the dev dependencies", () => {
  test("readInterface finds modules to read", () => {
    expect(files.length).toBeGreaterThan(1);
  });

  for (const path of files) {
    test(`readInterface lists what the engine lists of ${path}`, async () => {
      const bytes = new Uint8Array(readFileSync(new URL(path, packages)));
      const module = await WebAssembly.compile(bytes);
      const { exports, imports } = readInterface(bytes);
      expect([...exports].map(([name, { kind }]) => ({ name, kind }))).toEqual(
        WebAssembly.Module.exports(module),
      );
      expect(imports.map(({ module, name, type }) => ({ module, name, kind: type.kind }))).toEqual(
        WebAssembly.Module.imports(module),
      );
      const rewritten = rewriteHead(bytes, { shared: true });
      const shared =
        rewritten === undefined ? bytes : concat([rewritten.head, bytes.subarray(rewritten.length)]);
      expect(WebAssembly.validate(shared)).toBe(true);
      for (const type of readInterface(shared).exports.values()) {
        if (type.kind === "memory") expect(type.shared).toBe(true);
      }
    });
  }

  test("readInterface gives every function the arity that the engine gives it", async () => {
    const bytes = new Uint8Array(readFileSync(new URL("playwright-core/lib/webp_codec.wasm", packages)));
    const module = await WebAssembly.compile(bytes);
    const { exports, imports } = readInterface(bytes);
    const given: Record<string, Record<string, WebAssembly.ExportValue>> = {};
    for (const { module, name, type } of imports) {
      given[module] ??= {};
      if (type.kind === "function") given[module][name] = () => 0;
      if (type.kind === "memory") {
        const { minimum: initial, maximum = initial } = type;
        given[module][name] = new WebAssembly.Memory({ initial, maximum });
      }
    }
    const instance = await WebAssembly.instantiate(module, given);
    let seen = 0;
    for (const [name, type] of exports) {
      if (type.kind !== "function") continue;
      expect((instance.exports[name] as () => void).length, name).toBe(type.parameters.length);
      seen++;
    }
    expect(seen).toBeGreaterThan(0);
  });
});
