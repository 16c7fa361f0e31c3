// Programs from npm on a VirtualFileSystem: they are large, so each runs on few pages.
import { equal, ok } from "./assert.mjs";

/**
 * @typedef {import("./cases.mjs").Surroundings} Surroundings
 * @typedef {import("./cases.mjs").Case} Case
 */

/** @type {import("wasmex").PreopenFlag[]} */
const flags = ["read", "write", "create"];
const encoder = new TextEncoder();

const SOURCES = {
  "main.ts":
    'import { shout } from "./lib/shout.js";\nimport data from "./data.json";\nconsole.log(shout(data.word) as string);\n',
  lib: { "shout.ts": 'export const shout = (word: string): string => word.toUpperCase() + "!";\n' },
  "data.json": '{ "word": "bundled" }\n',
};

const SCRIPT = `
  require "json"
  numbers = File.readlines("/numbers.txt", chomp: true).map(&:to_i)
  Dir.mkdir("/results")
  File.write("/results/sum.json", JSON.generate({ sum: numbers.sum, töpfe: Dir.children("/").sort }))
  File.open("/numbers.txt", "a") { |file| file.puts(13) }
  $stdout.puts(Time.now.year > 2000, ENV.size)
  $stdout.flush`;

/**
 * Imports by which a program could call JavaScript, and which these scripts don't need.
 * @param {import("wasmex").Module} module
 */
function unused(module) {
  /** @type {Record<string, Record<string, () => number | undefined>>} */
  const imports = {};
  for (const { module: from, name, type } of module.importEntries) {
    if (!from.startsWith("wasi_")) {
      imports[from] ??= {};
      imports[from][name] = type.kind === "function" && type.results.length === 0 ? () => undefined : () => 0;
    }
  }
  return imports;
}

/** @type {Case[]} */
export const realPrograms = [
  {
    name: "esbuild turns TypeScript from a Pipe into JavaScript, and bundles a directory into it",
    heavy: true,
    async run({ Wasmex, options }) {
      let loaded = 0;
      const module = await Wasmex.Module.compile(fetch("/node_modules/@esbuild/wasi-preview1/esbuild.wasm"), {
        onProgress: (progress) => {
          loaded = progress.loaded;
        },
      });
      ok(loaded > 10_000_000, "the progress was told to the end");
      const stdin = new Wasmex.Pipe();
      stdin.write("export const answer: number = 42;\n");
      const transformed = await Wasmex.run({
        module,
        wasi: { args: ["--loader=ts", "--format=esm"], stdin },
        timeout: 100_000,
        ...options,
      });
      equal(transformed, {
        exitCode: 0,
        stdout: "const answer = 42;\nexport {\n  answer\n};\n",
        stderr: "",
      });

      const fs = new Wasmex.VirtualFileSystem({ "/project": SOURCES });
      const bundled = await Wasmex.run({
        module,
        wasi: {
          programName: "esbuild",
          args: ["/main.ts", "--bundle", "--outfile=/out/bundle.js", "--format=iife", "--log-level=warning"],
          fs,
          preopen: { "/project": { flags, alias: "/" } },
        },
        timeout: 100_000,
        ...options,
      });
      equal(bundled, { exitCode: 0, stdout: "", stderr: "" });
      /** @type {string[]} */
      const lines = [];
      const bundle = fs.readFile("/project/out/bundle.js", "utf8");
      new Function("console", bundle)({ log: (/** @type {string} */ line) => lines.push(line) });
      equal(lines, ["BUNDLED!"]);
    },
  },
  {
    name: "ruby reads and writes files, with its standard library",
    heavy: true,
    async run({ Wasmex, options, isolated }) {
      if (!isolated) {
        return; // 30 MB once for each engine are enough.
      }
      const module = await Wasmex.Module.compile(
        fetch("/node_modules/@ruby/3.4-wasm-wasi/dist/ruby+stdlib.wasm"),
      );
      const fs = new Wasmex.VirtualFileSystem({ "/work": { "numbers.txt": "3\n5\n8\n" } });
      const stdout = new Wasmex.Pipe();
      const stderr = new Wasmex.Pipe();
      const ruby = await Wasmex.start({
        module,
        imports: unused(module),
        wasi: {
          programName: "ruby",
          stdin: "null",
          stdout,
          stderr,
          fs,
          preopen: { "/work": { flags, alias: "/" } },
        },
        ...options,
      });
      /** @param {string} name @param {number[]} parameters */
      const call = (name, parameters) => ruby.callFunction(name, parameters, 60_000);
      /** @param {Uint8Array} bytes */
      const place = async (bytes) => {
        const [at] = await call("cabi_realloc", [0, 0, 1, bytes.length]);
        ruby.memory().writeBinary(Number(at), bytes);
        return Number(at);
      };
      /** @param {string} string @returns {Promise<[number, number]>} */
      const text = async (string) => {
        const bytes = encoder.encode(string);
        return [await place(bytes), bytes.length];
      };
      const list = (await Promise.all(["ruby\0", "-EUTF-8\0", "-e_=0\0"].map(text))).flat();
      await call("ruby-init: func(args: list<string>) -> ()", [
        await place(new Uint8Array(new Uint32Array(list).buffer)),
        3,
      ]);
      await call("ruby-init-loadpath: func() -> ()", []);
      const [result] = await call(
        "rb-eval-string-protect: func(str: string) -> tuple<handle<rb-abi-value>, s32>",
        await text(SCRIPT),
      );
      equal(ruby.memory("int32").get(Number(result) / 4 + 1), 0, "state of the evaluation");
      equal([stdout.readString(), stderr.readString()], ["true\n0\n", ""]);
      equal(JSON.parse(fs.readFile("/work/results/sum.json", "utf8")), {
        sum: 16,
        töpfe: ["numbers.txt", "results"],
      });
      equal(fs.readFile("/work/numbers.txt", "utf8"), "3\n5\n8\n13\n");
      await ruby.stop();
    },
  },
];
