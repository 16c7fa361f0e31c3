import { describe, expect, test } from "vitest";
import { armChecks } from "../../src/binary/checks.js";
import { addLoopChecks } from "../../src/binary/loop-checks.js";
import { CompileError } from "../../src/errors.js";
import { packageBytes, wat } from "../support/index.js";
import { binary, type Part, section, uleb, vec } from "./build.js";
import { engineAccepts } from "./engine-list.js";
import { features } from "./features.js";

/** Runs an export of the module with checks; the check throws when it has been called so many times. */
async function stopped(bytes: Uint8Array<ArrayBuffer>, name: string, imports: WebAssembly.Imports = {}) {
  const checked = addLoopChecks(bytes);
  if (checked === undefined) throw new Error("no checks were added");
  const { instance } = await WebAssembly.instantiate(checked.bytes, imports);
  const end = new Error("stopped by a check");
  let looks = 0;
  armChecks(instance.exports, () => {
    if (++looks === 3) throw end;
  });
  try {
    (instance.exports[name] as () => void)();
  } catch (error) {
    if (error !== end) throw error;
    return looks;
  }
  throw new Error("it ran to its end");
}

const fac = `(func $fac (export "fac") (param i64) (result i64)
  (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 1))
    (else (i64.mul (local.get 0) (call $fac (i64.sub (local.get 0) (i64.const 1)))))))`;

describe("addLoopChecks", () => {
  test("addLoopChecks lets an endless loop be ended from outside", async () => {
    const bytes = await wat(`(module (func (export "run") (loop $on (br $on))))`);
    expect(await stopped(bytes, "run")).toBe(3);
  });

  test("addLoopChecks lets endless recursion by tail calls and by calls be ended", async () => {
    const tail = await wat(
      `(module (func $a (return_call $b)) (func $b (export "run") (return_call $a)))`,
    ).then((bytes) => (engineAccepts(bytes) ? bytes : undefined));
    if (tail !== undefined) expect(await stopped(tail, "run")).toBe(3);
    // 2^60 calls, never more than 60 deep.
    const wide = await wat(`(module
      (func $f (param i32)
        (if (local.get 0) (then
          (call $f (i32.sub (local.get 0) (i32.const 1)))
          (call $f (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "run") (call $f (i32.const 60))))`);
    expect(await stopped(wide, "run")).toBe(3);
  });

  test("addLoopChecks ends a guest that catches what the check throws", async () => {
    const bytes = await wat(`(module
      (func (export "run")
        (loop $outer
          (try (do (loop $inner (br $inner))) (catch_all))
          (br $outer))))`);
    if (!engineAccepts(bytes)) return;
    const checked = addLoopChecks(bytes);
    const { instance } = await WebAssembly.instantiate(checked?.bytes as Uint8Array<ArrayBuffer>, {});
    let looks = 0;
    armChecks(instance.exports, () => {
      if (++looks >= 3) throw new Error("stopped by a check");
    });
    expect(() => (instance.exports["run"] as () => void)()).toThrow("stopped by a check");
  });

  test.each([
    "(memory.fill (i32.const 0) (i32.const 7) (i32.const 65536))",
    "(memory.copy (i32.const 0) (i32.const 1) (i32.const 65535))",
    "(drop (memory.grow (i32.const 0)))",
    "(table.copy (i32.const 0) (i32.const 1) (i32.const 9))",
    "(call $fill (i32.const 65536))",
  ])("addLoopChecks looks at each %s that takes long", async (long) => {
    const bytes = await wat(`(module (memory 1) (table 10 funcref)
      (global $rounds (export "rounds") (mut i32) (i32.const 0))
      (func $fill (param i32) (memory.fill (i32.const 0) (i32.const 7) (local.get 0)))
      (func (export "run") (loop $on
        (global.set $rounds (i32.add (global.get $rounds) (i32.const 1))) ${long} (br $on))))`);
    const { instance } = await WebAssembly.instantiate(
      addLoopChecks(bytes)?.bytes as Uint8Array<ArrayBuffer>,
      {},
    );
    let looks = 0;
    armChecks(instance.exports, () => {
      if (++looks === 3) throw new Error("stopped by a check");
    });
    expect(() => (instance.exports["run"] as () => void)()).toThrow("stopped by a check");
    expect((instance.exports["rounds"] as WebAssembly.Global).value).toBe(3);
  });

  test("addLoopChecks changes nothing of what copying, filling and growing do, nor where they trap", async () => {
    const bytes = await wat(`(module (memory (export "memory") 2) (data $abc "abc")
      (table $t 2 funcref) (elem $e func $f) (func $f)
      (func (export "run") (param $n i32) (result i32) (local i64 f32)
        (memory.init $abc (i32.const 10) (i32.const 0) (i32.const 3))
        (memory.fill (i32.const 100) (i32.const 9) (local.get $n))
        (memory.copy (i32.const 20) (i32.const 10) (i32.const 3))
        (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1))
        (drop (memory.grow (i32.const 1)))
        (i32.add (memory.size) (i32.load8_u (i32.add (local.get $n) (i32.const 99))))))`);
    const checked = addLoopChecks(bytes);
    const { instance } = await WebAssembly.instantiate(checked?.bytes as Uint8Array<ArrayBuffer>, {});
    const run = instance.exports["run"] as (length: number) => number;
    let looks = 0;
    for (const arm of [false, true]) {
      if (arm) armChecks(instance.exports, () => looks++);
      // Pages and a byte of 9: each run adds a page.
      expect(run(5)).toBe(arm ? 14 : 12);
      expect(run(70_000)).toBe(arm ? 15 : 13);
    }
    expect(looks).toBe(3);
    const memory = new Uint8Array((instance.exports["memory"] as WebAssembly.Memory).buffer);
    expect(Array.from(memory.subarray(20, 23))).toEqual([97, 98, 99]);
    expect(() => run(-1)).toThrow(WebAssembly.RuntimeError);
    const fill = (all: Uint8Array) => all.findIndex((byte, at) => byte === 0xfc && all[at + 1] === 11);
    expect(checked?.originalOffset(fill(checked.bytes))).toBe(fill(bytes));
  });

  test("addLoopChecks changes nothing of what a module does, armed or not", async () => {
    const bytes = await wat(`(module
      (import "env" "f" (func $f (param i32) (result i32)))
      (import "env" "t" (table 1 funcref)) (import "env" "g" (global $g i32))
      (memory (export "memory") 1) (table $own 2 funcref) (elem (table $own) (i32.const 0) func $fac32 $f)
      (global $mine (mut i64) (i64.const 7))
      ${fac}
      (func $fac32 (param i32) (result i32) (i32.wrap_i64 (call $fac (i64.extend_i32_u (local.get 0)))))
      (func (export "by") (param i32 i32) (result i32) (call_indirect $own (param i32) (result i32) (local.get 0) (local.get 1)))
      (func (export "sum") (param i32) (result i64) (local $sum i64)
        (loop $next (param) (result)
          (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get 0))))
          (br_if $next (local.tee 0 (i32.sub (local.get 0) (global.get $g)))))
        (global.set $mine (local.get $sum))
        (global.get $mine)))`);
    const checked = addLoopChecks(bytes);
    const { instance } = await WebAssembly.instantiate(checked?.bytes as Uint8Array<ArrayBuffer>, {
      env: {
        f: (value: number) => value + 1,
        t: new WebAssembly.Table({ element: "anyfunc", initial: 1 }),
        g: new WebAssembly.Global({ value: "i32" }, 1),
      },
    });
    const { sum, by, fac: factorial } = instance.exports as Record<string, (...values: unknown[]) => unknown>;
    let looks = 0;
    for (const arm of [false, true]) {
      if (arm) armChecks(instance.exports, () => looks++);
      expect(sum?.(100_000)).toBe(5_000_050_000n);
      expect(factorial?.(20n)).toBe(2432902008176640000n);
      expect(by?.(5, 0)).toBe(120);
      expect(by?.(5, 1)).toBe(6);
    }
    expect(looks).toBeGreaterThan(90);
  });

  test("addLoopChecks leaves a module without loops and calls as it is, and refuses what it can't decode", async () => {
    expect(addLoopChecks(await wat(`(module (func (export "f") (param i32) (drop (local.get 0))))`))).toBe(
      undefined,
    );
    expect(addLoopChecks(binary())).toBe(undefined);
    expect(() => addLoopChecks(withBody([0xe9, 0x03, 0x40, 0x0b, 0x0b]))).toThrow(CompileError);
    expect(() => addLoopChecks(withBody([0x44, 0x0b]))).toThrow(CompileError);
    expect(() => addLoopChecks(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 99))).toThrow(CompileError);
  });

  test("addLoopChecks makes a module that the engine takes of every one that it took, and the same exports", () => {
    let changed = 0;
    for (const { title, bytes } of features) {
      // Every body begins with an empty loop, so that there is something to check.
      const looping = withLoops(bytes);
      if (looping === undefined || !engineAccepts(looping)) continue;
      changed++;
      const checked = addLoopChecks(looping);
      expect(checked && engineAccepts(checked.bytes), title).toBe(true);
    }
    expect(changed).toBeGreaterThan(0);
  });

  const programs = ["@esbuild/wasi-preview1/esbuild.wasm", "@ruby/3.4-wasm-wasi/dist/ruby.wasm"];
  test.each(programs)("addLoopChecks takes a whole program: %s", async (path) => {
    const bytes = await packageBytes(path);
    const checked = addLoopChecks(bytes);
    expect(engineAccepts(checked?.bytes as Uint8Array<ArrayBuffer>)).toBe(true);
  });

  test("addLoopChecks tells where code of the new module lay in the old one", async () => {
    // Each constant stands once, so it can be found again.
    const constant = (index: number) => 0x1234500 + index;
    const bytes = await wat(`(module
      (func $f (drop (i32.const ${constant(0)})) (loop (drop (i32.const ${constant(1)})) (call $g)) (drop (i32.const ${constant(2)})))
      (func $g (drop (i32.const ${constant(3)})))
      (func (call $f) (loop (loop (drop (i32.const ${constant(4)})))) (drop (i32.const ${constant(5)})))
      (func (drop (i32.const ${constant(6)}))))`);
    const checked = addLoopChecks(bytes);
    if (checked === undefined) throw new Error("no checks were added");
    for (let index = 0; index < 7; index++) {
      const found = [bytes, checked.bytes].map((each) =>
        Array.from(each)
          .join(" ")
          .split(` ${leb(constant(index))} `),
      );
      const [before, after] = found.map((parts) =>
        parts.length === 2 ? parts[0]?.split(" ").length : undefined,
      );
      expect(before).toBeDefined();
      expect(checked.originalOffset(after as number)).toBe(before);
    }
  });
});

const leb = (value: number): string =>
  [(value & 0x7f) | 0x80, ((value >> 7) & 0x7f) | 0x80, ((value >> 14) & 0x7f) | 0x80, value >> 21].join(" ");

/** A feature's module with a loop at the start of each function's body; `undefined` for one without code, or of other bodies. */
function withLoops(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  const rest = Array.from(bytes);
  const out = rest.splice(0, 8);
  let changed = false;
  while (rest.length > 0) {
    const [id = 0, size = 0] = rest.splice(0, 2);
    const content = rest.splice(0, size);
    if (size >= 0x80) return undefined;
    if (id !== 10) out.push(id, size, ...content);
    else {
      const [count = 0, ...bodies] = content;
      if (bodies.join() !== Array.from({ length: count }, () => [3, 0, 0, 0x0b]).join()) return undefined;
      const looping = Array.from({ length: count }, () => [6, 0, 3, 0x40, 0x0b, 0, 0x0b]).flat();
      out.push(id, ...uleb(looping.length + 1), count, ...looping);
      changed = true;
    }
  }
  return changed ? Uint8Array.from(out) : undefined;
}

/** A module of one function with that code; whether it is valid matters to nobody here. */
function withBody(code: readonly number[]): Uint8Array<ArrayBuffer> {
  return binary(
    section(1, vec([0x60, 0, 0])),
    section(3, vec(0)),
    section(10, vec([...uleb(code.length + 1), 0, ...code] as Part)),
  );
}

/** Every kind of immediate (core specification 5.4), each with bytes in it that would be taken for a loop were they not passed over. */
const INSTRUCTIONS: readonly (readonly [string, ...number[]])[] = [
  ["unreachable", 0x00],
  ["block of a type index", 0x02, 0x83, 0x03],
  ["block of a reference", 0x02, 0x63, 0x83, 0x03],
  ["if of a value type", 0x04, 0x7f],
  ["try", 0x06, 0x40],
  ["catch", 0x07, 0x03],
  ["throw", 0x08, 0x03],
  ["rethrow", 0x09, 0x03],
  ["delegate", 0x18, 0x03],
  ["catch_all", 0x19],
  ["throw_ref", 0x0a],
  ["br", 0x0c, 0x03],
  ["br_table", 0x0e, 0x02, 0x03, 0x03, 0x03],
  ["call", 0x10, 0x03],
  ["call_indirect", 0x11, 0x03, 0x03],
  ["return_call_indirect", 0x13, 0x03, 0x03],
  ["call_ref", 0x14, 0x03],
  ["select of types", 0x1c, 0x02, 0x7f, 0x64, 0x03],
  ["try_table", 0x1f, 0x40, 0x04, 0x00, 0x03, 0x03, 0x01, 0x03, 0x03, 0x02, 0x03, 0x03, 0x03],
  ["local.get", 0x20, 0x83, 0x03],
  ["table.set", 0x26, 0x03],
  ["i32.load", 0x28, 0x02, 0x83, 0x03],
  ["i64.store32 of another memory", 0x3e, 0x43, 0x03, 0x03],
  ["memory.grow", 0x40, 0x03],
  ["i32.const", 0x41, 0x83, 0x03],
  ["i64.const", 0x42, 0x83, 0x83, 0x83, 0x83, 0x83, 0x83, 0x83, 0x83, 0x83, 0x00],
  ["f32.const", 0x43, 0x03, 0x40, 0x03, 0x40],
  ["f64.const", 0x44, 0x03, 0x40, 0x03, 0x40, 0x03, 0x40, 0x03, 0x40],
  ["i64.extend32_s", 0xc4],
  ["ref.null", 0xd0, 0x83, 0x03],
  ["ref.func", 0xd2, 0x03],
  ["ref.eq", 0xd3],
  ["br_on_non_null", 0xd6, 0x03],
  ["struct.new", 0xfb, 0x00, 0x03],
  ["struct.get_u", 0xfb, 0x04, 0x03, 0x03],
  ["array.new_default", 0xfb, 0x07, 0x03],
  ["array.new_elem", 0xfb, 0x0a, 0x03, 0x03],
  ["array.set", 0xfb, 0x0e, 0x03],
  ["array.len", 0xfb, 0x0f],
  ["array.fill", 0xfb, 0x10, 0x03],
  ["array.init_elem", 0xfb, 0x13, 0x03, 0x03],
  ["ref.cast null", 0xfb, 0x17, 0x83, 0x03],
  ["br_on_cast", 0xfb, 0x18, 0x03, 0x03, 0x83, 0x03, 0x03],
  ["i31.get_u", 0xfb, 0x1e],
  ["i64.trunc_sat_f64_u", 0xfc, 0x07],
  ["memory.init", 0xfc, 0x08, 0x03, 0x03],
  ["data.drop", 0xfc, 0x09, 0x03],
  ["table.copy", 0xfc, 0x0e, 0x03, 0x03],
  ["table.fill", 0xfc, 0x11, 0x03],
  ["i64.mul_wide_u", 0xfc, 0x16],
  ["v128.load", 0xfd, 0x00, 0x04, 0x03],
  ["v128.const", 0xfd, 0x0c, ...Array.from({ length: 16 }, () => 0x03)],
  ["i8x16.shuffle", 0xfd, 0x0d, ...Array.from({ length: 16 }, () => 0x03)],
  ["i8x16.splat", 0xfd, 0x0f],
  ["f64x2.replace_lane", 0xfd, 0x22, 0x03],
  ["v128.store64_lane", 0xfd, 0x5b, 0x03, 0x03, 0x03],
  ["v128.load64_zero", 0xfd, 0x5d, 0x03, 0x03],
  ["f64x2.convert_low_i32x4_u", 0xfd, 0xff, 0x01],
  ["i32x4.relaxed_dot_i8x16_i7x16_add_s", 0xfd, 0x93, 0x02],
  ["memory.atomic.wait64", 0xfe, 0x02, 0x03, 0x03],
  ["atomic.fence", 0xfe, 0x03, 0x03],
  ["i64.atomic.rmw32.cmpxchg_u", 0xfe, 0x4e, 0x02, 0x03],
];

describe("addLoopChecks passes over the immediates of", () => {
  test.each(INSTRUCTIONS)("%s", (_name, ...bytes) => {
    const instruction = bytes as number[];
    const loop = [0x03, 0x40, 0x0b];
    const code = [...instruction, ...loop, 0x0b];
    const checked = addLoopChecks(withBody(code));
    const calls = (instruction[0] as number) >= 0x10 && (instruction[0] as number) <= 0x15;
    const text = Array.from(checked?.bytes ?? []).join(" ");
    // A check of a loop begins with the local that counts its rounds, one of a function with the global.
    const expected = [...instruction, 0x03, 0x40, 0x20, 0x00, 0x41, 0xff, 0x07];
    expect(text).toContain(expected.join(" "));
    expect(text.split("35 0 69 4 64").length - 1).toBe(calls ? 1 : 0);
  });
});
