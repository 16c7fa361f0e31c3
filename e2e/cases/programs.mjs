// The small guests of the cases, as WebAssembly text.

export const CALLS = `(module $calls
  (import "env" "twice" (func $twice (param i32) (result i32)))
  (memory (export "memory") 1 4)
  (data (i32.const 8) "hello")
  (func (export "sum") (param i32 i32) (result i32)
    local.get 0
    local.get 1
    i32.add)
  (func (export "four_times") (param i32) (result i32)
    local.get 0
    call $twice
    call $twice)
  (func (export "first_byte") (param i32) (result i32)
    local.get 0
    i32.load8_u)
  (func (export "grow") (result i32)
    i32.const 1
    memory.grow)
  (func $boom (export "boom") unreachable)
  (func (export "count") (param i32)
    (loop $again
      local.get 0
      i32.const 1
      i32.sub
      local.tee 0
      br_if $again))
  (func (export "forever") (loop $again br $again)))`;

/** Copies its input to its output, 64 bytes at a time. */
export const CAT = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (loop $again
      (i32.store (i32.const 0) (i32.const 64))
      (i32.store (i32.const 4) (i32.const 64))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
      (if (i32.load (i32.const 16))
        (then
          (i32.store (i32.const 4) (i32.load (i32.const 16)))
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))
          (br $again))))))`;

/** Greets on its output and ends with the code 3. */
export const EXIT = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "good bye\\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 9))
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 20)))
    (call $exit (i32.const 3))))`;

/** `(module (func (export "answer") (result i32) i32.const 42))`, in bytes. */
export const ANSWER = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 10, 1, 6, 97, 110, 115, 119, 101, 114,
  0, 0, 10, 6, 1, 4, 0, 65, 42, 11,
]);

/** Sleeps for that many nanoseconds; answers the errno. */
export const SLEEPER = `(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "sleep") (param i64) (result i32)
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (local.get 0))
    (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))))`;
