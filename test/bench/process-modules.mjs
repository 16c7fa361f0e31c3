// The guests of the benchmarks of processes, as text.

export const SMALL = `(module
  (import "extism:host/user" "ask" (func $ask (param i64) (result i64)))
  (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "nothing") (result i32) (i32.const 0))
  (func (export "loop") (result i32) (call $ask_often (i64.const 1000)))
  (func (export "few") (result i32) (call $ask_often (i64.const 10)))
  (func $ask_often (param $left i64) (result i32)
    (loop $again
      (drop (call $ask (local.get $left)))
      (br_if $again (i32.eqz (i64.eqz (local.tee $left (i64.sub (local.get $left) (i64.const 1))))))
    )
    (i32.const 0)))`;

/** How many one call of `loop` makes, and one of `few`. */
export const HOST_CALLS = 1000;
export const FEW_HOST_CALLS = 10;

const body = Array.from(
  { length: 60 },
  (_, index) => `(local.set 0 (i32.mul (local.get 0) (i32.const ${index + 3})))`,
).join("");
const functions = Array.from(
  { length: 400 },
  (_, index) => `(func (export "f${index}") (param i32) (result i32) ${body} (local.get 0))`,
).join("\n");

/** A module that takes the engine a while: one function, many times over. */
export const LARGE = `(module (memory (export "memory") 1) ${functions})`;
