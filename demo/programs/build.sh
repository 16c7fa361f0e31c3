#!/bin/sh
# Builds the demo's own programs. Needs clang, lld and wasi-libc (on Debian: clang lld wasi-libc libclang-rt-dev-wasm32).
set -e
cd "$(dirname "$0")"
for program in yard escape; do
  clang --target=wasm32-wasi -O2 -Wall -Wextra -Wno-int-to-pointer-cast -Wl,--strip-all -o "$program.wasm" "$program.c"
done
ls -l ./*.wasm
