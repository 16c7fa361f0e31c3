// Calls and memory on this thread, beside what the engine offers by itself.
//   node test/bench/inline.bench.mjs
// Calls are measured twice: each signature in a process of its own, for which the promises hold, and by turns in one process
// that has used them all, where engines can no longer compile an export into its caller. Memory is measured by turns alone.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import wabtModule from "wabt";
import { formatRatio, formatTime, interleave, table } from "./harness.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "wasmex-bench-"));
const outfile = join(folder, "inline.mjs");
await build({
  stdin: {
    contents: `export { Module } from "./src/module.js";
      export { Instance } from "./src/instance.js";
      export { fn } from "./src/fn.js";
      export { Memory } from "./src/memory.js";
      export * as background from "./src/compile.js";
      export { useLoading, usePlatform } from "./src/platform.js";`,
    resolveDir: root,
  },
  bundle: true,
  format: "esm",
  minify: true,
  target: "es2022",
  external: ["./wasi.js"],
  outfile,
});
const { background, Instance, Memory, Module, fn, useLoading, usePlatform } = await import(
  pathToFileURL(outfile).href
);
rmSync(folder, { recursive: true });
usePlatform({ threadSupport: () => ({ threads: false, sharedMemory: false, reason: "" }) });
useLoading(async () => background);

const wabt = await wabtModule();
const parsed = wabt.parseWat(
  "bench.wat",
  `(module
    (import "env" "host" (func $host (param i32 i32) (result i32)))
    (import "env" "bare" (func $bare (param i32 i32) (result i32)))
    (memory (export "memory") 32)
    (func (export "void"))
    (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "first") (param i32 i32 i32) (result i32) (local.get 0))
    (func (export "f64") (param f64) (result f64) (local.get 0))
    (func (export "f32") (param f32) (result f32) (local.get 0))
    (func (export "i64") (param i64) (result i64) (local.get 0))
    (func (export "mixed") (param i32 i64 f32 f64) (result f64) (local.get 3))
    (func (export "call_host") (param i32) (result i32) (local $sum i32)
      (loop $next
        (local.set $sum (call $host (local.get $sum) (local.get 0)))
        (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (local.get $sum))
    (func (export "call_bare") (param i32) (result i32) (local $sum i32)
      (loop $next
        (local.set $sum (call $bare (local.get $sum) (local.get 0)))
        (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (local.get $sum)))`,
);
const instance = Instance.createSync(Module.compileSync(parsed.toBinary({}).buffer), {
  imports: {
    env: { host: fn(["i32", "i32"], ["i32"], (_context, a, b) => (a + b) | 0), bare: (a, b) => (a + b) | 0 },
  },
});

/** Fixed, as a machine that is busy when it is to be found out would end it at once. */
const TURN = { rounds: 31, times: 300_000 };

const failures = [];
/** @param {string} what @param {number} ratio @param {number} limit */
function check(what, ratio, limit) {
  if (ratio > limit) failures.push(`${what}: ${formatRatio(ratio)}, at most ${limit}× is wanted`);
  return formatRatio(ratio);
}

let loops = 0;

/** A loop of its own for each case: engines collect types per place in the source, and know the same text again. */
function loop(body, ...names) {
  loops++;
  return new Function(
    ...names,
    "times",
    `// ${loops}
    let sum = 0; for (let i = 0; i < times; i++) { ${body} } return sum;`,
  );
}

const CALLS = {
  void: "",
  sum: "i & 1023, 7",
  first: "i & 1023, 2, 3",
  f64: "i + 0.5",
  f32: "(i & 7) + 0.5",
  i64: "5n",
  mixed: "i & 1023, 5n, 0.5, 1.5",
};

const { exports } = instance;

/** @param {string[]} names */
async function measureCalls(names) {
  const callers = names.map((name) => {
    const params = CALLS[name];
    const bare = loop(`f(${params});`, "f").bind(undefined, exports[name]);
    const bound = loop(`f(${params});`, "f").bind(undefined, instance.function(name));
    const listed = loop(`instance.callFunction("${name}", [${params}]);`, "instance").bind(
      undefined,
      instance,
    );
    return { name, candidates: { bare, bound, listed } };
  });
  for (const { candidates } of callers) for (const run of Object.values(candidates)) run(30_000);
  const found = {};
  for (const { name, candidates } of callers) {
    found[name] = await interleave(candidates, TURN);
  }
  return found;
}

const [, here, only] = process.argv;
if (only !== undefined) {
  console.log(JSON.stringify(await measureCalls([only])));
  process.exit(0);
}

const names = Object.keys(CALLS);
const together = await measureCalls(names);
const callRows = names.map((name) => {
  const alone = JSON.parse(spawnSync(process.execPath, [here, name], { encoding: "utf8" }).stdout)[name];
  return [
    `${name}(${exports[name].length})`,
    formatTime(alone.bare),
    check(`bound ${name}`, alone.bound / alone.bare, 1.5),
    check(`callFunction ${name}`, alone.listed / alone.bare, 5),
    formatRatio(together[name].bound / together[name].bare),
    formatRatio(together[name].listed / together[name].bare),
  ];
});
table(
  "Calls",
  [
    "export",
    "bare export",
    "bound function",
    "callFunction",
    "bound, all in use",
    "callFunction, all in use",
  ],
  callRows,
);

const hosts = await interleave(
  { bare: (times) => exports.call_bare(times), fn: (times) => exports.call_host(times) },
  TURN,
);
table(
  "Host functions",
  ["", "time", "ratio"],
  [
    ["plain function", formatTime(hosts.bare), "1×"],
    ["fn", formatTime(hosts.fn), formatRatio(hosts.fn / hosts.bare)],
  ],
);

const TYPES = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
};
const OUT = "throw new RangeError('out of bounds')";
const memories = Object.entries(TYPES).map(([type, kind]) => {
  const elements = new kind(exports.memory.buffer);
  const memory = instance.memory(type);
  const value = kind === BigInt64Array || kind === BigUint64Array ? "5n" : "(i & 127)";
  const at = "const at = i & 4095;";
  return {
    type,
    get: {
      bare: loop(`${at} if (at >= array.length) ${OUT}; sum += Number(array[at]);`, "array").bind(
        undefined,
        elements,
      ),
      ours: loop(`${at} sum += Number(memory.get(at));`, "memory").bind(undefined, memory),
    },
    set: {
      bare: loop(`${at} if (at >= array.length) ${OUT}; array[at] = ${value};`, "array").bind(
        undefined,
        elements,
      ),
      ours: loop(`${at} memory.set(at, ${value});`, "memory").bind(undefined, memory),
    },
  };
});
for (const { get, set } of memories) {
  for (const run of [get.bare, get.ours, set.bare, set.ours]) run(30_000);
}
const memoryRows = [];
for (const { type, get, set } of memories) {
  const read = await interleave(get, TURN);
  const write = await interleave(set, TURN);
  memoryRows.push([
    type,
    formatTime(read.bare),
    check(`get ${type}`, read.ours / read.bare, 2),
    formatTime(write.bare),
    check(`set ${type}`, write.ours / write.bare, 2),
  ]);
}
table("Memory", ["type", "array, bounds checked", "get", "array, bounds checked", "set"], memoryRows);

const decoder = new TextDecoder();
/** Lengths between the short ones, which need no decoder, and the long pay for the check of their bounds. */
const PROMISED = new Set(["13 bytes", "1 MiB"]);
const textRows = [];
for (const [where, shared] of [
  ["", false],
  [", shared memory", true],
]) {
  const engine = new WebAssembly.Memory({ initial: 32, maximum: 32, shared });
  const memory = new Memory(engine);
  const bytes = new Uint8Array(engine.buffer);
  for (const [what, text, length] of [
    ["13 bytes", "Hello, World!", 13],
    ["24 bytes", "abcdefgh".repeat(3), 24],
    ["25 bytes", "x".repeat(25), 25],
    ["64 bytes", "abcdefgh".repeat(8), 64],
    ["13 bytes, not ASCII", "Hällö, Wörld", 15],
    ["1 MiB", "abcdefgh".repeat(131072), 1 << 20],
    ["1 MiB, not ASCII", "äöüß".repeat(131072), 1 << 20],
  ]) {
    memory.writeBinary(64, text);
    const found = await interleave(
      {
        // `+ 0` of a character makes sure that the text is really there.
        bare: loop(
          `sum += decoder.decode(bytes.subarray(64, ${64 + length})).charCodeAt(5);`,
          "decoder",
          "bytes",
        ).bind(undefined, decoder, bytes),
        ours: loop(`sum += memory.readString(64, ${length}).charCodeAt(5);`, "memory").bind(
          undefined,
          memory,
        ),
      },
      { rounds: 31, times: length > 1000 ? 5 : 20_000 },
    );
    textRows.push([
      what + where,
      formatTime(found.bare),
      check(`readString ${what}${where}`, found.ours / found.bare, PROMISED.has(what) ? 1.1 : 1.3),
    ]);
  }
}
table("readString", ["text", "TextDecoder", "ratio"], textRows);

if (failures.length > 0) {
  console.error(`\nslower than promised:\n${failures.join("\n")}`);
  process.exitCode = 1;
}
