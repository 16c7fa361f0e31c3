/** One guest that has a bit of everything the contract speaks of. */
export const GUEST = `
(module $sample
  (import "env" "host" (func $host (param i32 i64) (result i64)))
  (type $pair (func (param i32) (result i32 i64)))
  (memory (export "memory") 2 16)
  (table (export "table") 3 funcref)
  (global $counter (export "counter") (mut i32) (i32.const 7))
  (global (export "answer") i64 (i64.const 42))
  (func (export "sum") (param $left i32) (param $right i32) (result i32)
    (i32.add (local.get $left) (local.get $right)))
  (func (export "nothing"))
  (func (export "wide") (param i64) (result i64) (i64.add (local.get 0) (i64.const 1)))
  (func (export "half") (param f32) (result f32) (f32.mul (local.get 0) (f32.const 0.5)))
  (func (export "double") (param f64) (result f64) (f64.mul (local.get 0) (f64.const 2)))
  (func (export "pair") (type $pair) (local.get 0) (i64.const 9))
  (func (export "call_host") (param i32 i64) (result i64) (call $host (local.get 0) (local.get 1)))
  (func $boom unreachable)
  (func (export "trap") (call $boom))
  (func (export "oob") (result i32) (i32.load (i32.const -4)))
  (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func $deep (export "deep") (call $deep))
  (func (export "spin") (loop $again (br $again)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "first_byte") (param i32 i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "poke") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "__proto__") (result i32) (i32.const 77))
  (data (i32.const 16) "hello\\00world"))
`;

export const COUNTING_IMPORT = { host: (a: number, b: bigint): bigint => BigInt(a) + b };
