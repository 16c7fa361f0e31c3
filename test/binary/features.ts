import type { ExternType } from "../../src/shape.js";
import { binary, custom, section, uleb, vec } from "./build.js";

/** A module that shows one feature of WebAssembly 3.0 (or a later proposal), and what is to be read from it. */
export interface Feature {
  readonly title: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly imports?: readonly (readonly [module: string, name: string, type: ExternType])[];
  readonly exports?: Readonly<Record<string, ExternType>>;
}

const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const V128 = 0x7b;
const FUNC = 0x60;
const END = 0x0b;

const fn = (parameters: string[], results: string[]) =>
  ({ kind: "function", parameters, results }) as ExternType;
const global = (value: string, mutable = false) => ({ kind: "global", value, mutable }) as ExternType;

/** A code section of functions that trap, so that any type will do. */
const traps = (count: number) => section(10, vec(...Array.from({ length: count }, () => [3, 0, 0x00, END])));

const everyAbstract = [
  [0x70, "funcref", "func"],
  [0x6f, "externref", "extern"],
  [0x6e, "anyref", "any"],
  [0x6d, "eqref", "eq"],
  [0x6c, "i31ref", "i31"],
  [0x6b, "structref", "struct"],
  [0x6a, "arrayref", "array"],
  [0x71, "nullref", "none"],
  [0x72, "nullexternref", "noextern"],
  [0x73, "nullfuncref", "nofunc"],
  [0x69, "exnref", "exn"],
  [0x74, "nullexnref", "noexn"],
] as const;

export const features: readonly Feature[] = [
  { title: "an empty module", bytes: binary() },
  {
    title: "functions of every number type, multi-value, imported and defined",
    bytes: binary(
      section(1, vec([FUNC, vec(I32, I64, F32, F64), vec()], [FUNC, vec(), vec(F64, I32)])),
      section(2, vec(["env", "host", 0, 0])),
      section(3, vec(1, 0)),
      section(7, vec(["a", 0, 1], ["b", 0, 2], ["again", 0, 0])),
      traps(2),
    ),
    imports: [["env", "host", fn(["i32", "i64", "f32", "f64"], [])]],
    exports: {
      a: fn([], ["f64", "i32"]),
      b: fn(["i32", "i64", "f32", "f64"], []),
      again: fn(["i32", "i64", "f32", "f64"], []),
    },
  },
  {
    title: "v128 in functions and globals",
    bytes: binary(
      section(1, vec([FUNC, vec(V128), vec(V128)])),
      section(3, vec(0)),
      section(
        6,
        vec(
          [V128, 0, 0xfd, 12, Array.from({ length: 16 }, (_, at) => at), END],
          [I32, 1, 0x41, 0x80, 0x7f, END],
        ),
      ),
      section(7, vec(["f", 0, 0], ["v", 3, 0], ["i", 3, 1])),
      traps(1),
    ),
    exports: { f: fn(["v128"], ["v128"]), v: global("v128"), i: global("i32", true) },
  },
  {
    title: "memories: with and without a maximum, imported",
    bytes: binary(section(2, vec(["env", "memory", 2, 1, 1, uleb(300)])), section(7, vec(["m", 2, 0]))),
    imports: [["env", "memory", { kind: "memory", minimum: 1, maximum: 300, shared: false }]],
    exports: { m: { kind: "memory", minimum: 1, maximum: 300, shared: false } },
  },
  {
    title: "a memory without a maximum",
    bytes: binary(section(5, vec([0, uleb(65536)])), section(7, vec(["m", 2, 0]))),
    exports: { m: { kind: "memory", minimum: 65536, shared: false } },
  },
  {
    title: "a shared memory",
    bytes: binary(section(5, vec([3, 1, 2])), section(7, vec(["m", 2, 0]))),
    exports: { m: { kind: "memory", minimum: 1, maximum: 2, shared: true } },
  },
  {
    title: "several memories, one of them 64-bit",
    bytes: binary(
      section(2, vec(["env", "first", 2, 0, 1])),
      section(5, vec([1, 2, 3], [5, 4, uleb(2 ** 18)], [0, 0])),
      section(7, vec(["c", 2, 2], ["a", 2, 0], ["d", 2, 3], ["b", 2, 1])),
    ),
    imports: [["env", "first", { kind: "memory", minimum: 1, shared: false }]],
    exports: {
      c: { kind: "memory", minimum: 4, maximum: 2 ** 18, shared: false, address: "i64" },
      a: { kind: "memory", minimum: 1, shared: false },
      d: { kind: "memory", minimum: 0, shared: false },
      b: { kind: "memory", minimum: 2, maximum: 3, shared: false },
    },
  },
  {
    title: "a memory with pages of one byte",
    bytes: binary(section(5, vec([9, 10, 20, 0])), section(7, vec(["m", 2, 0]))),
    exports: { m: { kind: "memory", minimum: 10, maximum: 20, shared: false, pageSize: 1 } },
  },
  {
    title: "tables: imported, defined, 64-bit",
    bytes: binary(
      section(2, vec(["env", "t", 1, 0x6f, 1, 1, 8])),
      section(4, vec([0x70, 0, 5], [0x70, 4, 6])),
      section(7, vec(["t", 1, 0], ["u", 1, 1], ["w", 1, 2])),
    ),
    imports: [["env", "t", { kind: "table", minimum: 1, maximum: 8, element: "externref" }]],
    exports: {
      t: { kind: "table", minimum: 1, maximum: 8, element: "externref" },
      u: { kind: "table", minimum: 5, element: "funcref" },
      w: { kind: "table", minimum: 6, element: "funcref", address: "i64" },
    },
  },
  {
    title: "a table with an initializer, of a reference that is never null",
    bytes: binary(
      section(1, vec([FUNC, vec(), vec()])),
      section(3, vec(0)),
      section(4, vec([0x40, 0, 0x64, 0, 0, 2, 0xd2, 0, END], [0x70, 0, 1])),
      section(7, vec(["f", 0, 0], ["t", 1, 0], ["u", 1, 1])),
      traps(1),
    ),
    exports: {
      f: fn([], []),
      t: { kind: "table", minimum: 2, element: "(ref 0)" },
      u: { kind: "table", minimum: 1, element: "funcref" },
    },
  },
  {
    title: "globals with every constant instruction of the core",
    bytes: binary(
      section(1, vec([FUNC, vec(), vec()])),
      section(2, vec(["env", "g", 3, I32, 0], ["env", "h", 3, I64, 1])),
      section(3, vec(0)),
      section(
        6,
        vec(
          [I64, 0, 0x42, 0x80, 0x80, 0x80, 0x80, 0x78, END],
          [F32, 0, 0x43, 0x0b, 0x0b, 0x0b, 0x0b, END],
          [F64, 0, 0x44, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, END],
          [0x70, 1, 0xd0, 0x70, END],
          [0x70, 0, 0xd2, 0, END],
          [I32, 0, 0x23, 0, END],
          [I32, 0, 0x23, 0, 0x41, 11, 0x6a, 0x41, 1, 0x6b, 0x41, 2, 0x6c, END],
          [I64, 0, 0x42, 1, 0x42, 11, 0x7c, 0x42, 1, 0x7d, 0x42, 2, 0x7e, END],
          [0x6f, 1, 0xd0, 0x6f, END],
        ),
      ),
      section(7, vec(["last", 3, 10], ["imported", 3, 1], ["nan", 3, 4], ["sum", 3, 8])),
      traps(1),
    ),
    imports: [
      ["env", "g", global("i32")],
      ["env", "h", global("i64", true)],
    ],
    exports: {
      last: global("externref", true),
      imported: global("i64", true),
      nan: global("f64"),
      sum: global("i32"),
    },
  },
  {
    title: "tags",
    bytes: binary(
      section(1, vec([FUNC, vec(I32, F64), vec()], [FUNC, vec(), vec()])),
      section(2, vec(["env", "t", 4, 0, 0])),
      section(13, vec([0, 1], [0, 0])),
      section(7, vec(["t", 4, 0], ["u", 4, 1], ["v", 4, 2])),
    ),
    imports: [["env", "t", { kind: "tag", parameters: ["i32", "f64"] }]],
    exports: {
      t: { kind: "tag", parameters: ["i32", "f64"] },
      u: { kind: "tag", parameters: [] },
      v: { kind: "tag", parameters: ["i32", "f64"] },
    },
  },
  {
    title: "every abstract reference: short, spelt out, never null",
    bytes: binary(
      section(
        1,
        vec(
          [FUNC, vec(...everyAbstract.map(([code]) => code)), vec()],
          [FUNC, vec(...everyAbstract.map(([code]) => [0x63, code])), vec()],
          [FUNC, vec(...everyAbstract.map(([code]) => [0x64, code])), vec()],
        ),
      ),
      section(2, vec(["env", "short", 0, 0], ["env", "long", 0, 1], ["env", "sure", 0, 2])),
    ),
    imports: [
      [
        "env",
        "short",
        fn(
          everyAbstract.map(([, short]) => short),
          [],
        ),
      ],
      [
        "env",
        "long",
        fn(
          everyAbstract.map(([, short]) => short),
          [],
        ),
      ],
      [
        "env",
        "sure",
        fn(
          everyAbstract.map(([, , heap]) => `(ref ${heap})`),
          [],
        ),
      ],
    ],
  },
  {
    title: "recursive groups, subtypes, structs, arrays, packed fields",
    bytes: binary(
      section(
        1,
        vec(
          // (rec (type (sub (struct (field (mut i8)) (field (ref null 1))))) (type (sub final 0 (struct …))))
          [
            0x4e,
            vec(
              [0x50, vec(), 0x5f, vec([0x78, 1], [0x63, 1, 0])],
              [0x4f, vec(0), 0x5f, vec([0x78, 1], [0x63, 1, 0], [I64, 0])],
            ),
          ],
          [0x5e, 0x77, 1],
          [0x50, vec(), FUNC, vec([0x63, 0]), vec([0x64, 2])],
          [0x4e, vec()],
          [FUNC, vec(), vec()],
          [0x5f, vec()],
        ),
      ),
      section(3, vec(3, 4)),
      section(7, vec(["f", 0, 0], ["g", 0, 1])),
      traps(2),
    ),
    exports: { f: fn(["(ref null 0)"], ["(ref 2)"]), g: fn([], []) },
  },
  {
    title: "globals made by constant instructions on structs, arrays and i31",
    bytes: binary(
      section(1, vec([0x5f, vec([I32, 0])], [0x5e, I32, 0])),
      section(
        6,
        vec(
          [0x64, 0, 0, 0x41, 7, 0xfb, 0, 0, END],
          [0x64, 0, 0, 0xfb, 1, 0, END],
          [0x64, 1, 0, 0x41, 1, 0x41, 3, 0xfb, 6, 1, END],
          [0x64, 1, 0, 0x41, 3, 0xfb, 7, 1, END],
          [0x64, 1, 0, 0x41, 1, 0x41, 2, 0xfb, 8, 1, 2, END],
          [0x64, 0x6c, 0, 0x41, 5, 0xfb, 28, END],
          [0x6f, 0, 0x41, 5, 0xfb, 28, 0xfb, 27, END],
          [0x6e, 0, 0xd0, 0x6f, 0xfb, 26, END],
          [0x63, 0, 1, 0xd0, 0, END],
        ),
      ),
      section(7, vec(["s", 3, 0], ["i", 3, 5], ["n", 3, 8])),
    ),
    exports: { s: global("(ref 0)"), i: global("(ref i31)"), n: global("(ref null 0)", true) },
  },
  {
    title: "names that meet prototypes, and names beyond ASCII",
    bytes: binary(
      section(1, vec([FUNC, vec(), vec()])),
      section(2, vec(["__proto__", "constructor", 0, 0], ["constructor", "__proto__", 0, 0], ["", "", 0, 0])),
      section(
        7,
        vec(
          ["__proto__", 0, 0],
          ["hasOwnProperty", 0, 1],
          ["", 0, 2],
          ["naïve \u{1f980} \ufeff", 0, 0],
          ["a".repeat(300), 0, 0],
        ),
      ),
    ),
    imports: [
      ["__proto__", "constructor", fn([], [])],
      ["constructor", "__proto__", fn([], [])],
      ["", "", fn([], [])],
    ],
    exports: Object.assign(Object.create(null) as Record<string, ExternType>, {
      ["__proto__"]: fn([], []),
      hasOwnProperty: fn([], []),
      "": fn([], []),
      "naïve \u{1f980} \ufeff": fn([], []),
      ["a".repeat(300)]: fn([], []),
    }),
  },
  {
    title: "duplicate imports",
    bytes: binary(
      section(1, vec([FUNC, vec(), vec()], [FUNC, vec(I32), vec()])),
      section(2, vec(["a", "f", 0, 0], ["a", "f", 0, 1], ["a", "f", 3, I32, 0])),
    ),
    imports: [
      ["a", "f", fn([], [])],
      ["a", "f", fn(["i32"], [])],
      ["a", "f", global("i32")],
    ],
  },
  {
    title: "custom sections between all others, sizes written too long",
    bytes: binary(
      custom("first"),
      // The type section, its size and its count in more bytes than they need.
      [1, 0x86, 0x80, 0x80, 0x80, 0, 0x81, 0x80, 0, FUNC, 0, 0],
      custom("second", 1, 2, 3),
      section(3, vec(0)),
      custom("first", 9),
      section(7, vec(["f", 0, 0])),
      traps(1),
      custom("name", 99, 1, 0),
    ),
    exports: { f: fn([], []) },
  },
  {
    title: "shared and exact references (proposals)",
    bytes: binary(
      section(
        1,
        vec([FUNC, vec(), vec()], [0x65, FUNC, vec([0x63, 0x65, 0x6e], [0x64, 0x62, 0]), vec([0x65, 0x70])]),
      ),
      section(2, vec(["env", "f", 0, 1])),
    ),
    imports: [["env", "f", fn(["(ref null (shared any))", "(ref (exact 0))"], ["(ref null (shared func))"])]],
  },
];
