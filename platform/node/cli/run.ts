import { stat } from "node:fs/promises";
import { orAborted } from "../../../src/deferred.js";
import * as Wasmex from "../../../src/index.js";
import { startUntil } from "../../../src/start.js";
import { adviceOnImports, MEMORY_GROWTH, needsMemoryGrowth } from "./advice.js";
import { parseArguments, UsageError } from "./arguments.js";
import { failure, messageOf } from "./failure.js";
import { nameOf, readInput, STANDARD_INPUT } from "./input.js";
import { compileInput } from "./load.js";
import { printable } from "./terminal.js";
import { parseValue, printValue } from "./values.js";

/** As wasmtime: a shell's code for SIGABRT. */
const EXIT_TRAP = 134;
/** A shell's code for SIGINT. */
const EXIT_INTERRUPTED = 130;
/** A guest's code is what `exit` keeps of it. */
const EXIT_MASK = 0xff;
/** How many exports are named to someone who asked for one that isn't there. */
const MOST_NAMES = 12;

/** The most that engines take for a timer, in milliseconds. */
const LONGEST_TIMER = 0x7fff_ffff;

const OPTIONS = { "--dir": "list", "--env": "list", "--timeout": "value", "--invoke": "value" } as const;

/** What `--dir` gives, one preopen each. */
async function directories(specs: readonly string[]): Promise<Record<string, Wasmex.PreopenOptions>> {
  const preopens: [string, Wasmex.PreopenOptions][] = [];
  for (const spec of specs) {
    const separator = spec.lastIndexOf("::");
    const host = separator < 0 ? spec : spec.slice(0, separator);
    const guest = separator < 0 ? spec : spec.slice(separator + 2);
    if (host === "" || guest === "") throw new UsageError(`--dir ${spec}: write it as HOST or HOST::GUEST`);
    const found = await stat(host).catch(() => undefined);
    if (found?.isDirectory() !== true) {
      const why = found === undefined ? "there is no such directory" : "it is no directory";
      throw new Wasmex.WasmexError(`--dir ${spec}: can't open ${JSON.stringify(host)}: ${why}`);
    }
    // One directory may be given twice, under two names: each needs a key of its own.
    let key = host;
    while (preopens.some(([taken]) => taken === key)) key += "/.";
    preopens.push([key, { flags: ["read", "write", "create"], alias: guest }]);
  }
  return Object.fromEntries(preopens);
}

function environment(specs: readonly string[]): Record<string, string> {
  const env: [string, string][] = [];
  for (const spec of specs) {
    const equals = spec.indexOf("=");
    const key = equals < 0 ? spec : spec.slice(0, equals);
    if (key === "") throw new UsageError(`--env ${spec}: a variable needs a name`);
    const value = equals < 0 ? process.env[key] : spec.slice(equals + 1);
    if (value !== undefined) env.push([key, value]);
  }
  return Object.fromEntries(env);
}

function timeoutOf(word: string | undefined): number {
  if (word === undefined) return Number.POSITIVE_INFINITY;
  const milliseconds = word.trim() === "" ? Number.NaN : Number(word);
  if (!(milliseconds > 0)) throw new UsageError(`--timeout takes milliseconds, not ${JSON.stringify(word)}`);
  return milliseconds;
}

/** What there is to call in a module that has not what was asked for. */
function callable(module: Wasmex.Module): string {
  const names = Object.entries(module.exports).flatMap(([name, type]) =>
    type.kind === "function" ? [printable(name)] : [],
  );
  if (names.length === 0) return "it exports no function";
  const more = names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : "";
  return `it exports ${names.slice(0, MOST_NAMES).join(", ")}${more}`;
}

/** What to do about a module that is no program. */
function adviceOnLibrary(args: readonly string[]): string {
  const misplaced = args.find((word) => Object.hasOwn(OPTIONS, word.replace(/=.*/s, "")));
  return misplaced === undefined
    ? "call one of its functions with --invoke NAME"
    : `options come before FILE, and ${JSON.stringify(misplaced)} stands after it`;
}

function targetType(
  module: Wasmex.Module,
  name: string,
  invoke: string | undefined,
  args: readonly string[],
): Wasmex.FunctionType {
  const type = module.exports[invoke ?? "_start"];
  if (type?.kind === "function") return type;
  const lack =
    invoke === undefined
      ? `is no program (it has no _start): ${adviceOnLibrary(args)}`
      : `has no function ${JSON.stringify(invoke)}`;
  throw new Wasmex.WasmexError(`${name} ${lack}; ${callable(module)}`);
}

function parseParams(words: readonly string[], type: Wasmex.FunctionType, name: string): Wasmex.WasmValue[] {
  const { parameters } = type;
  if (words.length !== parameters.length) {
    const types = parameters.length === 0 ? "" : ` (${parameters.join(", ")})`;
    const count = `${parameters.length} argument${parameters.length === 1 ? "" : "s"}`;
    throw new UsageError(`${name} takes ${count}${types}, not ${words.length}`);
  }
  return words.map((word, at) => parseValue(word, parameters[at] as Wasmex.ValueType, at + 1));
}

/** Tells how the guest ended, where that was not well; answers the exit code. */
function report(error: unknown, name: string): number {
  if (error instanceof Wasmex.ExitError) return error.code & EXIT_MASK;
  const { stderr } = process;
  if (error instanceof Wasmex.TrapError) {
    stderr.write(failure(`${printable(name)} trapped: ${messageOf(error)}`));
    for (const frame of error.frames) {
      stderr.write(`    at ${printable(frame.name ?? `function ${frame.index}`)}\n`);
    }
    return EXIT_TRAP;
  }
  if (error instanceof Wasmex.TimeoutError) {
    // Input that was waited for, or the compiler, would go on.
    stderr.write(failure(`${printable(name)}: ${messageOf(error)}`), () => process.exit(EXIT_TRAP));
    return EXIT_TRAP;
  }
  throw error;
}

/** Has `perform` given up on after so many milliseconds, whatever it is about; the signal's reason is a `TimeoutError`. */
async function within<T>(timeout: number, perform: (signal?: AbortSignal) => Promise<T>): Promise<T> {
  if (timeout > LONGEST_TIMER) return perform();
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(new Wasmex.TimeoutError(`it took longer than ${timeout} ms and was stopped`));
  }, timeout);
  try {
    return await perform(limit.signal);
  } finally {
    clearTimeout(timer);
  }
}

interface Target {
  readonly file: string;
  readonly args: readonly string[];
  /** The export to call in place of `_start`. */
  readonly invoke: string | undefined;
  readonly wasi: Wasmex.WasiOptions;
  readonly timeout: number;
}

async function runFile(
  { file, args, invoke, wasi, timeout }: Target,
  signal: AbortSignal | undefined,
): Promise<void> {
  const reading = readInput(file);
  const input = await (signal === undefined ? reading : orAborted(reading, signal));
  const { name } = input;
  // Not the default, which would be a death by the signal: a guest in the middle of anything is ended with its terminal in order.
  process.on("SIGINT", () => process.exit(EXIT_INTERRUPTED));
  const module = await compileInput(input, signal);
  const advice = adviceOnImports(module.importEntries);
  if (advice !== undefined) throw new Wasmex.LinkError(`${name}: ${advice}`);
  const type = targetType(module, name, invoke, args);
  const params = invoke === undefined ? [] : parseParams(args, type, invoke);
  // Nobody here holds views of its memory that would have to be made anew.
  const growth = { [MEMORY_GROWTH.module]: { [MEMORY_GROWTH.name]: () => undefined } };
  const imports = needsMemoryGrowth(module.importEntries) ? growth : undefined;
  const guest = await startUntil({ module, name, imports, wasi }, signal);
  try {
    // A timeout that no timer of ours took is the call's.
    const results = await guest.callFunction(invoke ?? "_start", params, { timeout, signal });
    if (invoke !== undefined) for (const value of results) process.stdout.write(`${printValue(value)}\n`);
  } finally {
    await guest.stop();
  }
}

export async function run(words: readonly string[]): Promise<number> {
  const { values, lists, rest } = parseArguments(words, OPTIONS);
  const [file, ...args] = rest;
  if (file === undefined) throw new UsageError('wasmex run needs a file ("-" is standard input)');
  const timeout = timeoutOf(values.get("--timeout"));
  const invoke = values.get("--invoke");
  const wasi = {
    args: invoke === undefined ? args : [],
    env: environment(lists.get("--env") ?? []),
    preopen: await directories(lists.get("--dir") ?? []),
    programName: nameOf(file),
    // Where the module came in by it, there is nothing left to read.
    stdin: file === STANDARD_INPUT ? "null" : "inherit",
  } as const;
  try {
    await within(timeout, (signal) => runFile({ file, args, invoke, wasi, timeout }, signal));
    return 0;
  } catch (error) {
    return report(error, nameOf(file));
  }
}
