// The quick start, in Node: a small module in WebAssembly text, then a real program of 20 MB.
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import { Readable } from "node:stream";
import * as Wasmex from "wasmex";

const SUM = `
  (module
    (func (export "sum") (param i32 i32) (result i32)
      local.get 0
      local.get 1
      i32.add))`;

const TYPESCRIPT = `
interface Visitor { name: string; visits: number }

export const greet = ({ name, visits }: Visitor): string =>
  visits > 1 ? \`Welcome back, \${name}!\` : \`Hello, \${name}!\`;
`;

console.log("\n1. A module in WebAssembly text, called from JavaScript:\n");
const instance = await Wasmex.start({ bytes: SUM });
console.log(
  `   sum(50, -8) = ${await instance.callFunction("sum", [50, -8])}   (on a ${instance.thread} thread)`,
);
await instance.stop();

console.log("\n2. esbuild's own WebAssembly build, a WASI program of 20 MB, turns TypeScript from one Pipe");
console.log("   into JavaScript in another:");
const file = createRequire(import.meta.url).resolve("@esbuild/wasi-preview1/esbuild.wasm");
const started = performance.now();
const module = await Wasmex.Module.compile(/** @type {any} */ (Readable.toWeb(createReadStream(file))));
const compiled = performance.now();
const stdin = new Wasmex.Pipe();
const stdout = new Wasmex.Pipe();
stdin.write(TYPESCRIPT);
const esbuild = await Wasmex.start({
  module,
  wasi: { args: ["--loader=ts", "--format=esm"], stdin, stdout },
});
await esbuild.callFunction("_start", [], 60_000);
const ended = performance.now();
await esbuild.stop();
console.log(
  stdout
    .readString()
    .replace(/^(?=.)/gm, "   │ ")
    .replace(/^/, "\n"),
);
const seconds = (/** @type {number} */ from, /** @type {number} */ to) => ((to - from) / 1000).toFixed(1);
console.log(`   compiled in ${seconds(started, compiled)} s, run in ${seconds(compiled, ended)} s`);
