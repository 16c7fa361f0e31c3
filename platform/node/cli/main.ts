#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { WasmexError } from "../../../src/errors.js";
import "../index.js";
import { HelpAsked, UsageError } from "./arguments.js";
import { failure, messageOf } from "./failure.js";
import { COMMANDS, helpOf, OVERVIEW } from "./help.js";
import { inspect } from "./inspect.js";
import { run } from "./run.js";
import { types } from "./types.js";
import { wat2wasm } from "./wat2wasm.js";

const EXIT_USAGE = 2;
const EXIT_FAILURE = 1;

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return (manifest as { version: string }).version;
}

const PERFORM: ReadonlyMap<string, (words: readonly string[]) => Promise<number>> = new Map([
  ["run", run],
  ["inspect", inspect],
  ["types", types],
  ["wat2wasm", wat2wasm],
]);

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
  const perform = PERFORM.get(command);
  try {
    if (perform !== undefined) return await perform(rest);
  } catch (error) {
    if (!(error instanceof HelpAsked)) throw error;
    process.stdout.write(helpOf(command));
    return 0;
  }
  // `wasmex hello.wasm` can mean one thing only.
  if (/\.(wasm|wat)$/.test(command)) return run(words);
  throw new UsageError(`there is no command ${JSON.stringify(command)}: use one of ${COMMANDS.join(", ")}`);
}

/** A reader that went away (`wasmex inspect x | head`) is no failure. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(failure(`can't write to standard output: ${error.message}`));
  process.exit(EXIT_FAILURE);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof WasmexError || error instanceof UsageError)) throw error;
  process.stderr.write(failure(messageOf(error)));
  if (error instanceof UsageError) process.stderr.write("Try: wasmex help\n");
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILURE;
}
