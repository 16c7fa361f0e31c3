/** One module to begin with. */
export interface Example {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly wat: string;
  /** The body of a function that answers the imports. */
  readonly host: string;
  /** What the fields hold at first, by export. */
  readonly params?: Readonly<Record<string, readonly string[]>>;
  /** What the memory is best looked at as. */
  readonly view?: {
    readonly as: "uint8" | "int32" | "float32" | "picture";
    readonly address?: number;
    readonly width?: number;
  };
}

const PLAIN_HOST = `// What the module may import. Edit, and press Run to link it anew.
return {
  env: {},
};
`;

export const EXAMPLES: readonly Example[] = [
  {
    id: "sum",
    title: "Sums and strings",
    note: "Two functions and a greeting in memory. Change a byte and call again.",
    wat: `(module $greeter
  (memory (export "memory") 1)
  (data (i32.const 42) "hello, world")

  (func $sum (export "sum") (param $a i32) (param $b i32) (result i32)
    (i32.add (local.get $a) (local.get $b)))

  ;; The first byte of a string, as the host would pass one.
  (func $first (export "string_first_byte")
    (param $pointer i32) (param $length i32) (result i32)
    (if (result i32) (i32.eqz (local.get $length))
      (then (i32.const -1))
      (else (i32.load8_u (local.get $pointer)))))

  ;; HELLO: clears the sixth bit of every letter.
  (func $shout (export "shout") (param $pointer i32) (param $length i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $pointer) (local.get $length)))
    (loop $next
      (if (i32.ge_u (i32.load8_u (local.get $pointer)) (i32.const 97))
        (then (i32.store8 (local.get $pointer)
          (i32.and (i32.load8_u (local.get $pointer)) (i32.const 0xdf)))))
      (local.set $pointer (i32.add (local.get $pointer) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $pointer) (local.get $end)))))
)
`,
    host: PLAIN_HOST,
    params: { sum: ["50", "-8"], string_first_byte: ["42", "12"], shout: ["42", "5"] },
  },
  {
    id: "life",
    title: "Game of Life",
    note: "128 × 128 cells, one byte each. Call run: the guest computes on its thread while the picture follows its memory.",
    wat: `(module $life
  ;; Cells at 0, the next generation at 16384.
  (memory (export "memory") 1)
  (global $seed (mut i32) (i32.const 88172645))

  (func $random (result i32)
    (global.set $seed (i32.xor (global.get $seed) (i32.shl (global.get $seed) (i32.const 13))))
    (global.set $seed (i32.xor (global.get $seed) (i32.shr_u (global.get $seed) (i32.const 17))))
    (global.set $seed (i32.xor (global.get $seed) (i32.shl (global.get $seed) (i32.const 5))))
    (global.get $seed))

  (func $sow (export "sow")
    (local $i i32)
    (loop $next
      (i32.store8 (local.get $i) (i32.eqz (i32.and (call $random) (i32.const 3))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 16384)))))

  (func $cell (param $at i32) (result i32)
    (i32.load8_u (i32.and (local.get $at) (i32.const 16383))))

  (func $step (export "step")
    (local $i i32) (local $n i32)
    (loop $next
      (local.set $n (i32.add
        (i32.add
          (i32.add (call $cell (i32.sub (local.get $i) (i32.const 129)))
                   (call $cell (i32.sub (local.get $i) (i32.const 128))))
          (i32.add (call $cell (i32.sub (local.get $i) (i32.const 127)))
                   (call $cell (i32.sub (local.get $i) (i32.const 1)))))
        (i32.add
          (i32.add (call $cell (i32.add (local.get $i) (i32.const 1)))
                   (call $cell (i32.add (local.get $i) (i32.const 127))))
          (i32.add (call $cell (i32.add (local.get $i) (i32.const 128)))
                   (call $cell (i32.add (local.get $i) (i32.const 129)))))))
      (i32.store8 offset=16384 (local.get $i)
        (i32.or (i32.eq (local.get $n) (i32.const 3))
          (i32.and (i32.eq (local.get $n) (i32.const 2)) (call $cell (local.get $i)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 16384))))
    (memory.copy (i32.const 0) (i32.const 16384) (i32.const 16384)))

  (func $run (export "run") (param $generations i32) (result i32)
    (call $sow)
    (loop $next
      (call $step)
      (local.set $generations (i32.sub (local.get $generations) (i32.const 1)))
      (br_if $next (i32.gt_s (local.get $generations) (i32.const 0))))
    (call $alive))

  (func $alive (export "alive") (result i32)
    (local $i i32) (local $n i32)
    (loop $next
      (local.set $n (i32.add (local.get $n) (call $cell (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 16384))))
    (local.get $n))
)
`,
    host: PLAIN_HOST,
    params: { run: ["4000"] },
    view: { as: "picture", width: 128 },
  },
  {
    id: "host",
    title: "Host functions",
    note: "The guest asks the page. Open the second tab: its functions are JavaScript, typed and checked against the module.",
    wat: `(module $caller
  (import "env" "roll" (func $roll (param $sides i32) (result i32)))
  (import "env" "say" (func $say (param $pointer i32) (param $length i32)))
  (import "env" "wait" (func $wait (param $milliseconds i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "rolling the dice")

  (func $dice (export "dice") (param $count i32) (result i32)
    (local $sum i32)
    (call $say (i32.const 0) (i32.const 16))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call $roll (i32.const 6))))
      (call $wait (i32.const 250))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $next (i32.gt_s (local.get $count) (i32.const 0))))
    (local.get $sum))
)
`,
    host: `// What the module may import. Edit, and press Run to link it anew.
// \`Wasmex\` is the package, \`print\` writes to the log of this page.
return {
  env: {
    roll: Wasmex.fn(["i32"], ["i32"], (context, sides) => {
      const rolled = 1 + Math.floor(Math.random() * sides);
      print("rolled " + rolled);
      return rolled;
    }),

    say: Wasmex.fn(["i32", "i32"], [], ({ memory }, pointer, length) => {
      print(memory.readString(pointer, length));
    }),

    // The guest waits for the promise; the page goes on. (On a page without threads it can't.)
    wait: Wasmex.fn(["i32"], [], (context, milliseconds) => {
      if (threads) return new Promise((done) => setTimeout(done, milliseconds));
    }),
  },
};
`,
    params: { dice: ["5"] },
  },
  {
    id: "traps",
    title: "Traps",
    note: "What goes wrong in a guest has one name in every browser, and its frames lead to the source.",
    wat: `(module $faulty
  (memory (export "memory") 1)

  (func $divide (export "divide") (param $a i32) (param $b i32) (result i32)
    (i32.div_s (local.get $a) (local.get $b)))

  (func $peek (export "peek") (param $address i32) (result i32)
    (i32.load (local.get $address)))

  (func $deeper (param $n i32) (result i32)
    (i32.add (i32.const 1) (call $deeper (i32.add (local.get $n) (i32.const 1)))))
  (func $bottomless (export "bottomless") (result i32)
    (call $deeper (i32.const 0)))

  (func $innermost (unreachable))
  (func $middle (call $innermost))
  (func $outer (export "outer") (call $middle))

  ;; Runs until the deadline ends it.
  (func $forever (export "forever")
    (loop $again
      (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
      (br $again)))
)
`,
    host: PLAIN_HOST,
    params: { divide: ["7", "0"], peek: ["65536"] },
    view: { as: "int32" },
  },
  {
    id: "values",
    title: "Several values, 64 bits",
    note: "i64 are bigint both ways, several results come as an array.",
    wat: `(module $values
  (func $divmod (export "divmod") (param $a i64) (param $b i64) (result i64 i64)
    (i64.div_s (local.get $a) (local.get $b))
    (i64.rem_s (local.get $a) (local.get $b)))

  (func $factorial (export "factorial") (param $n i64) (result i64)
    (if (result i64) (i64.le_s (local.get $n) (i64.const 1))
      (then (i64.const 1))
      (else (i64.mul (local.get $n)
        (call $factorial (i64.sub (local.get $n) (i64.const 1)))))))

  (func $hypotenuse (export "hypotenuse") (param $a f64) (param $b f64) (result f64)
    (f64.sqrt (f64.add
      (f64.mul (local.get $a) (local.get $a))
      (f64.mul (local.get $b) (local.get $b)))))

  (func $round (export "to_f32") (param $value f64) (result f32)
    (f32.demote_f64 (local.get $value)))
)
`,
    host: PLAIN_HOST,
    params: {
      divmod: ["-9007199254740993", "10"],
      factorial: ["20"],
      hypotenuse: ["3", "4"],
      to_f32: ["0.1"],
    },
  },
  {
    id: "wasi",
    title: "WASI: hello",
    note: "A program with a _start and a standard output. More of those on the Terminal page.",
    wat: `(module $hello
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "hello from a WASI program\\n")

  (func $start (export "_start")
    ;; One buffer: where it begins, how long it is.
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 26))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
)
`,
    host: PLAIN_HOST,
  },
];
