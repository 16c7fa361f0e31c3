// Module: reading types beside a minimal reader, and compiling beside the engine alone.
//   node test/bench/module.bench.mjs
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { formatRatio, formatTime, interleave, median, table } from "./harness.mjs";
import { minimalReader } from "./minimal-reader.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const here = fileURLToPath(import.meta.url);
const files = [
  "@ruby/3.4-wasm-wasi/dist/ruby+stdlib.wasm",
  "@esbuild/wasi-preview1/esbuild.wasm",
  "playwright-core/lib/webp_codec.wasm",
]
  .map((path) => join(root, "node_modules", path))
  .filter((path) => existsSync(path));

const [mode, bundlePath, file] = process.argv.slice(2);
if (mode === "ours" || mode === "minimal") {
  await readCold(mode);
} else {
  const folder = mkdtempSync(join(tmpdir(), "wasmex-bench-"));
  try {
    await main(join(folder, "module.mjs"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One first reading in a fresh process: its milliseconds on standard output. */
async function readCold(reader) {
  const bytes = new Uint8Array(readFileSync(file));
  const read = reader === "minimal" ? minimalReader : (await import(bundlePath)).readInterface;
  const start = performance.now();
  const { exports, imports } = read(bytes);
  const spent = performance.now() - start;
  if (exports.size + imports.length === 0) throw new Error("nothing read");
  console.log(spent);
}

async function main(bundle) {
  await build({
    stdin: {
      contents: `export { readInterface } from "./src/binary/interface.js";
        export { Module } from "./src/module.js";
        export * as background from "./src/compile.js";
        export { useLoading, usePlatform } from "./src/platform.js";`,
      resolveDir: root,
    },
    bundle: true,
    format: "esm",
    minify: true,
    target: "es2022",
    outfile: bundle,
  });
  const { background, Module, readInterface, useLoading, usePlatform } = await import(bundle);
  usePlatform({ threadSupport: () => ({ threads: true, sharedMemory: true, reason: "" }) });
  useLoading(async () => background);
  await types(bundle, readInterface);
  await compile(Module);
}

async function types(bundle, readInterface) {
  const rows = [];
  for (const path of files) {
    const bytes = new Uint8Array(readFileSync(path));
    const samples = { ours: [], minimal: [] };
    for (let round = 0; round < 21; round++) {
      for (const reader of round % 2 ? ["ours", "minimal"] : ["minimal", "ours"]) {
        samples[reader].push(
          Number(execFileSync(process.execPath, [here, reader, bundle, path], { encoding: "utf8" })),
        );
      }
    }
    const ours = median(samples.ours);
    const minimal = median(samples.minimal);
    const warm = await interleave({
      ours: (times) => repeat(times, () => readInterface(bytes)),
      minimal: (times) => repeat(times, () => minimalReader(bytes)),
    });
    const compiled = await compileTime(bytes);
    rows.push([
      `${nameOf(path)}, ${(bytes.length / 1e6).toFixed(1)} MB`,
      formatTime(ours * 1e6),
      formatTime(minimal * 1e6),
      formatRatio(ours / minimal),
      formatRatio(warm.ours / warm.minimal),
      `${((ours / compiled) * 100).toFixed(2)} %`,
    ]);
  }
  table(
    "Reading the types of a module",
    ["module", "cold", "minimal reader, cold", "ratio, cold", "ratio, warm", "of its compile"],
    rows,
  );
}

async function compileTime(bytes) {
  const samples = [];
  for (let round = 0; round < 5; round++) {
    const fresh = distinct(bytes, round + 1000);
    const start = performance.now();
    await WebAssembly.compile(fresh);
    samples.push(performance.now() - start);
  }
  return median(samples);
}

/** The module with a custom section of its own: the engine remembers modules by their bytes. */
function distinct(bytes, number) {
  const copy = new Uint8Array(bytes.length + 8);
  copy.set(bytes);
  copy.set(
    [0, 6, 1, 0x78, number & 255, (number >> 8) & 255, (number >> 16) & 255, number >> 24],
    bytes.length,
  );
  return copy;
}

async function compile(Module) {
  const rows = [];
  let number = 0;
  for (const path of files) {
    const bytes = new Uint8Array(readFileSync(path));
    const headers = { "content-type": "application/wasm" };
    const candidates = {
      engine: (source) => WebAssembly.compile(source),
      ours: async (source) => (await Module.compile(source)).variant({ shared: true }),
      "engine, streaming": (source) => WebAssembly.compileStreaming(new Response(source, { headers })),
      "ours, streaming": async (source) =>
        (await Module.compile(new Response(source, { headers }))).variant({ shared: true }),
    };
    const names = Object.keys(candidates);
    const samples = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < 24; round++) {
      for (let turn = 0; turn < names.length; turn++) {
        const name = names[(round + turn) % names.length];
        const source = distinct(bytes, number++);
        globalThis.gc?.();
        const start = performance.now();
        await candidates[name](source);
        samples[name].push(performance.now() - start);
      }
    }
    const of = (name) => median(samples[name]);
    rows.push([
      nameOf(path),
      formatTime(of("engine") * 1e6),
      formatTime(of("ours") * 1e6),
      formatRatio(of("ours") / of("engine")),
      formatTime(of("engine, streaming") * 1e6),
      formatTime(of("ours, streaming") * 1e6),
      formatRatio(of("ours, streaming") / of("engine, streaming")),
    ]);
  }
  table(
    "Module.compile for a thread (shared memory) beside the engine's compile of the same bytes",
    [
      "module",
      "WebAssembly.compile",
      "Module.compile",
      "ratio",
      "compileStreaming",
      "Module.compile(response)",
      "ratio",
    ],
    rows,
  );
}

function repeat(times, work) {
  for (let left = times; left > 0; left--) work();
}

function nameOf(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}
