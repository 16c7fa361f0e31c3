import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Module, Pipe, run, start, VirtualFileSystem } from "wasmex";
import { packageBytes, thread } from "../support/index.js";

const flags = ["read", "write", "create"] as const;
const esbuild = packageBytes("@esbuild/wasi-preview1/esbuild.wasm").then((bytes) => Module.compile(bytes));
const sources = {
  "main.ts":
    'import { shout } from "./lib/shout.js";\nimport data from "./data.json";\nconsole.log(shout(data.word) as string);\n',
  "lib/shout.ts": 'export const shout = (word: string): string => word.toUpperCase() + "!";\n',
  "data.json": '{ "word": "bundled" }\n',
};
/* The Go runtime knows no directory above its preopens, and esbuild looks for a `tsconfig.json` in all of them up to the root. */
const ARGS = ["/main.ts", "--bundle", "--outfile=/out/bundle.js", "--format=iife", "--log-level=warning"];

const made: string[] = [];
afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true });
});

/** What the bundle prints. */
function output(bundle: string): string {
  const lines: string[] = [];
  new Function("console", bundle)({ log: (line: string) => lines.push(line) });
  return lines.join();
}

test(`esbuild transforms what comes on stdin (${thread})`, { timeout: 120_000 }, async () => {
  const stdin = new Pipe();
  stdin.write("const x: number = 1; export default x satisfies number;");
  const result = await run({
    module: await esbuild,
    thread,
    timeout: 100_000,
    wasi: { args: ["--loader=ts", "--minify"], programName: "esbuild", stdin },
  });
  expect(result).toEqual({ exitCode: 0, stdout: "const e=1;export default 1;\n", stderr: "" });
});

test.runIf(thread === "inline")(
  "esbuild transforms the same with checks in its loops",
  { timeout: 120_000 },
  async () => {
    const stdin = new Pipe();
    stdin.write("const x: number = 1; export default x satisfies number;");
    const result = await run({
      module: await esbuild,
      thread,
      interruptible: true,
      timeout: 100_000,
      wasi: { args: ["--loader=ts", "--minify"], programName: "esbuild", stdin },
    });
    expect(result).toEqual({ exitCode: 0, stdout: "const e=1;export default 1;\n", stderr: "" });
  },
);

test(`esbuild bundles a directory of a VirtualFileSystem (${thread})`, { timeout: 120_000 }, async () => {
  const fs = new VirtualFileSystem({ "/project": sources });
  const { exitCode, stderr } = await run({
    module: await esbuild,
    thread,
    timeout: 100_000,
    wasi: { args: ARGS, programName: "esbuild", fs, preopen: { "/project": { flags, alias: "/" } } },
  });
  expect([stderr, exitCode]).toEqual(["", 0]);
  expect(output(fs.readFile("/project/out/bundle.js", "utf8"))).toBe("BUNDLED!");
});

test(`esbuild bundles a directory of the host (${thread})`, { timeout: 120_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "wasmex-esbuild-"));
  made.push(directory);
  mkdirSync(join(directory, "lib"));
  for (const [path, text] of Object.entries(sources)) writeFileSync(join(directory, path), text);
  const { exitCode, stderr } = await run({
    module: await esbuild,
    thread,
    timeout: 100_000,
    wasi: { args: ARGS, programName: "esbuild", preopen: { [directory]: { flags, alias: "/" } } },
  });
  expect([stderr, exitCode]).toEqual(["", 0]);
  expect(output(readFileSync(join(directory, "out/bundle.js"), "utf8"))).toBe("BUNDLED!");
});

test(`ruby reads and writes files, with its standard library (${thread})`, { timeout: 120_000 }, async () => {
  const fs = new VirtualFileSystem({ "/work": { "numbers.txt": "3\n5\n8\n" } });
  const stdout = new Pipe();
  const stderr = new Pipe();
  const module = await Module.compile(await packageBytes("@ruby/3.4-wasm-wasi/dist/ruby+stdlib.wasm"));
  // It can call JavaScript, through imports that this script doesn't need.
  const imports: Record<string, Record<string, () => number>> = {};
  for (const entry of module.importEntries) {
    if (entry.module.startsWith("wasi_")) continue;
    imports[entry.module] ??= {};
    (imports[entry.module] as Record<string, () => number>)[entry.name] =
      entry.type.kind === "function" && entry.type.results.length === 0 ? () => undefined as never : () => 0;
  }
  const wasi = {
    programName: "ruby",
    stdin: "null" as const,
    stdout,
    stderr,
    fs,
    preopen: { "/work": { flags, alias: "/" } },
  };
  const ruby = await start({ module, imports, wasi, thread });
  const call = (name: string, params: number[]) => ruby.callFunction(name, params, 60_000);
  const place = async (bytes: Uint8Array): Promise<number> => {
    const [at] = await call("cabi_realloc", [0, 0, 1, bytes.length]);
    ruby.memory().writeBinary(Number(at), bytes);
    return Number(at);
  };
  const text = async (string: string) => {
    const bytes = new TextEncoder().encode(string);
    return [await place(bytes), bytes.length] as const;
  };
  const args = (await Promise.all(["ruby\0", "-EUTF-8\0", "-e_=0\0"].map(text))).flat();
  await call("ruby-init: func(args: list<string>) -> ()", [
    await place(new Uint8Array(new Uint32Array(args).buffer)),
    3,
  ]);
  await call("ruby-init-loadpath: func() -> ()", []);
  const script = `
    require "json"
    numbers = File.readlines("/numbers.txt", chomp: true).map(&:to_i)
    Dir.mkdir("/results")
    File.write("/results/sum.json", JSON.generate({ sum: numbers.sum, töpfe: Dir.children("/").sort }))
    File.open("/numbers.txt", "a") { |file| file.puts(13) }
    $stdout.puts(Time.now.year > 2000, ENV.size)
    $stdout.flush
  `;
  const evaluated = await call(
    "rb-eval-string-protect: func(str: string) -> tuple<handle<rb-abi-value>, s32>",
    [...(await text(script))],
  );
  expect(ruby.memory("int32", 0).get(Number(evaluated[0]) / 4 + 1)).toBe(0);
  expect([stdout.readString(), stderr.readString()]).toEqual(["true\n0\n", ""]);
  expect(JSON.parse(fs.readFile("/work/results/sum.json", "utf8"))).toEqual({
    sum: 16,
    töpfe: ["numbers.txt", "results"],
  });
  expect(fs.readFile("/work/numbers.txt", "utf8")).toBe("3\n5\n8\n13\n");
  await ruby.stop();
});
