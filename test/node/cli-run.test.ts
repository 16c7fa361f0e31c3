import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ended, fixtures, root, useCommand } from "./command.js";

const { launch, wasmex, folder } = useCommand("run");

describe("wasmex run", () => {
  it("gives a program its arguments, variables and input, and ends with its code", async () => {
    const args = ["run", "--env", "PROMPT=> ", "--env=A=1=2", "--env", "PASSED", `${fixtures}lines.wasm`];
    const result = await wasmex([...args, "--env", "--", "x"], "one\ntwo", { PASSED: "on" });
    expect(result).toEqual({
      code: 2,
      signal: null,
      stdout: [
        "argument 0: lines.wasm",
        "argument 1: --env",
        "argument 2: --",
        "argument 3: x",
        "variable: PROMPT=> ",
        "variable: A=1=2",
        "variable: PASSED=on",
        "> 1: one (3 bytes)",
        "> 2: two (3 bytes)",
        "",
      ].join("\n"),
      stderr: "2 lines\n",
    });
  });

  it("answers a person who writes line by line", async () => {
    const child = launch(["run", `${fixtures}lines.wasm`]);
    let seen = "";
    const end = ended(child);
    child.stdout.on("data", (chunk: string) => {
      seen += chunk;
    });
    for (const line of ["hello", "quit"]) {
      child.stdin.write(`${line}\n`);
      while (!seen.includes(`: ${line}`)) await once(child.stdout, "data");
    }
    // Its input is still open: it ends all the same.
    expect((await end).code).toBe(2);
  });

  it("takes the program from standard input for `-`", async () => {
    const { code, stdout } = await wasmex(["run", "--", "-", "x"], await readFile(`${fixtures}lines.wasm`));
    expect([code, stdout]).toEqual([0, "argument 0: stdin\nargument 1: x\n"]);
  });

  it("gives a program the directories of --dir under their guest names, and no others", async () => {
    const bundle = ["--bundle", "--format=esm"];
    const esbuild = `${root}node_modules/@esbuild/wasi-preview1/esbuild.wasm`;
    const { code, stdout } = await wasmex(["run", "--dir", `${folder()}::/`, esbuild, "/in.ts", ...bundle]);
    expect([code, stdout]).toEqual([0, "// in.ts\nvar a = 1;\nexport {\n  a\n};\n"]);
    const files = await wasmex(["run", `${fixtures}files.wasm`]);
    expect([files.code, files.stdout]).toEqual([2, "chdir .: No such file or directory\n"]);
    const none = await wasmex(["run", "--dir", "none", `${fixtures}files.wasm`]);
    expect([none.code, none.stderr]).toEqual([
      1,
      'error: --dir none: can\'t open "none": there is no such directory\n',
    ]);
  });

  it("takes one directory under several names", async () => {
    const { code, stdout } = await wasmex([
      "run",
      "--dir",
      ".",
      "--dir",
      ".::/also",
      `${fixtures}files.wasm`,
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain("in.ts 27\n");
  });

  it("calls one export with --invoke and prints its results", async () => {
    expect(await wasmex(["run", "--invoke", "add", `${fixtures}add.wat`, "50", "-8"])).toMatchObject({
      code: 0,
      stdout: "42\n",
      stderr: "",
    });
    expect(await wasmex(["run", "--invoke=add", "add64.wat", "-0x8000000000000000", "-inf"])).toMatchObject({
      code: 0,
      stdout: "-9223372036854775808\n-Infinity\n",
    });
  });

  it.each([
    ["i32", "0xffffffff", "-1"],
    ["i32", "-0x80000000", "-2147483648"],
    ["i64", "0xffffffffffffffff", "-1"],
    ["f32", "-0x10", "-16"],
    ["f64", "0x10", "16"],
    ["f64", "-0", "-0"],
    ["f32", "-inf", "-Infinity"],
    ["f64", "+1.5e3", "1500"],
  ])("takes and prints numbers: %s %s", async (type, word, printed) => {
    const text = `(module (func (export "f") (param ${type}) (result ${type}) local.get 0))`;
    await writeFile(`${folder()}/${type}.wat`, text);
    expect(await wasmex(["run", "--invoke", "f", `${type}.wat`, word])).toMatchObject({
      code: 0,
      stdout: `${printed}\n`,
    });
  });

  it.each([
    ["i32", "0x100000000", 'an i32; "0x100000000" is out of its range'],
    ["i32", "-0xffffffff", "out of its range"],
    ["i64", "9223372036854775808", "out of its range"],
    ["f32", "1e39", "out of its range"],
    ["f64", "1e400", "out of its range"],
    ["f64", "1_0", 'an f64; "1_0" is none'],
    ["v128", "0", "a v128, which no word"],
    ["funcref", "0", "a funcref, which no word"],
  ])("refuses numbers that are none: %s %s", async (type, word, why) => {
    const text = `(module (func (export "f") (param ${type})))`;
    await writeFile(`${folder()}/refused.wat`, text);
    expect(await wasmex(["run", "--invoke", "f", "refused.wat", word])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(why),
    });
  });

  it("says where options go that stand after the file", async () => {
    const { code, stderr } = await wasmex(["run", "add64.wat", "--invoke=add", "1", "2"]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("options come before FILE")]);
    expect(stderr).not.toContain("--invoke NAME");
  });

  it("tells what is wrong with --invoke", async () => {
    const invoke = (...args: string[]) => wasmex(["run", "--invoke", ...args]);
    expect((await invoke("nope", "add64.wat")).stderr).toContain('no function "nope"; it exports add');
    expect((await invoke("add", "add64.wat", "1")).stderr).toContain("takes 2 arguments (i64, f64), not 1");
    await writeFile(`${folder()}/one.wat`, '(module (func (export "f") (param i32)))');
    expect((await invoke("f", "one.wat")).stderr).toContain("takes 1 argument (i32), not 0");
    expect((await invoke("add", "add64.wat", "1.5", "1")).stderr).toContain('must be an i64; "1.5" is none');
    expect(await wasmex(["run", "add64.wat"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("call one of its functions with --invoke NAME; it exports add"),
    });
  });

  it("ends with 134 for a trap, and tells where", async () => {
    const { code, stderr } = await wasmex(["run", "trap.wat"]);
    expect([code, stderr]).toEqual([
      134,
      expect.stringMatching(/trap\.wat trapped: .*unreachable.*\n +at boom/),
    ]);
  });

  it("stops an endless program at --timeout", async () => {
    const { code, stderr } = await wasmex(["run", "--timeout", "50", "spin.wat"]);
    expect([code, stderr]).toEqual([134, expect.stringContaining("took longer than 50 ms")]);
    expect((await wasmex(["run", "--timeout", "soon", "spin.wat"])).code).toBe(2);
  });

  it.each([
    ["a start function", ["-"], '(module (func $s (loop br 0)) (start $s) (func (export "_start")))'],
    [
      "_initialize",
      ["--invoke", "f", "-"],
      '(module (func (export "_initialize") (loop br 0)) (func (export "f")))',
    ],
  ])("stops %s at --timeout", async (_name, args, text) => {
    const { code, stderr } = await wasmex(["run", "--timeout", "50", ...args], text);
    expect([code, stderr]).toEqual([134, expect.stringContaining("took longer than 50 ms")]);
  });

  it("waits no longer than --timeout for a program from standard input", async () => {
    const { code, stderr } = await ended(launch(["run", "--timeout", "50", "-"]));
    expect([code, stderr]).toEqual([134, "error: stdin: it took longer than 50 ms and was stopped\n"]);
  });

  it("ends as its start function does", async () => {
    const trapped = await wasmex(
      ["run", "-"],
      '(module (func $boom unreachable) (start $boom) (func (export "_start")))',
    );
    expect(trapped).toMatchObject({
      code: 134,
      stderr: expect.stringMatching(/stdin trapped: .*\n +at boom/),
    });
    const text = `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (func $s (call $exit (i32.const 7))) (start $s) (func (export "_start")))`;
    expect(await wasmex(["run", "-"], text)).toMatchObject({ code: 7, stderr: "" });
  });

  it("lets nothing of a module act on the terminal", async () => {
    await writeFile(`${folder()}/red\u001b[31m.wat`, '(module (func (export "_start") unreachable))');
    const modules = [
      ["-", '(module (func (export "_start") unreachable) (export "\\1b[2J" (func 0)))'],
      ["-", '(module (import "en\\1b[31mv" "f" (func)) (func (export "_start")))'],
      ["-", '(module (func (export "f") \u001b[2J bad))'],
      ["red\u001b[31m.wat", ""],
    ] as const;
    for (const [file, text] of modules) {
      const { code, stderr } = await wasmex(["run", file], text);
      expect(code).not.toBe(0);
      expect(stderr).not.toContain("\u001b");
    }
  });

  it("is ended by Ctrl-C whatever the program does, with 130", async () => {
    const child = launch(["run", `${fixtures}lines.wasm`]);
    const end = ended(child);
    await once(child.stdout, "data");
    child.kill("SIGINT");
    expect(await end).toMatchObject({ code: 130, signal: null });
  });
});

describe("wasmex run with a module that needs its toolchain's own glue", () => {
  it.each([
    ["Go", '(import "gojs" "runtime.wasmExit" (func))', "GOOS=wasip1"],
    ["wasm-bindgen", '(import "wbg" "__wbg_log_1" (func))', "wasm-bindgen"],
    ["wasm-bindgen for bundlers", '(import "./app_bg.js" "__wbindgen_throw" (func))', "wasm-bindgen"],
    ["Emscripten", '(import "env" "emscripten_resize_heap" (func))', "-sSTANDALONE_WASM"],
    ["embind", '(import "env" "_embind_register_void" (func (param i32 i32)))', "Emscripten"],
    ["embind's values", '(import "env" "_emval_incref" (func (param i32)))', "Emscripten"],
    ["Emscripten, minified", '(import "a" "b" (func))', "-sSTANDALONE_WASM"],
    ["AssemblyScript", '(import "env" "abort" (func))', "AssemblyScript"],
    ["preview 2", '(import "wasi:cli/stdout@0.2.0" "get-stdout" (func))', "wasm32-wasip1"],
  ])("advises on %s", async (_name, imports, advice) => {
    const { code, stderr } = await wasmex(["run", "-"], `(module ${imports})`);
    expect([code, stderr]).toEqual([1, expect.stringContaining(advice)]);
  });

  it("gives what -sSTANDALONE_WASM imports where memory may grow", async () => {
    const text = `(module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (import "env" "emscripten_notify_memory_growth" (func $notify (param i32)))
      (memory (export "memory") 1)
      (func (export "_start") (call $notify (i32.const 0)) (call $exit (i32.const 5))))`;
    expect(await wasmex(["run", "-"], text)).toMatchObject({ code: 5, stderr: "" });
    expect(JSON.parse((await wasmex(["inspect", "--json", "-"], text)).stdout)).toMatchObject({
      advice: null,
    });
    const more = text.replace(
      '"env" "emscripten',
      '"env" "emscripten_other" (func)) (import "env" "emscripten',
    );
    expect((await wasmex(["run", "-"], more)).stderr).toContain("Emscripten");
  });

  it("advises on components", async () => {
    const { code, stderr } = await wasmex(["run", "-"], new Uint8Array([0, 97, 115, 109, 13, 0, 1, 0]));
    expect([code, stderr]).toEqual([1, expect.stringContaining("component")]);
  });
});
