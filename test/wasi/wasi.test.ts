import { describe, expect, test } from "vitest";
import * as Wasmex from "wasmex";
import { Pipe, VirtualFileSystem, Wasi, WasmexError } from "wasmex";
import { platform } from "../../src/platform.js";
import type { WasiOptions } from "../../src/wasi/options.js";
import { FUNCTION_NAMES, signatureOf } from "../../src/wasi/signatures.js";
import { WasiCaller } from "../fuzz/wasi-caller.js";
import { OFLAGS_CREAT } from "../fuzz/wasi-constants.js";
import { wat } from "../support/index.js";
import { FAULT, MFILE } from "./errno.js";

const compile = async (text: string) => WebAssembly.compile(await wat(text));
const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;

describe("Wasi", () => {
  const COMMAND = `(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.const 7))))`;

  test("Wasi.start answers the exit code, 0 where _start returns", async () => {
    const module = await compile(COMMAND);
    const wasi = new Wasi(quiet);
    expect(wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject(module)))).toBe(7);
    const empty = await WebAssembly.instantiate(
      await compile(`(module (memory (export "memory") 1) (func (export "_start")))`),
    );
    expect(new Wasi(quiet).start(empty)).toBe(0);
  });

  test("Wasi.start lets the guest's traps through", async () => {
    const module = await compile(
      `(module (memory (export "memory") 1) (func (export "_start") unreachable))`,
    );
    expect(() => new Wasi(quiet).start(new WebAssembly.Instance(module))).toThrow(WebAssembly.RuntimeError);
  });

  test("Wasi.initialize readies a reactor, with or without _initialize", async () => {
    const module = await compile(`(module
      (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (global $ready (mut i32) (i32.const 0))
      (func (export "_initialize") (global.set $ready (i32.const 1)))
      (func (export "ready") (result i32) (global.get $ready))
      (func (export "count") (result i32) (drop (call $sizes (i32.const 0) (i32.const 4))) (i32.load (i32.const 0))))`);
    const wasi = new Wasi({ ...quiet, args: ["a"] });
    const { exports } = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: wasi.wasiImport });
    wasi.initialize({ exports });
    expect((exports.ready as () => number)()).toBe(1);
    expect((exports.count as () => number)()).toBe(2);
    const bare = new WebAssembly.Instance(await compile(`(module (memory (export "memory") 1))`));
    expect(() => new Wasi(quiet).initialize(bare)).not.toThrow();
  });

  test("an instance that is no command, or has no memory, is a clear error", async () => {
    const module = new WebAssembly.Instance(await compile(`(module (memory (export "memory") 1))`));
    expect(() => new Wasi(quiet).start(module)).toThrow(/_start.*initialize/);
    const memoryless = new WebAssembly.Instance(await compile(`(module (func (export "_start")))`));
    expect(() => new Wasi(quiet).start(memoryless)).toThrow(/bind\(memory\)/);
    const wasi = new Wasi(quiet);
    wasi.bind(new WebAssembly.Memory({ initial: 1 }));
    expect(wasi.start(memoryless)).toBe(0);
  });

  test("Wasi.getImportObject has both namespaces, or those the module asks for", async () => {
    const wasi = new Wasi(quiet);
    expect(Object.keys(wasi.getImportObject()).sort()).toEqual(["wasi_snapshot_preview1", "wasi_unstable"]);
    expect(wasi.getImportObject().wasi_snapshot_preview1).toBe(wasi.wasiImport);
    const old = await compile(`(module (import "wasi_unstable" "sched_yield" (func (result i32))))`);
    expect(Object.keys(wasi.getImportObject(old))).toEqual(["wasi_unstable"]);
    expect(Object.keys(wasi.getImportObject(await compile(COMMAND)))).toEqual(["wasi_snapshot_preview1"]);
    const module = await Wasmex.Module.compile(
      `(module (import "wasi_unstable" "sched_yield" (func (result i32))))`,
    );
    expect(Object.keys(wasi.getImportObject(module))).toEqual(["wasi_unstable"]);
  });

  test("Wasi.wasiImport has all 46 functions of preview 1, wasi_unstable the 45 of its time", () => {
    const { wasi_snapshot_preview1: current, wasi_unstable: old } = new Wasi(quiet).getImportObject();
    expect(Object.keys(current ?? {}).sort()).toEqual([...FUNCTION_NAMES].sort());
    expect(FUNCTION_NAMES).toHaveLength(46);
    expect(Object.keys(old ?? {})).toHaveLength(45);
    expect(signatureOf("path_open")?.parameters.join(" ")).toBe("i32 i32 i32 i32 i32 i64 i64 i32 i32");
    expect(signatureOf("constructor")).toBeUndefined();
  });

  test("a function called before there is a memory throws what says what to do", async () => {
    const wasi = new Wasi(quiet);
    const { random_get: random } = wasi.wasiImport as Record<string, (...all: number[]) => number>;
    const message = /^WASI has no memory yet: call start\(instance\), .* or bind\(memory\) first/;
    expect(() => random?.(0, 8)).toThrow(WasmexError);
    expect(() => random?.(0, 8)).toThrow(message);
    wasi.bind({} as WebAssembly.Memory);
    expect(() => random?.(0, 8)).toThrow(message);
    wasi.bind(new WebAssembly.Memory({ initial: 1 }));
    expect(random?.(0, 8)).toBe(0);
    const early = await Wasmex.Module.compile(`(module
      (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func $begin (drop (call $random (i32.const 0) (i32.const 8))))
      (start $begin))`);
    await expect(Wasmex.Instance.create(early, { wasi: true })).rejects.toThrow(
      /a start section needs one that is imported/,
    );
  });

  test("an instance without any memory has no good pointer: EFAULT", async () => {
    const module = await Wasmex.Module.compile(`(module
      (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (func (export "random") (result i32) (call $random (i32.const 0) (i32.const 8))))`);
    const instance = await Wasmex.Instance.create(module, { wasi: quiet });
    expect(instance.callFunction("random")).toEqual([FAULT]);
  });

  test("Wasi.bind takes what stands for a memory that isn't made yet", () => {
    let memory: WebAssembly.Memory | undefined;
    const wasi = new Wasi(quiet);
    wasi.bind({
      get buffer() {
        return (memory as WebAssembly.Memory).buffer;
      },
    } as WebAssembly.Memory);
    memory = new WebAssembly.Memory({ initial: 1 });
    const { random_get: random } = wasi.wasiImport as Record<string, (...all: number[]) => number>;
    expect(random?.(0, 64)).toBe(0);
    expect(new Uint8Array(memory.buffer, 0, 64).some((byte) => byte !== 0)).toBe(true);
    memory.grow(1);
    expect(random?.(65_536, 64)).toBe(0);
  });

  test("Wasi.start and initialize refuse another instance's memory, and take the same again", async () => {
    const wasi = new Wasi(quiet);
    const instantiate = async (memory?: WebAssembly.Memory) =>
      WebAssembly.instantiate(
        await compile(
          memory === undefined
            ? `(module (memory (export "memory") 1) (func (export "_start")))`
            : `(module (import "env" "memory" (memory 1)) (export "memory" (memory 0)) (func (export "_start")))`,
        ),
        { env: { memory } } as WebAssembly.Imports,
      );
    const first = await instantiate();
    wasi.initialize(first);
    expect(wasi.start(first)).toBe(0);
    wasi.initialize(await instantiate(first.exports.memory as WebAssembly.Memory));
    const second = await instantiate();
    for (const name of ["start", "initialize"] as const) {
      expect(() => wasi[name](second)).toThrow(WasmexError);
      expect(() => wasi[name](second)).toThrow(/^this Wasi serves another instance already: make a new one/);
    }
    expect(wasi.start(first)).toBe(0);
  });

  test("Wasi.start runs one command after the other, whose memories are their own", async () => {
    const fills = await compile(`(module
      (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "_start") (drop (call $random (i32.const 0) (i32.const 64)))))`);
    const traps = await compile(`(module (memory (export "memory") 1) (func (export "_start") unreachable))`);
    const wasi = new Wasi(quiet);
    expect(() => wasi.start(new WebAssembly.Instance(traps))).toThrow(WebAssembly.RuntimeError);
    for (let turn = 0; turn < 2; turn++) {
      const instance = new WebAssembly.Instance(fills, wasi.getImportObject(fills));
      expect(wasi.start(instance)).toBe(0);
      const { buffer } = instance.exports.memory as WebAssembly.Memory;
      expect(new Uint8Array(buffer, 0, 64).some((byte) => byte !== 0)).toBe(true);
    }
    // One that still runs goes on being served alone.
    const calls = await compile(`(module (import "env" "call" (func $call)) (memory (export "memory") 1)
      (func (export "_start") (call $call)))`);
    const other = new WebAssembly.Instance(fills, wasi.getImportObject(fills));
    const outer = new WebAssembly.Instance(calls, { env: { call: () => void wasi.start(other) } });
    expect(() => wasi.start(outer)).toThrow(/^this Wasi serves another instance already/);
    expect(wasi.start(other)).toBe(0);
  });

  test("Wasi.close closes what is open", () => {
    const guest = new WasiCaller({
      fs: new VirtualFileSystem({ "/f": "x" }),
      preopen: { "/": { flags: ["read"] } },
    });
    guest.wasi.close();
    expect(guest.open(3, "f").errno).not.toBe(0);
    expect(() => guest.wasi.close()).not.toThrow();
  });

  test("limits.openFiles ends in EMFILE before anything is created", () => {
    const fs = new VirtualFileSystem();
    const wasi = new Wasi(
      { ...quiet, fs, preopen: { "/": { flags: ["create"] } } },
      { limits: { openFiles: 5 } },
    );
    const memory = new WebAssembly.Memory({ initial: 1 });
    wasi.bind(memory);
    const open = wasi.wasiImport.path_open as (...all: (number | bigint)[]) => number;
    new Uint8Array(memory.buffer).set(new TextEncoder().encode("ab"));
    expect(open(3, 0, 0, 1, OFLAGS_CREAT, 0n, 0n, 0, 64)).toBe(0);
    expect(open(3, 0, 1, 1, OFLAGS_CREAT, 0n, 0n, 0, 64)).toBe(MFILE);
    expect(fs.exists("/b")).toBe(false);
    expect((wasi.wasiImport.fd_close as (fd: number) => number)(4)).toBe(0);
    expect(open(3, 0, 1, 1, OFLAGS_CREAT, 0n, 0n, 0, 64)).toBe(0);
    expect(() => new Wasi(quiet, { limits: { openFiles: 2 } })).toThrow(/limits\.openFiles/);
  });
});

describe("the ABI", () => {
  const newGuest = () =>
    new WasiCaller({
      fs: new VirtualFileSystem({ "/file": "0123456789" }),
      preopen: { "/": { flags: ["read", "write", "create"] } },
    });

  test("pointers are unsigned, and one that leads out is EFAULT before anything happens", () => {
    const guest = newGuest();
    const { value: fd = -1 } = guest.open(3, "file");
    guest.view.setUint32(0, 100, true);
    guest.view.setUint32(4, 4, true);
    guest.view.setUint32(8, 65_534, true);
    guest.view.setUint32(12, 4, true);
    const zeros = new Uint8Array(guest.memory.buffer, 100, 4);
    expect(guest.call("fd_read", fd, 0, 2, 64)).toBe(FAULT);
    expect(guest.call("fd_read", fd, 0, 1, 65_533)).toBe(FAULT);
    expect(guest.call("fd_read", fd, -8, 1, 64)).toBe(FAULT);
    expect(guest.call("fd_read", fd, 0, -1, 64)).toBe(FAULT);
    expect([...zeros]).toEqual([0, 0, 0, 0]);
    expect(guest.seek(fd, 0n, 1).value).toBe(0n);
    expect(guest.call("fd_write", fd, 0, 2, 64)).toBe(FAULT);
    expect(guest.stat(fd).value?.size).toBe(10n);
    expect(guest.call("path_open", 3, 0, 65_530, 10, OFLAGS_CREAT, 0n, 0n, 0, 64)).toBe(FAULT);
    expect(guest.call("path_open", 3, 0, 0, 4, OFLAGS_CREAT, 0n, 0n, 0, 65_533)).toBe(FAULT);
    expect(guest.call("fd_filestat_get", fd, 65_536 - 63)).toBe(FAULT);
    expect(guest.call("fd_filestat_get", fd, 65_536 - 64)).toBe(0);
  });

  test("memory that has grown is seen at once, whichever way it grew", () => {
    const guest = newGuest();
    expect(guest.call("random_get", 65_536, 8)).toBe(FAULT);
    guest.memory.grow(1);
    expect(guest.call("random_get", 65_536, 8)).toBe(0);
    expect(guest.call("random_get", 131_072 - 8, 8)).toBe(0);
    expect(guest.call("random_get", 131_072 - 7, 8)).toBe(FAULT);
  });

  test("vectors that lie in a buffer they name are read before it is filled", () => {
    const guest = newGuest();
    const { value: fd = -1 } = guest.open(3, "file");
    for (const [index, [start, length]] of [
      [0, 8],
      [200, 2],
    ].entries()) {
      guest.view.setUint32(index * 8, start as number, true);
      guest.view.setUint32(index * 8 + 4, length as number, true);
    }
    expect(guest.call("fd_read", fd, 0, 2, 64)).toBe(0);
    expect(guest.view.getUint32(64, true)).toBe(10);
    expect(new TextDecoder().decode(new Uint8Array(guest.memory.buffer, 200, 2))).toBe("89");
  });

  test("more than 1024 vectors are a short read", () => {
    const guest = newGuest();
    const { value: fd = -1 } = guest.open(3, "file");
    for (let index = 0; index < 1100; index++) {
      guest.view.setUint32(index * 8, 32_768, true);
      guest.view.setUint32(index * 8 + 4, index < 1023 ? 0 : 1, true);
    }
    expect(guest.call("fd_read", fd, 0, 1100, 60_000)).toBe(0);
    expect(guest.view.getUint32(60_000, true)).toBe(1);
  });

  test("wasi_unstable has a filestat of 56 bytes and its own order of whence", () => {
    const guest = newGuest();
    const unstable = guest.wasi.getImportObject().wasi_unstable as Record<
      string,
      (...all: (number | bigint)[]) => number
    >;
    const { value: fd = -1 } = guest.open(3, "file");
    const { value: stat } = guest.stat(fd);
    new Uint8Array(guest.memory.buffer).fill(0xaa, 1000, 1100);
    expect(unstable.fd_filestat_get?.(fd, 1000)).toBe(0);
    const { view } = guest;
    const long = (at: number) => view.getBigUint64(1000 + at, true);
    expect([long(0), long(8), view.getUint32(1016, true), view.getUint32(1020, true)]).toEqual([
      stat?.dev,
      stat?.ino,
      4,
      1,
    ]);
    expect([long(24), long(32), long(40), long(48)]).toEqual([
      stat?.size,
      stat?.atim,
      stat?.mtim,
      stat?.ctim,
    ]);
    expect(view.getUint8(1056)).toBe(0xaa);
    expect(unstable.fd_seek?.(fd, 4n, 2, 64)).toBe(0);
    expect(unstable.fd_seek?.(fd, 2n, 0, 64)).toBe(0);
    expect(view.getBigUint64(64, true)).toBe(6n);
    expect(unstable.fd_seek?.(fd, -1n, 1, 64)).toBe(0);
    expect(view.getBigUint64(64, true)).toBe(9n);
  });

  test("results fill their fields to the full width", () => {
    const guest = newGuest();
    new Uint8Array(guest.memory.buffer).fill(0xff, 500, 600);
    expect(guest.call("fd_fdstat_get", 1, 500)).toBe(0);
    expect([guest.view.getUint32(502, true), guest.view.getUint16(506, true)]).toEqual([0, 0]);
    expect(guest.call("fd_prestat_get", 3, 540)).toBe(0);
    expect([guest.view.getUint32(540, true), guest.view.getUint32(544, true)]).toEqual([0, 1]);
    expect(guest.call("fd_prestat_dir_name", 3, 560, 0)).toBe(37);
    expect(guest.call("fd_prestat_dir_name", 3, 560, 9)).toBe(0);
    expect(guest.view.getUint16(560, true)).toBe(0xff2f);
  });
});

describe("options", () => {
  const refused = (options: unknown, message: RegExp) => {
    expect(() => new Wasi(options as WasiOptions)).toThrow(WasmexError);
    expect(() => new Wasi(options as WasiOptions)).toThrow(message);
  };
  const fs = () => new VirtualFileSystem({ "/data": { sub: {} }, "/file": "x" });

  test("a wrong option is one error that names the key", () => {
    refused(7, /wasi: pass true or an object/);
    refused({ arg: [] }, /wasi\.arg is unknown: the keys are args,/);
    refused({ args: "a" }, /wasi\.args/);
    refused({ args: ["a", 1] }, /wasi\.args\[1\]/);
    refused({ args: ["a\0b"] }, /wasi\.args\[0\].*NUL/);
    refused({ programName: 1 }, /wasi\.programName/);
    refused({ env: [] }, /wasi\.env/);
    refused({ env: { A: 1 } }, /wasi\.env\["A"\]/);
    refused({ env: { "A=B": "" } }, /wasi\.env\["A=B"\]/);
    refused({ stdin: () => {} }, /wasi\.stdin: pass a Pipe/);
    refused({ stdout: "file" }, /wasi\.stdout/);
    refused({ fs: {} }, /wasi\.fs/);
    refused({ clock: 1 }, /wasi\.clock/);
    refused({ random: 1 }, /wasi\.random/);
    refused({ preopen: ["/"] }, /wasi\.preopen/);
    refused({ preopen: { "/": ["read"] } }, /wasi\.preopen\["\/"\]\.flags/);
    refused({ preopen: { "/": { flags: [] } } }, /at least one of/);
    refused({ preopen: { "/": { flags: ["reed"] } } }, /not \["reed"\]/);
    refused({ preopen: { "/": { flags: ["read"], alias: "" } } }, /alias/);
    refused({ fs: fs(), preopen: { "/missing": { flags: ["read"] } } }, /doesn't exist in `fs`.*mkdir/);
    refused({ fs: fs(), preopen: { "/file": { flags: ["read"] } } }, /no directory in `fs`/);
    refused({ fs: fs(), preopen: { "../..": { flags: ["read"] } } }, /can't be reached/);
  });

  test("preopens take their numbers in order and show their alias", () => {
    const guest = new WasiCaller({
      fs: fs(),
      preopen: {
        "/data": { flags: ["read"] },
        "data/sub": { flags: ["read"], alias: "süb" },
        "/": { flags: ["read"], alias: "." },
      },
    });
    const names = [3, 4, 5].map((fd) => {
      expect(guest.call("fd_prestat_get", fd, 0)).toBe(0);
      const length = guest.view.getUint32(4, true);
      expect(guest.call("fd_prestat_dir_name", fd, 16, length)).toBe(0);
      return new TextDecoder().decode(new Uint8Array(guest.memory.buffer, 16, length));
    });
    expect(names).toEqual(["/data", "süb", "."]);
    expect(guest.call("fd_prestat_get", 6, 0)).toBe(8);
    expect(guest.call("fd_prestat_get", 1, 0)).toBe(8);
  });

  test.runIf(!platform().hasDirectories)(
    "without fs a preopen is an empty directory that is made for it",
    () => {
      const guest = new WasiCaller({ preopen: { "/new/one": { flags: ["read", "write", "create"] } } });
      expect(guest.readdir(3).value).toEqual([]);
      expect(guest.mkdir(3, "inner").errno).toBe(0);
    },
  );

  test("one file system and one pipe serve several guests", () => {
    const shared = fs();
    const pipe = new Pipe();
    const preopen = { "/": { flags: ["read", "write", "create"] } } as const;
    const [one, two] = [
      new WasiCaller({ fs: shared, preopen, stdout: pipe }),
      new WasiCaller({ fs: shared, preopen, stdin: pipe }),
    ];
    one.write(1, "through the pipe");
    expect(two.read(0, 99).value).toBe("through the pipe");
    const { value: fd = -1 } = one.open(3, "shared", { oflags: OFLAGS_CREAT });
    one.write(fd, "through the file");
    const { value: other = -1 } = two.open(3, "shared");
    expect(two.read(other, 99).value).toBe("through the file");
    expect(shared.readFile("/shared", "utf8")).toBe("through the file");
  });
});
