import { UsageError } from "./arguments.js";

export const OVERVIEW = `wasmex: run and look into WebAssembly modules

  wasmex run [options] FILE [ARGS...]    run a WASI program, or call one export
  wasmex inspect FILE                    imports, exports, memories, sections and sizes
  wasmex types FILE                      a .d.ts for start<Exports>(), with import stubs
  wasmex wat2wasm FILE [-o OUT]          WebAssembly text to a binary module
  wasmex help COMMAND                    more of one command, with examples

FILE is a .wasm or .wat file, or "-" for standard input.
`;

const HELP: ReadonlyMap<string, string> = new Map([
  [
    "run",
    `wasmex run [options] FILE [ARGS...]

Runs _start of a WASI program on a thread of its own. What follows FILE are the program's arguments.

  --dir HOST[::GUEST]   let the program use a directory, under another path if you like (repeatable)
  --env K=V             set a variable; --env K passes yours on (repeatable)
  --timeout MS          stop after so many milliseconds, reading and compiling included
  --invoke NAME         call this export instead; ARGS are its arguments, results are printed

  wasmex run hello.wasm
  wasmex run --dir . --env LANG=C tool.wasm input.txt
  wasmex run --dir ./site::/ esbuild.wasm --bundle /app.ts
  wasmex run --invoke sum adder.wat 50 -8
  cat program.wasm | wasmex run --timeout 1000 -

Options come before FILE. Numbers of --invoke are decimal or hexadecimal (0xffffffff is -1 for an i32), inf or nan.
The exit code is the program's; 134 when it trapped or ran out of time, 1 when it could not be started.
`,
  ],
  [
    "inspect",
    `wasmex inspect [--json] FILE

Prints what a module declares. Nothing of it is executed.

  wasmex inspect tool.wasm
  wasmex inspect --json tool.wasm | jq '.exports'
`,
  ],
  [
    "types",
    `wasmex types FILE

Prints a TypeScript declaration of a module's exports, for start<Exports>(), and of the imports it needs.

  wasmex types adder.wasm > adder.d.ts

  import type { Exports } from "./adder.js";
  const adder = await Wasmex.start<Exports>({ bytes });
  const [sum] = await adder.callFunction("sum", [50, -8]);   // number
`,
  ],
  [
    "wat2wasm",
    `wasmex wat2wasm FILE [-o OUT]

Turns WebAssembly text into a binary module, names included. OUT is FILE with .wasm at its end; "-" is standard output.

  wasmex wat2wasm adder.wat
  echo '(module)' | wasmex wat2wasm - -o - | wasmex inspect -
`,
  ],
]);

export const COMMANDS: readonly string[] = [...HELP.keys()];

export function helpOf(command: string): string {
  const text = HELP.get(command);
  if (text === undefined) {
    throw new UsageError(`there is no command ${JSON.stringify(command)}: use one of ${COMMANDS.join(", ")}`);
  }
  return text;
}
