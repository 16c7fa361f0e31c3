import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bundleOptions } from "../../build.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const fixtures = `${root}test/fixtures/`;
const PROGRAM = `${root}.cache/cli/cli.js`;

// Each test starts programs, the compiler of TypeScript among them.
vi.setConfig({ testTimeout: 60_000 });

const SPIN = '(module (func $spin (export "_start") (loop br 0)))';
const TRAP = '(module (func $boom (export "_start") unreachable))';
const ADD64 = '(module (func (export "add") (param i64 f64) (result i64 f64) local.get 0 local.get 1))';

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
const running = new Set<ChildProcessWithoutNullStreams>();

beforeAll(async () => {
  await build({
    ...bundleOptions("node"),
    entryPoints: ["platform/node/cli/main.ts"],
    outfile: PROGRAM,
    format: "esm",
    external: ["wabt"],
  });
  folder = await mkdtemp(`${root}.cache/cli/`);
  const files = {
    "spin.wat": SPIN,
    "trap.wat": TRAP,
    "add64.wat": ADD64,
    "in.ts": "export const a: number = 1;",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(`${folder}/${name}`, text);
}, 60_000);

afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

function launch(args: readonly string[], env: Record<string, string> = {}): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, env: { ...process.env, ...env } });
  running.add(child);
  child.once("close", () => running.delete(child));
  // A child that ends before it has read its input is no failure of the test.
  child.stdin.on("error", () => undefined);
  return child;
}

function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      texts[name] += chunk;
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, ...texts }));
  });
}

function wasmex(
  args: readonly string[],
  input: string | Uint8Array = "",
  env: Record<string, string> = {},
): Promise<Ended> {
  const child = launch(args, env);
  child.stdin.end(input);
  return ended(child);
}

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
    const { code, stdout } = await wasmex(["run", "--dir", `${folder}::/`, esbuild, "/in.ts", ...bundle]);
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

  it("tells what is wrong with --invoke", async () => {
    const invoke = (...args: string[]) => wasmex(["run", "--invoke", ...args]);
    expect((await invoke("nope", "add64.wat")).stderr).toContain('no function "nope"; it exports add');
    expect((await invoke("add", "add64.wat", "1")).stderr).toContain("takes 2 arguments (i64, f64), not 1");
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

  it("is ended by Ctrl-C whatever the program does, with 130", async () => {
    const child = launch(["run", `${fixtures}lines.wasm`]);
    const end = ended(child);
    await once(child.stdout, "data");
    child.kill("SIGINT");
    expect(await end).toMatchObject({ code: 130, signal: null });
  });

  it("goes on quietly where the reader of its output has gone", async () => {
    const child = launch(["inspect", "--json", `${root}node_modules/@esbuild/wasi-preview1/esbuild.wasm`]);
    child.stdout.destroy();
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
  });
});

describe("wasmex run with a module that needs its toolchain's own glue", () => {
  it.each([
    ["Go", '(import "gojs" "runtime.wasmExit" (func))', "GOOS=wasip1"],
    ["wasm-bindgen", '(import "wbg" "__wbg_log_1" (func))', "wasm-bindgen"],
    ["wasm-bindgen for bundlers", '(import "./app_bg.js" "__wbindgen_throw" (func))', "wasm-bindgen"],
    ["Emscripten", '(import "env" "emscripten_resize_heap" (func))', "-sSTANDALONE_WASM"],
    ["Emscripten, minified", '(import "a" "b" (func))', "-sSTANDALONE_WASM"],
    ["AssemblyScript", '(import "env" "abort" (func))', "AssemblyScript"],
    ["preview 2", '(import "wasi:cli/stdout@0.2.0" "get-stdout" (func))', "wasm32-wasip1"],
  ])("advises on %s", async (_name, imports, advice) => {
    const { code, stderr } = await wasmex(["run", "-"], `(module ${imports})`);
    expect([code, stderr]).toEqual([1, expect.stringContaining(advice)]);
  });

  it("advises on components", async () => {
    const { code, stderr } = await wasmex(["run", "-"], new Uint8Array([0, 97, 115, 109, 13, 0, 1, 0]));
    expect([code, stderr]).toEqual([1, expect.stringContaining("component")]);
  });
});

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
  });

  it("refuses what is no module", async () => {
    const cut = (await readFile(`${fixtures}lines.wasm`)).subarray(0, 100);
    expect((await wasmex(["inspect", "-"], cut)).code).toBe(1);
    expect((await wasmex(["inspect", "-"], "")).stderr).toBe("error: stdin is empty\n");
    expect((await wasmex(["inspect", "nothing.wasm"])).stderr).toContain("there is no such file");
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
    await writeFile(`${folder}/made.d.ts`, stdout);
    await writeFile(
      `${folder}/use.ts`,
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
      include: [`${folder}/*.ts`, `${root}src/proposals.d.ts`, `${root}src/worker-source.d.ts`],
    };
    await writeFile(`${folder}/tsconfig.json`, JSON.stringify(config));
    const check = spawn(`${root}node_modules/.bin/tsc`, ["-p", folder]);
    expect(await ended(check)).toMatchObject({ stdout: "", code: 0 });
  });
});

describe("wasmex wat2wasm", () => {
  it("writes a binary module beside its text, or to standard output", async () => {
    expect(await wasmex(["wat2wasm", "spin.wat"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const binary = await readFile(`${folder}/spin.wasm`);
    expect(WebAssembly.Module.exports(new WebAssembly.Module(binary))).toHaveLength(1);
    await wasmex(["wat2wasm", "-", "-o", "other.wasm"], SPIN);
    expect((await readFile(`${folder}/other.wasm`)).equals(binary)).toBe(true);
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
    expect((await wasmex(["--version"])).stdout).toMatch(/^wasmex \d+\.\d+\.\d+\n$/);
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
