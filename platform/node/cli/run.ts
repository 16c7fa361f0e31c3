import { stat } from "node:fs/promises";
import * as Wasmex from "../../../src/index.js";
import { adviceOnBytes, adviceOnImports } from "./advice.js";
import { parseArguments, UsageError } from "./arguments.js";
import { readInput } from "./input.js";
import { style } from "./terminal.js";

/** As wasmtime: a shell's code for SIGABRT. */
const EXIT_TRAP = 134;
const EXIT_FAILURE = 1;
/** A guest's code is what `exit` keeps of it. */
const EXIT_MASK = 0xff;

const INTEGER = /^[+-]?(0x[0-9a-f]+|\d+)$/i;

function integer(word: string): bigint {
  const negative = word.startsWith("-");
  const magnitude = BigInt(word.replace(/^[+-]/, ""));
  return negative ? -magnitude : magnitude;
}

/** A word of the command line as the value that a parameter takes. */
function valueOf(word: string, type: Wasmex.ValueType, position: number): Wasmex.WasmValue {
  if ((type === "i32" || type === "i64") && INTEGER.test(word)) {
    const value = integer(word);
    return type === "i32" ? Number(value) : value;
  }
  if ((type === "f32" || type === "f64") && word.trim() !== "" && (word === "NaN" || !Number.isNaN(Number(word)))) {
    return Number(word);
  }
  if (type === "externref") return word;
  throw new UsageError(`argument #${position} must be an ${type}; ${JSON.stringify(word)} is none`);
}

async function directories(specs: readonly string[]): Promise<Record<string, Wasmex.PreopenOptions>> {
  const preopen: Record<string, Wasmex.PreopenOptions> = {};
  for (const spec of specs) {
    const [host, guest] = spec.split("::") as [string, string?];
    const found = await stat(host).catch(() => undefined);
    if (!found?.isDirectory()) throw new UsageError(`--dir ${spec}: ${JSON.stringify(host)} is no directory`);
    preopen[host] = { flags: ["read", "write", "create"], alias: guest ?? host };
  }
  return preopen;
}

function environment(specs: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const spec of specs) {
    const equals = spec.indexOf("=");
    const key = equals < 0 ? spec : spec.slice(0, equals);
    if (key === "") throw new UsageError(`--env ${spec}: a variable needs a name`);
    const value = equals < 0 ? process.env[key] : spec.slice(equals + 1);
    if (value !== undefined) env[key] = value;
  }
  return env;
}

function timeoutOf(word: string | undefined): number {
  if (word === undefined) return Number.POSITIVE_INFINITY;
  const milliseconds = Number(word);
  if (!(milliseconds > 0)) throw new UsageError(`--timeout takes milliseconds, not ${JSON.stringify(word)}`);
  return milliseconds;
}

/** What there is to call in a module that has no `_start`. */
function callable(module: Wasmex.Module): string {
  const names = Object.entries(module.exports).flatMap(([name, type]) => (type.kind === "function" ? [name] : []));
  return names.length === 0 ? "it exports no function" : `it exports ${names.slice(0, 12).join(", ")}${names.length > 12 ? ", ..." : ""}`;
}

function explain(error: Wasmex.TrapError): string {
  const frames = error.frames.map(({ name, index }) => `    at ${name ?? `function ${index}`}\n`).join("");
  return `${error.message}\n${frames}`;
}

function report(error: unknown, name: string): number {
  const label = style("red", "error:", process.stderr);
  if (error instanceof Wasmex.ExitError) return error.code & EXIT_MASK;
  if (error instanceof Wasmex.TrapError) {
    process.stderr.write(`${label} ${name} trapped: ${explain(error)}`);
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
  const { bytes, name } = await readInput(file);
  const component = adviceOnBytes(bytes);
  if (component !== undefined) throw new UsageError(`${name}: ${component}`);
  const module = await Wasmex.Module.compile(bytes);
  const invoke = values.get("--invoke");
  const target = invoke ?? "_start";
  const type = module.exports[target];
  if (type?.kind !== "function") {
    const way = invoke === undefined ? "no program (no _start): use --invoke NAME" : `no function ${JSON.stringify(invoke)}`;
    throw new UsageError(`${name} has ${way}; ${callable(module)}`);
  }
  const params = invoke === undefined ? [] : args;
  if (invoke !== undefined && params.length !== type.parameters.length) {
    throw new UsageError(`${target} takes ${type.parameters.length} arguments (${type.parameters.join(", ")}), not ${params.length}`);
  }
  const parsed = params.map((word, at) => valueOf(word, type.parameters[at] as Wasmex.ValueType, at + 1));
  let guest: Wasmex.Process;
  try {
    guest = await Wasmex.start({
      module,
      wasi: { args: invoke === undefined ? args : [], env, preopen, programName: name },
    });
  } catch (error) {
    const advice = adviceOnImports(module.importEntries);
    if (!(error instanceof Wasmex.LinkError) || advice === undefined) throw error;
    throw new Wasmex.LinkError(`${name}: ${advice}\n${error.message}`, { cause: error });
  }
  try {
    const results = await guest.callFunction(target, parsed, timeout);
    if (invoke !== undefined) for (const value of results) process.stdout.write(`${String(value)}\n`);
    return 0;
  } catch (error) {
    return report(error, name);
  } finally {
    await guest.stop();
  }
}
