import { describe, expect, test } from "vitest";
import { CompileError, Module } from "wasmex";

const failureOf = (source: string) => Module.compile(source).catch((error: unknown) => error as CompileError);

describe("Module.compile of text", () => {
  test("Module.compile gives line, column and the offending line of a syntax error", async () => {
    const failure = await failureOf("(module\n  (func (result i32)\n\t(i32.bogus 1)))\n");
    expect(failure).toBeInstanceOf(CompileError);
    expect(failure).toMatchObject({ line: 3, column: 3 });
    expect((failure as CompileError).message).toBe(
      'the text, line 3, column 3: unexpected token "i32.bogus", expected an instr.\n\t(i32.bogus 1)))\n\t ^',
    );
  });

  test.each(["/sum.wasm", "https://example.org/sum", "sum.wasm", "data:application/wasm;base64,AGFzbQ=="])(
    "Module.compile says how to load from an address: %s",
    async (address) => {
      const failure = (await failureOf(address)) as CompileError;
      expect(failure).toBeInstanceOf(CompileError);
      expect(failure.message).toBe(
        `the text is an address, "${address}", no WebAssembly text: load it by \`fetch\` or as a URL`,
      );
    },
  );

  test("Module.compile takes text and bytes that begin with a byte order mark", async () => {
    const text = `\ufeff(module (func (export "f")))`;
    for (const source of [text, new TextEncoder().encode(text)]) {
      expect(Object.keys((await Module.compile(source)).exports)).toEqual(["f"]);
    }
  });

  test("Module.compile takes no other text for an address", async () => {
    expect(await failureOf("garbage")).toMatchObject({ name: "CompileError", line: 1, column: 1 });
    expect(await failureOf("(module) ;; see https://example.org/sum")).toBeInstanceOf(Module);
  });

  test("Module.compile points at the line of a type error, which the engine would give as a byte", async () => {
    const failure = await failureOf("(module\r\n  (func (result i32)\r\n    (i64.const 1)))");
    expect(failure).toMatchObject({ name: "CompileError", line: 3, column: 6 });
    expect((failure as CompileError).message).toContain("type mismatch");
    expect((failure as CompileError).message).toContain("\n    (i64.const 1)))\n");
  });

  test("Module.compile points at a name that is not there, columns counted in characters", async () => {
    const failure = await failureOf(`(module (; żółć \u{1f980} ;) (func call $nowhere))`);
    expect(failure).toMatchObject({ line: 1, column: 34 });
    expect((failure as CompileError).message).toContain('undefined function variable "$nowhere"');
  });

  test("Module.compile takes text that is no WebAssembly text for what it is", async () => {
    for (const text of ["hello", "(", "(module", ")", "((", '(module (data "\\zz"))', "\u0000", "\ud800"]) {
      expect(await failureOf(text), JSON.stringify(text)).toBeInstanceOf(CompileError);
    }
  });

  test("Module.compile keeps text beyond ASCII", async () => {
    const module = await Module.compile(`(module $town (func $beast (export "🦀")))`);
    expect(Object.keys(module.exports)).toEqual(["🦀"]);
    expect(module.name).toBe("town");
    expect(module.shape().functionName?.(0)).toBe("beast");
  });

  test("Module.compile goes on after errors", async () => {
    for (let round = 0; round < 20; round++) {
      await failureOf(`(module (func ${"(".repeat(round)}`);
      expect((await Module.compile(`(module (func (export "f")))`)).exports["f"]).toBeDefined();
    }
  });

  const texts: [string, string][] = [
    ["threads", `(module (memory 1 1 shared) (func (result i32) (i32.atomic.load (i32.const 0))))`],
    ["SIMD", `(module (func (param v128) (result v128) (i8x16.popcnt (local.get 0))))`],
    [
      "references",
      `(module (table 1 externref) (func (param externref) (table.set (i32.const 0) (local.get 0))))`,
    ],
    ["bulk memory", `(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))`],
    ["tail calls", `(module (func $f return_call $f))`],
    ["several values", `(module (func (result i32 i64) i32.const 1 i64.const 1))`],
  ];
  for (const [title, text] of texts) {
    test(`Module.compile has ${title} switched on in text`, async () => {
      expect((await Module.compile(text)).byteLength).toBeGreaterThan(8);
    });
  }
});
