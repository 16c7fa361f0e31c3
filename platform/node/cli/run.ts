import { stat } from "node:fs/promises";
import * as Wasmex from "../../../src/index.js";
import { adviceOnImports } from "./advice.js";
import { parseArguments, UsageError } from "./arguments.js";
import { readInput, STANDARD_INPUT } from "./input.js";
import { compileInput } from "./load.js";
import { printable, style } from "./terminal.js";

/** As wasmtime: a shell's code for SIGABRT. */
const EXIT_TRAP = 134;
/** A shell's code for SIGINT. */
const EXIT_INTERRUPTED = 130;
/** A guest's code is what `exit` keeps of it. */
const EXIT_MASK = 0xff;
/** How many exports are named to someone who asked for one that isn't there. */
const MOST_NAMES = 12;

const INTEGER = /^[+-]?(0x[0-9a-f]+|\d+)$/i;

function integer(word: string): bigint {
  const negative = word.startsWith("-");
  const magnitude = BigInt(word.replace(/^[+-]/, ""));
  return negative ? -magnitude : magnitude;
}

/** A word of the command line as the value that a parameter takes. */
function parseValue(word: string, type: Wasmex.ValueType, position: number): Wasmex.WasmValue {
  if ((type === "i32" || type === "i64") && INTEGER.test(word)) {
    const value = integer(word);
    return type === "i32" ? Number(value) : value;
  }
  if (type === "f32" || type === "f64") {
    const value = Number(/^[+-]?inf(inity)?$/i.test(word) ? word.replace(/inf.*/i, "Infinity") : word);
    if (word.trim() !== "" && (/^nan$/i.test(word) || !Number.isNaN(value))) return value;
  }
  if (type === "externref") return word;
  throw new UsageError(`argument #${position} must be an ${type}; ${JSON.stringify(word)} is none`);
}

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

function targetType(module: Wasmex.Module, name: string, invoke: string | undefined): Wasmex.FunctionType {
  const type = module.exports[invoke ?? "_start"];
  if (type?.kind === "function") return type;
  const lack =
    invoke === undefined
      ? "is no program (it has no _start): call one of its functions with --invoke NAME"
      : `has no function ${JSON.stringify(invoke)}`;
  throw new Wasmex.WasmexError(`${name} ${lack}; ${callable(module)}`);
}

function parseParams(words: readonly string[], type: Wasmex.FunctionType, name: string): Wasmex.WasmValue[] {
  const { parameters } = type;
  if (words.length !== parameters.length) {
    const types = parameters.length === 0 ? "" : ` (${parameters.join(", ")})`;
    throw new UsageError(`${name} takes ${parameters.length} arguments${types}, not ${words.length}`);
  }
  return words.map((word, at) => parseValue(word, parameters[at] as Wasmex.ValueType, at + 1));
}

/** Tells how the guest ended, where that was not well; answers the exit code. */
function report(error: unknown, name: string): number {
  if (error instanceof Wasmex.ExitError) return error.code & EXIT_MASK;
  const label = style("red", "error:", process.stderr);
  if (error instanceof Wasmex.TrapError) {
    process.stderr.write(`${label} ${name} trapped: ${error.message}\n`);
    for (const frame of error.frames) {
      process.stderr.write(`    at ${printable(frame.name ?? `function ${frame.index}`)}\n`);
    }
    return EXIT_TRAP;
  }
  if (error instanceof Wasmex.TimeoutError) {
    process.stderr.write(`${label} ${name}: ${error.message}\n`);
    return EXIT_TRAP;
  }
  throw error;
}

export async function run(words: readonly string[]): Promise<number> {
  const { values, lists, rest } = parseArguments(words, {
    "--dir": "list",
    "--env": "list",
    "--timeout": "value",
    "--invoke": "value",
  });
  const [file, ...args] = rest;
  if (file === undefined) throw new UsageError('wasmex run needs a file ("-" is standard input)');
  const timeout = timeoutOf(values.get("--timeout"));
  const preopen = await directories(lists.get("--dir") ?? []);
  const env = environment(lists.get("--env") ?? []);
  const input = await readInput(file);
  const { name } = input;
  // Not the default, which would be a death by the signal: a guest in the middle of anything is ended with its terminal in order.
  process.on("SIGINT", () => process.exit(EXIT_INTERRUPTED));
  const module = await compileInput(input);
  const advice = adviceOnImports(module.importEntries);
  if (advice !== undefined) throw new Wasmex.LinkError(`${name}: ${advice}`);
  const invoke = values.get("--invoke");
  const type = targetType(module, name, invoke);
  const params = invoke === undefined ? [] : parseParams(args, type, invoke);
  const guest = await Wasmex.start({
    module,
    name,
    wasi: {
      args: invoke === undefined ? args : [],
      env,
      preopen,
      programName: name,
      // Where the module came in by it, there is nothing left to read.
      stdin: file === STANDARD_INPUT ? "null" : "inherit",
    },
  });
  try {
    const results = await guest.callFunction(invoke ?? "_start", params, timeout);
    if (invoke !== undefined) for (const value of results) process.stdout.write(`${String(value)}\n`);
    return 0;
  } catch (error) {
    return report(error, name);
  } finally {
    await guest.stop();
  }
}
