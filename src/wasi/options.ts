import { WasmexError } from "../errors.js";
import type { Pipe } from "../pipe.js";
import { accessBits, type PreopenFlag } from "../vfs/rights.js";
import type { VirtualFileSystem } from "../vfs/virtual-file-system.js";
import type { ClockSource, RandomSource } from "./sources.js";
import type { Endpoint } from "./stdio.js";

export type { PreopenFlag } from "../vfs/rights.js";
export type { ClockName, ClockSource, RandomSource } from "./sources.js";

/** What a guest may do below a directory that is opened for it. */
export interface PreopenOptions {
  /** At least one: `"read"` and list, `"write"` what exists (rename and remove, too), `"create"` what doesn't. */
  flags: readonly PreopenFlag[];
  /** The path that the guest sees; default: the directory's own. */
  alias?: string;
}

/** Where a guest's output goes; a function gets each chunk, as a copy. */
export type OutputOption = Pipe | "inherit" | "null" | ((chunk: Uint8Array) => void);

/** What a guest is given of its surroundings. All keys may be left out. */
export interface WasiOptions {
  /** After argv[0]; none of them with a NUL. */
  args?: readonly string[];
  /** argv[0]; default `"wasmex"`. */
  programName?: string;
  /** The environment: nothing of the host's own. */
  env?: { readonly [name: string]: string };
  /** Default `"inherit"`: the terminal in Node, the console in browsers. */
  stdin?: Pipe | "inherit" | "null";
  /** Default `"inherit"`: the terminal in Node, the console in browsers. */
  stdout?: OutputOption;
  /** As `stdout`. */
  stderr?: OutputOption;
  /** Directories the guest may use, by their paths in `fs`. */
  preopen?: { readonly [directory: string]: PreopenOptions };
  /** Default: the host's directories in Node, a new empty one in browsers. */
  fs?: VirtualFileSystem;
  /** Fills the bytes it is given; default: the engine's cryptographic source. */
  random?: RandomSource;
  /** Tells milliseconds as a number or nanoseconds as a bigint; default: the engine's clocks. */
  clock?: ClockSource;
}

/** One preopen that has been checked. */
export interface CheckedPreopen {
  readonly directory: string;
  readonly access: number;
  readonly alias: string;
}

/** Options in the form in which they are used. */
export interface CheckedOptions {
  readonly args: readonly Uint8Array[];
  readonly env: readonly Uint8Array[];
  readonly stdio: readonly [Endpoint, Endpoint, Endpoint];
  readonly preopens: readonly CheckedPreopen[];
  readonly fs: VirtualFileSystem | undefined;
  readonly random: RandomSource | undefined;
  readonly clock: ClockSource | undefined;
}

const KEYS = ["args", "programName", "env", "stdin", "stdout", "stderr", "preopen", "fs", "random", "clock"];

const encoder = new TextEncoder();

/** Checks what was passed as `wasi`; throws one `WasmexError` that names the key and what to do. */
export function checkOptions(options: WasiOptions): CheckedOptions {
  const given: unknown = options;
  if (!isRecord(given)) throw new WasmexError(`wasi: pass true or an object of options, not ${show(given)}`);
  for (const key of Object.keys(given)) {
    if (!KEYS.includes(key)) throw new WasmexError(`wasi.${key} is unknown: the keys are ${KEYS.join(", ")}`);
  }
  const { args = [], programName = "wasmex", env = {}, preopen = {}, fs, random, clock } = given;
  if (!Array.isArray(args)) throw new WasmexError(`wasi.args: pass an array of strings, not ${show(args)}`);
  if (!isRecord(env)) throw new WasmexError(`wasi.env: pass an object of strings, not ${show(env)}`);
  if (!isRecord(preopen)) {
    throw new WasmexError(`wasi.preopen: pass { "/directory": { flags: ["read"] } }, not ${show(preopen)}`);
  }
  if (fs !== undefined && !(isRecord(fs) && isRecord(fs.mounts))) {
    throw new WasmexError(`wasi.fs: pass a VirtualFileSystem, not ${show(fs)}`);
  }
  if (random !== undefined && typeof random !== "function") {
    throw new WasmexError(
      `wasi.random: pass a function that fills the bytes it is given, not ${show(random)}`,
    );
  }
  if (clock !== undefined && typeof clock !== "function") {
    throw new WasmexError(`wasi.clock: pass a function that answers milliseconds, not ${show(clock)}`);
  }
  return {
    args: [
      encodeString(programName, "wasi.programName"),
      ...args.map((argument: unknown, index) => encodeString(argument, `wasi.args[${index}]`)),
    ],
    env: Object.entries(env).map(([name, value]) => encodeVariable(name, value)),
    stdio: [
      checkEndpoint(given.stdin, "stdin"),
      checkEndpoint(given.stdout, "stdout"),
      checkEndpoint(given.stderr, "stderr"),
    ],
    preopens: Object.entries(preopen).map(([directory, value]) => checkPreopen(directory, value)),
    fs: fs as VirtualFileSystem | undefined,
    random: random as RandomSource | undefined,
    clock: clock as ClockSource | undefined,
  };
}

/** A string with the NUL that ends it for the guest. */
function encodeString(value: unknown, key: string): Uint8Array {
  if (typeof value !== "string") throw new WasmexError(`${key}: pass a string, not ${show(value)}`);
  if (value.includes("\0"))
    throw new WasmexError(`${key}: a NUL would end the string for the guest; leave it out`);
  return encoder.encode(`${value}\0`);
}

function encodeVariable(name: string, value: unknown): Uint8Array {
  const key = `wasi.env[${JSON.stringify(name)}]`;
  if (name === "" || name.includes("="))
    throw new WasmexError(`${key}: a variable's name has at least one character and no "="`);
  if (typeof value !== "string") throw new WasmexError(`${key}: pass a string, not ${show(value)}`);
  return encodeString(`${name}=${value}`, key);
}

function checkEndpoint(value: unknown, key: "stdin" | "stdout" | "stderr"): Endpoint {
  if (value === undefined) return "inherit";
  if (value === "inherit" || value === "null") return value;
  if (typeof value === "function" && key !== "stdin") return value as Endpoint;
  if (isRecord(value) && (typeof value.readInto === "function" || typeof value.available === "function")) {
    return value as unknown as Endpoint;
  }
  const choices = key === "stdin" ? '"inherit" or "null"' : '"inherit", "null" or a function';
  throw new WasmexError(`wasi.${key}: pass a Pipe, ${choices}, not ${show(value)}`);
}

function checkPreopen(directory: string, value: unknown): CheckedPreopen {
  const key = `wasi.preopen[${JSON.stringify(directory)}]`;
  if (directory === "" || directory.includes("\0"))
    throw new WasmexError(`${key}: the key is the path of a directory`);
  const { flags, alias = directory } = isRecord(value) ? value : {};
  const wanted = 'at least one of "read", "write" and "create"';
  if (!Array.isArray(flags)) throw new WasmexError(`${key}.flags: pass an array with ${wanted}`);
  const access = accessBits(flags);
  if (access <= 0) throw new WasmexError(`${key}.flags: pass ${wanted}, not ${show(flags)}`);
  if (typeof alias !== "string" || alias === "" || alias.includes("\0")) {
    throw new WasmexError(`${key}.alias: pass the path that the guest is to see, not ${show(alias)}`);
  }
  return { directory, access, alias };
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  if (typeof value === "string" || Array.isArray(value)) return JSON.stringify(value);
  return typeof value === "object" && value !== null ? "an object of another kind" : String(value);
}
