// WASI: calls beside a minimal hand-written import, node:wasi (on a RAM disk) and other packages, in one run.
// Each row has a process of its own: Node 20 crashes now and then where node:wasi and others have run for a while.
//   node test/bench/wasi.bench.mjs [words of rows...] [--only=wasmex,node:wasi] [--verbose]
import { spawnSync } from "node:child_process";
import { existsSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { WASI as NodeWasi } from "node:wasi";
import * as shim from "@bjorn3/browser_wasi_shim";
import { WASI as RunnoWasi } from "@runno/wasi";
import { WASI as TybysWasi } from "@tybys/wasm-util";
import { build } from "esbuild";
import { createFsFromVolume, Volume } from "memfs";
import { WASI as UWasi, useAll } from "uwasi";
import wabt from "wabt";
import { formatRatio, formatTime, median, table } from "./harness.mjs";
import { minimalWasi } from "./minimal-wasi.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const verbose = process.argv.includes("--verbose");
const ROUNDS = 11;
/** How often a row is tried whose process has crashed. */
const TRIES = 4;
/** Whom the next, larger row of the same kind would take minutes: this long for one turn, in milliseconds. */
const HOPELESS = 500;
const NAMESPACE = "wasi_snapshot_preview1";
const ALL = 2n | 4n | 32n | 64n;
const READDIR = 1n << 14n;
const CREATE = 1;
const DIRECTORY = 2;
const APPEND = 1;

/** @param {string} name */
function option(name) {
  const start = `--${name}=`;
  return process.argv.find((word) => word.startsWith(start))?.slice(start.length);
}

const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "wasmex-bench-"));
try {
  const row = option("row");
  if (row === undefined) await measureAll();
  else
    console.log(
      JSON.stringify(await measureRow(row, option("built") ?? "", option("skip")?.split(",") ?? [])),
    );
} finally {
  rmSync(folder, { recursive: true });
}

async function measureAll() {
  await buildOurs();
  const names = Object.keys(subjects({}));
  /** @type {string[]} */
  let hopeless = [];
  const lines = [];
  for (const [title, row] of Object.entries(rows())) {
    if (words.length > 0 && !words.some((word) => title.includes(word))) continue;
    if (!row.larger) hopeless = [];
    const medians = measureApart(title, hopeless);
    for (const [name, spent] of Object.entries(medians)) if (spent > HOPELESS) hopeless.push(name);
    const limit = ((medians["limit"] ?? Number.NaN) / row.per) * 1e6;
    const ratio = (/** @type {string} */ name) => ((medians[name] / row.per) * 1e6) / limit;
    const others = names.slice(1);
    lines.push([
      title,
      formatTime(limit),
      ...others.map((name) =>
        name in medians ? formatRatio(ratio(name)) : hopeless.includes(name) ? "minutes" : "–",
      ),
    ]);
    if (verbose) console.log(lines.at(-1)?.join(" | "));
  }
  if (lines.length === 0) throw new Error("no row has these words");
  table("WASI calls, as multiples of a minimal import", ["per call or entry", ...names], lines);
}

/**
 * One row in a process of its own: milliseconds for a turn of each.
 * @param {string} title
 * @param {string[]} skip
 * @returns {Record<string, number>}
 */
function measureApart(title, skip) {
  const own = process.argv.slice(2).filter((word) => word.startsWith("--"));
  const args = [...own, `--row=${title}`, `--built=${folder}`, `--skip=${skip.join(",")}`];
  for (let tries = 1; ; tries++) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--expose-gc", "--no-warnings", fileURLToPath(import.meta.url), ...args],
      { encoding: "utf8" },
    );
    if (verbose) process.stderr.write(stderr);
    if (status === 0) return JSON.parse(stdout);
    if (tries === TRIES) throw new Error(`${title}: no process came to its end\n${stderr}`);
  }
}

/** @param {string} title @param {string} built @param {string[]} skip */
async function measureRow(title, built, skip) {
  const ours = await import(pathToFileURL(join(built, "built/ours.mjs")).href);
  const text = readFileSync(new URL("./wasi-guest.wat", import.meta.url), "utf8");
  const guest = await WebAssembly.compile(
    (await wabt()).parseWat("wasi-guest.wat", text).toBinary({}).buffer,
  );
  const only = option("only")?.split(",");
  const makers = Object.entries(subjects(ours)).filter(
    ([name]) => !skip.includes(name) && (name === "limit" || only === undefined || only.includes(name)),
  );
  return measure(title, rows()[title], guest, makers);
}

async function buildOurs() {
  await build({
    entryPoints: { ours: join(root, "platform/node/index.ts") },
    outdir: join(folder, "built"),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    minify: true,
    external: ["wabt"],
    logLevel: "error",
    outExtension: { ".js": ".mjs" },
    plugins: [
      {
        name: "no-worker",
        setup(context) {
          context.onResolve({ filter: /^wasmex:worker-source$/ }, ({ path }) => ({
            path,
            namespace: "none",
          }));
          context.onLoad({ filter: /./, namespace: "none" }, () => ({
            contents: 'export default ""; export const workerSource = "";',
          }));
        },
      },
    ],
  });
}

/** How each of them makes the WASI of a fresh instance with an empty directory "d". */
function subjects(ours) {
  const instantiate = async (guest, imports, finish) => {
    const instance = await WebAssembly.instantiate(guest, { [NAMESPACE]: imports });
    finish(instance);
    return instance;
  };
  let directories = 0;
  /** Of node:wasi: where one is collected, it closes descriptors that are somebody else's by then. */
  const kept = [];
  return {
    limit: async (guest) => {
      const { imports, bind, drain } = minimalWasi();
      return { instance: await instantiate(guest, imports, ({ exports }) => bind(exports.memory)), drain };
    },
    wasmex: async (guest) => {
      const fs = new ours.VirtualFileSystem({ "/d": {} });
      const stdout = new ours.Pipe();
      const preopen = { "/": { flags: ["read", "write", "create"] } };
      const wasi = new ours.Wasi({ fs, preopen, stdin: "null", stdout, stderr: "null" });
      return {
        instance: await instantiate(guest, wasi.wasiImport, (it) => wasi.initialize(it)),
        drain: () => stdout.read(),
      };
    },
    "node:wasi": async (guest) => {
      const directory = join(folder, String(directories++));
      mkdirSync(join(directory, "d"), { recursive: true });
      const stdout = openSync(join(directory, "stdout"), "w");
      const wasi = new NodeWasi({ version: "preview1", preopens: { "/": directory }, stdout });
      kept.push(wasi);
      return {
        instance: await instantiate(guest, wasi.wasiImport, (it) => wasi.initialize(it)),
        drain: () => ftruncateSync(stdout),
      };
    },
    browser_wasi_shim: async (guest) => {
      const stdout = new shim.File([]);
      const contents = new Map([["d", new shim.Directory(new Map())]]);
      const fds = [
        new shim.OpenFile(new shim.File([])),
        new shim.OpenFile(stdout),
        new shim.OpenFile(new shim.File([])),
        new shim.PreopenDirectory("/", contents),
      ];
      const wasi = new shim.WASI([], [], fds, { debug: false });
      return {
        instance: await instantiate(guest, wasi.wasiImport, (it) => (wasi.inst = it)),
        drain() {
          stdout.data = new Uint8Array(0);
          fds[1].file_pos = 0n;
        },
      };
    },
    uwasi: async (guest) => {
      const wasi = new UWasi({ features: [useAll({ stdout: () => {} })] });
      const missing = Object.fromEntries(
        WebAssembly.Module.imports(guest).map(({ name }) => [name, () => 52]),
      );
      // Its `initialize` insists on an `_initialize`.
      const finish = ({ exports }) => wasi.initialize({ exports: { ...exports, _initialize() {} } });
      return { instance: await instantiate(guest, { ...missing, ...wasi.wasiImport }, finish), drain() {} };
    },
    "@runno/wasi": async (guest) => {
      const wasi = new RunnoWasi({ stdout: () => {}, stderr: () => {}, stdin: () => null, fs: {} });
      const { [NAMESPACE]: imports } = wasi.getImportObject();
      return {
        instance: await instantiate(guest, imports, (it) => wasi.initialize({ instance: it, module: guest })),
        drain() {},
      };
    },
    "wasm-util + memfs": async (guest) => {
      const fs = createFsFromVolume(Volume.fromJSON({ "/d": null }));
      const wasi = new TybysWasi({
        version: "preview1",
        preopens: { "/": "/" },
        fs,
        print() {},
        printErr() {},
      });
      return { instance: await instantiate(guest, wasi.wasiImport, (it) => wasi.initialize(it)), drain() {} };
    },
  };
}

/** What is measured: `per` pieces of work in one turn; `setup` answers what `run` is given. */
function rows() {
  const open = (exports, name, oflags, rights, fdflags = 0) => {
    new Uint8Array(exports.memory.buffer).set(new TextEncoder().encode(name), 1024);
    return exports.open(name.length, oflags, rights, fdflags);
  };
  const unlink = (exports, name) => {
    new Uint8Array(exports.memory.buffer).set(new TextEncoder().encode(name), 1024);
    exports.unlink(name.length);
  };
  const reading = (size, times) => ({
    per: times,
    setup(exports) {
      const fd = open(exports, "f", CREATE, ALL);
      exports.write(fd, size, times);
      return fd;
    },
    run(exports, fd) {
      exports.seek(fd, 0n);
      exports.read(fd, size, times);
    },
  });
  const appending = (times) => ({
    per: times,
    run(exports) {
      const fd = open(exports, "log", CREATE, ALL, APPEND);
      exports.write(fd, 16, times);
      exports.close(fd);
      unlink(exports, "log");
    },
  });
  const listing = (entries) => ({
    per: entries,
    setup(exports) {
      exports.create(entries);
      return open(exports, "d", DIRECTORY, READDIR);
    },
    run(exports, fd) {
      const found = exports.list(fd, 4096);
      if (found !== entries + 2 && found !== entries) throw new Error(`${found} entries`);
    },
  });
  return {
    "write 1 byte to stdout": { per: 20_000, run: (exports) => exports.write(1, 1, 20_000) },
    "write 1 byte to a file": {
      per: 20_000,
      setup: (exports) => open(exports, "f", CREATE, ALL),
      run(exports, fd) {
        exports.seek(fd, 0n);
        exports.write(fd, 1, 20_000);
      },
    },
    "write 64 KiB to a file": {
      per: 256,
      setup: (exports) => open(exports, "f", CREATE, ALL),
      run(exports, fd) {
        exports.seek(fd, 0n);
        exports.write(fd, 65_536, 256);
      },
    },
    "write 64 KiB to a new file": {
      per: 256,
      run(exports) {
        const fd = open(exports, "new", CREATE, ALL);
        exports.write(fd, 65_536, 256);
        exports.close(fd);
        unlink(exports, "new");
      },
    },
    "read 64 KiB": reading(65_536, 256),
    "read 4 KiB": reading(4096, 4096),
    getc: {
      per: 1_048_576,
      setup(exports) {
        const fd = open(exports, "f", CREATE, ALL);
        exports.write(fd, 4096, 256);
        return fd;
      },
      run(exports, fd) {
        exports.seek(fd, 0n);
        exports.getc(fd);
      },
    },
    "open, stat, close of 10,000 files": {
      per: 10_000,
      setup: (exports) => exports.create(10_000),
      run: (exports) => exports.visit(10_000),
    },
    "append 100,000 records": appending(100_000),
    "append 1,000,000 records": { ...appending(1_000_000), larger: true },
    "readdir of 1,000": listing(1000),
    "readdir of 10,000": { ...listing(10_000), larger: true },
    "readdir of 50,000": { ...listing(50_000), larger: true },
    clock: { per: 20_000, run: (exports) => exports.clock(20_000) },
    "random, 8 bytes": { per: 20_000, run: (exports) => exports.random(8, 20_000) },
    "random, 64 bytes": { per: 20_000, run: (exports) => exports.random(64, 20_000) },
    "random, 64 KiB": { per: 64, run: (exports) => exports.random(65_536, 64) },
  };
}

/** Milliseconds for one turn of each, the median. */
async function measure(title, row, guest, makers) {
  const live = [];
  for (const [name, make] of makers) {
    try {
      const { instance, drain } = await make(guest);
      const given = row.setup?.(instance.exports);
      const start = performance.now();
      row.run(instance.exports, given);
      const first = performance.now() - start;
      drain();
      // What takes seconds needs no median, and what takes microseconds is repeated until the engine has warmed up.
      const rounds = first > 1000 ? 0 : first > 100 ? 3 : ROUNDS;
      const times = Math.max(1, Math.min(50, Math.round(10 / first)));
      live.push({ name, instance, drain, given, rounds, times, samples: rounds === 0 ? [first] : [] });
    } catch (error) {
      // It lacks the function, or has it fail.
      if (verbose) console.error(title, name, String(error));
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < live.length; turn++) {
      const one = live[(round + turn) % live.length];
      if (round >= one.rounds) continue;
      const start = performance.now();
      for (let time = 0; time < one.times; time++) row.run(one.instance.exports, one.given);
      const spent = (performance.now() - start) / one.times;
      if (round > 2 || one.rounds < ROUNDS) one.samples.push(spent);
      one.drain();
    }
  }
  return Object.fromEntries(live.map(({ name, samples }) => [name, median(samples)]));
}
