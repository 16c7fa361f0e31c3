#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { WasmexError } from "../../../src/errors.js";
import "../index.js";
import { UsageError } from "./arguments.js";
import { COMMANDS, helpOf, OVERVIEW } from "./help.js";
import { inspect } from "./inspect.js";
import { run } from "./run.js";
import { style } from "./terminal.js";
import { types } from "./types.js";
import { wat2wasm } from "./wat2wasm.js";

const EXIT_USAGE = 2;
const EXIT_FAILURE = 1;

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return (manifest as { version: string }).version;
}

/** Whether `--help` stands among a command's own options, before the file and what is the guest's. */
function asksForHelp(words: readonly string[]): boolean {
  return words[0] === "--help" || words[0] === "-h";
}

/** Answers the exit code. */
async function main(words: readonly string[]): Promise<number> {
  const [command, ...rest] = words;
  if (command === undefined || command === "help" || command === "--help" || command === "-h") {
    const topic = command === "help" ? rest[0] : undefined;
    process.stdout.write(topic === undefined ? OVERVIEW : helpOf(topic));
    return 0;
  }
  if (command === "--version" || command === "-V") {
    process.stdout.write(`wasmex ${version()}\n`);
    return 0;
  }
  if (asksForHelp(rest)) {
    process.stdout.write(helpOf(command));
    return 0;
  }
  switch (command) {
    case "run":
      return run(rest);
    case "inspect":
      return inspect(rest);
    case "types":
      return types(rest);
    case "wat2wasm":
      return wat2wasm(rest);
    default:
      // `wasmex hello.wasm` can mean one thing only.
      if (/\.(wasm|wat)$/.test(command)) return run(words);
      throw new UsageError(
        `there is no command ${JSON.stringify(command)}: use one of ${COMMANDS.join(", ")}`,
      );
  }
}

/** A reader that went away (`wasmex inspect x | head`) is no failure. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : EXIT_FAILURE);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof WasmexError || error instanceof UsageError)) throw error;
  process.stderr.write(`${style("red", "error:", process.stderr)} ${error.message}\n`);
  if (error instanceof UsageError) process.stderr.write("Try: wasmex help\n");
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILURE;
}
