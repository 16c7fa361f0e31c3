import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ADD64, ended, fixtures, root, SPIN, useCommand } from "./command.js";

const { launch, wasmex, folder, program } = useCommand("cli");

describe("wasmex inspect", () => {
  it("prints imports, exports, memories and sections in a table without colours in a pipe", async () => {
    const { code, stdout } = await wasmex(["inspect", `${fixtures}wasmex.wat`]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^wasmex\.wat {2}\d+ B\n\nImports \(0\)\n/);
    expect(stdout).toMatch(/\n {2}function {2}sum +\(i32, i32\) -> \(i32\)\n/);
    expect(stdout).toContain("\nMemories (1)\n  #0  17.. pages\n");
    expect(stdout).toMatch(/\n {2}code +\d+ B\n/);
    expect(stdout).not.toContain("\u001b");
  });

  it("prints the same as JSON", async () => {
    const { stdout } = await wasmex(["inspect", "--json", "-"], ADD64);
    expect(JSON.parse(stdout)).toMatchObject({
      file: "stdin",
      imports: [],
      exports: [
        { name: "add", type: { kind: "function", parameters: ["i64", "f64"], results: ["i64", "f64"] } },
      ],
      memories: [],
      advice: null,
    });
  });

  it("lets no name of a module act on the terminal", async () => {
    const { stdout } = await wasmex(["inspect", "-"], '(module (func (export "\\1b[2J\\n")))');
    expect(stdout).not.toContain("\u001b");
    expect(stdout).toContain("\\u{1b}[2J\\u{a}");
    // Its own name is in a custom section of that name.
    const name = [4, ...Buffer.from("name"), 0, 4, 3, 0x1b, 0x5b, 0x41];
    const named = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 0, name.length, ...name]);
    expect((await wasmex(["inspect", "-"], named)).stdout).toContain(', named "\\u{1b}[A"\n');
  });

  it("goes on quietly where the reader of its output has gone", async () => {
    const child = launch(["inspect", "--json", `${root}node_modules/@esbuild/wasi-preview1/esbuild.wasm`]);
    child.stdout.destroy();
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
  });

  it("refuses what is no module", async () => {
    const cut = (await readFile(`${fixtures}lines.wasm`)).subarray(0, 100);
    for (const command of ["inspect", "types"]) {
      expect(await wasmex([command, "-"], cut)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("error: stdin: malformed"),
      });
    }
    expect((await wasmex(["inspect", "-"], "")).stderr).toBe("error: stdin is empty\n");
    expect((await wasmex(["inspect", "nothing.wasm"])).stderr).toContain("there is no such file");
  });
});

describe("wasmex with text", () => {
  const commands = [["run"], ["inspect"], ["types"], ["wat2wasm", "-o", "-"]];

  it("takes a byte order mark", async () => {
    for (const command of commands) {
      const { code, stderr } = await wasmex([...command, "-"], '\ufeff(module (func (export "_start")))');
      expect([code, stderr]).toEqual([0, ""]);
    }
  });

  it.each([
    ["HTML", "<!doctype html>", "is an HTML or XML page"],
    ["UTF-16", Buffer.from("\ufeff(module)", "utf16le"), "is text in UTF-16, not in UTF-8"],
    ["UTF-16 without a mark", Buffer.from("(module)", "utf16le"), "is text in UTF-16, not in UTF-8"],
    ["Latin-1", Buffer.from('(module (func (export "\u00e9")))', "latin1"), "is not UTF-8"],
    [
      "no text",
      Buffer.from([0x1f, 0x8b, 8, 0]),
      "is neither a WebAssembly module nor text: it begins with 1f 8b",
    ],
  ])("says the same of %s for each command", async (_name, input, why) => {
    const said = await Promise.all(commands.map((command) => wasmex([...command, "-"], input)));
    for (const { code, stderr } of said) {
      expect([code, stderr]).toEqual([1, expect.stringContaining(`error: stdin ${why}`)]);
    }
    expect(new Set(said.map(({ stderr }) => stderr)).size).toBe(1);
  });

  it("shows of a long line what is around the column, with the caret below that", async () => {
    const text = `(module (func ${"nop ".repeat(5000)} "\u001b\u65e5" i32.const 1 i32.wrong ${"nop ".repeat(5000)}))`;
    for (const command of commands) {
      const { stderr } = await wasmex([...command, "-"], text);
      const [message, line = "", caret = ""] = stderr.split("\n");
      expect(message).toMatch(/^error: stdin, line 1, column \d+: /);
      expect(line).toMatch(/^…(nop )+ "\\u\{1b\}\u65e5" i32\.const .*…$/);
      expect(line.length).toBeLessThan(120);
      expect(line.indexOf('"')).toBe(caret.indexOf("^"));
    }
  });
});

describe("wasmex types", () => {
  it("declares exports and imports so that they type-check against start", async () => {
    const module = `(module
      (import "env" "log" (func (param i32 i64)))
      (import "env" "two-words" (func (result i32 f32)))
      (import "env" "table" (table 1 funcref))
      (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
      (func (export "sum") (param i32 i64) (result i64) unreachable)
      (func (export "new") (result i32 f64) unreachable)
      (func (export "it's \\"odd\\" */"))
      (memory (export "memory") 1))`;
    const { code, stdout } = await wasmex(["types", "-"], module);
    expect(code).toBe(0);
    await writeFile(`${folder()}/made.d.ts`, stdout);
    await writeFile(
      `${folder()}/use.ts`,
      `import * as Wasmex from "wasmex";
      import type { Exports, Imports } from "./made.js";
      const imports: Imports = {
        env: {
          log: Wasmex.fn(["i32", "i64"], [], (_context, a, b) => void [a + 1, b + 1n]),
          "two-words": () => [1, 2],
          table: new WebAssembly.Table({ initial: 1, element: "anyfunc" }),
        },
      };
      const guest = await Wasmex.start<Exports>({ bytes: "", imports });
      const [sum]: [bigint] = await guest.callFunction("sum", [1, 2n]);
      const [a, b]: [number, number] = await guest.callFunction("new");
      await guest.callFunction("it's \\"odd\\" */");
      // @ts-expect-error a parameter is missing
      await guest.callFunction("sum", [1]);
      // @ts-expect-error there is no such function
      await guest.callFunction("nope");
      console.log(sum, a, b);`,
    );
    const config = {
      extends: `${root}tsconfig.json`,
      compilerOptions: {
        noEmit: true,
        types: ["node"],
        paths: { wasmex: [`${root}src/index.ts`] },
      },
      include: [`${folder()}/*.ts`, `${root}src/proposals.d.ts`, `${root}src/worker-source.d.ts`],
    };
    await writeFile(`${folder()}/tsconfig.json`, JSON.stringify(config));
    const check = spawn(`${root}node_modules/.bin/tsc`, ["-p", folder()]);
    expect(await ended(check)).toMatchObject({ stdout: "", code: 0 });
  });
});

describe("wasmex wat2wasm", () => {
  it("writes a binary module beside its text, or to standard output", async () => {
    expect(await wasmex(["wat2wasm", "spin.wat"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const binary = await readFile(`${folder()}/spin.wasm`);
    expect(WebAssembly.Module.exports(new WebAssembly.Module(binary))).toHaveLength(1);
    await wasmex(["wat2wasm", "-", "-o", "other.wasm"], SPIN);
    expect((await readFile(`${folder()}/other.wasm`)).equals(binary)).toBe(true);
  });

  it("refuses a terminal as its output before it reads anything", async () => {
    const terminal = { NODE_OPTIONS: "--import=data:text/javascript,process.stdout.isTTY=true" };
    const { code, stderr } = await ended(launch(["wat2wasm", "-"], terminal));
    expect([code, stderr]).toEqual([2, expect.stringContaining("no sight for a terminal")]);
  });

  it("tells where wrong text is wrong", async () => {
    const { code, stderr } = await wasmex(["wat2wasm", "-"], "(module\n  (func i32.wrong))");
    expect([code, stderr]).toEqual([1, expect.stringContaining("stdin, line 2, column 9")]);
  });
});

describe("wasmex", () => {
  it("helps by example", async () => {
    expect((await wasmex([])).stdout).toContain("wasmex run [options] FILE");
    for (const command of ["run", "inspect", "types", "wat2wasm"]) {
      const help = await wasmex(["help", command]);
      expect(help.stdout).toContain(`  wasmex ${command}`);
      expect((await wasmex([command, "--help"])).stdout).toBe(help.stdout);
    }
    expect((await wasmex(["run", "--timeout", "5", "-h"])).stdout).toMatch(/^wasmex run/);
    for (const args of [
      ["inspect", "--json", "--help"],
      ["types", "spin.wat", "--help"],
      ["wat2wasm", "spin.wat", "-h"],
    ]) {
      expect((await wasmex(args)).stdout).toContain(`wasmex ${args[0]} `);
    }
    expect((await wasmex(["--version"])).stdout).toMatch(/^wasmex \d+\.\d+\.\d+\n$/);
  });

  it.runIf(existsSync("/dev/full"))("says why its output can't be written", async () => {
    const shell = spawn("sh", ["-c", 'exec "$0" "$@" > /dev/full', process.execPath, program, "help"]);
    expect(await ended(shell)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: can't write to standard output: .*no space left/),
    });
  });

  it("ends with 2 for a command line that it doesn't understand", async () => {
    for (const args of [["nope"], ["run"], ["run", "--nope", "x"], ["inspect", "a", "b"], ["run", "--env"]]) {
      expect(await wasmex(args)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("Try: wasmex help"),
      });
    }
  });
});
