import { WasmexError } from "../errors.js";
import type { Pipe } from "../pipe.js";
import { encodeText } from "../text.js";
import { accessBits, type PreopenFlag } from "../vfs/access.js";
import type { VirtualFileSystem } from "../vfs/virtual-file-system.js";
import type { ClockSource, RandomSource } from "./sources.js";
import type { Endpoint } from "./stdio.js";

export type { PreopenFlag } from "../vfs/access.js";
export type { ClockName, ClockSource, RandomSource } from "./sources.js";

/** What a guest may do below a directory that is opened for it. */
export interface PreopenOptions {
  /** At least one: `"read"` and list, `"write"` what exists (rename and remove, too), `"create"` what doesn't. */
  flags: readonly PreopenFlag[];
  /** The path that the guest sees; default: the directory's own. */
  alias?: string | undefined;
}

/**
 * Where a guest's output goes; a function gets each chunk, as a copy. One that throws ends the call with `HostFunctionError`: at that write
 * inline, and on a thread, where the chunk arrives while the guest goes on, a little later. The instance can be called again. Nobody waits
 * for a promise that it answers: for output that goes where it takes its time follow a `Pipe`.
 */
export type OutputOption = Pipe | "inherit" | "null" | ((chunk: Uint8Array<ArrayBuffer>) => void);

/** What a guest is given of its surroundings. All keys may be left out. */
export interface WasiOptions {
  /** After argv[0]; none of them with a NUL. */
  args?: readonly string[] | undefined;
  /** argv[0]; default `"wasmex"`. */
  programName?: string | undefined;
  /** The environment: nothing of the host's own. */
  env?: { readonly [name: string]: string } | undefined;
  /** Default `"inherit"`: the terminal in Node, the console in browsers. */
  stdin?: Pipe | "inherit" | "null" | undefined;
  /** Default `"inherit"`: the terminal in Node, the console in browsers. */
  stdout?: OutputOption | undefined;
  /** As `stdout`. */
  stderr?: OutputOption | undefined;
  /** Directories the guest may use, by their paths in `fs`. */
  preopen?: { readonly [directory: string]: PreopenOptions } | undefined;
  /** Default: the host's directories in Node, a new empty one in browsers. */
  fs?: VirtualFileSystem | undefined;
  /** Fills the bytes it is given; default: the engine's cryptographic source. What it throws is a `HostFunctionError`. */
  random?: RandomSource | undefined;
  /** Tells milliseconds as a number or nanoseconds as a bigint; default: the engine's clocks. What it throws is a `HostFunctionError`. */
  clock?: ClockSource | undefined;
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
  /** Of stdin, stdout and stderr. */
  readonly stdio: readonly Endpoint[];
  readonly preopens: readonly CheckedPreopen[];
  readonly fs: VirtualFileSystem | undefined;
  readonly random: RandomSource | undefined;
  readonly clock: ClockSource | undefined;
}

const KEYS = ["args", "programName", "env", "stdin", "stdout", "stderr", "preopen", "fs", "random", "clock"];

/** Checks what was passed as `wasi`; throws one `WasmexError` that names the key and what to do. */
export function checkOptions(options: WasiOptions): CheckedOptions {
  const given: unknown = options;
  need(isRecord(given), "wasi", "true or an object of options", given);
  for (const key of Object.keys(given)) {
    if (!KEYS.includes(key)) throw new WasmexError(`wasi.${key} is unknown: the keys are ${KEYS.join(", ")}`);
  }
  const { args = [], programName = "wasmex", env = {}, preopen = {}, fs, random, clock } = given;
  need(Array.isArray(args), "wasi.args", "an array of strings", args);
  need(isRecord(env), "wasi.env", "an object of strings", env);
  need(isRecord(preopen), "wasi.preopen", '{ "/directory": { flags: ["read"] } }', preopen);
  need(fs === undefined || (isRecord(fs) && isRecord(fs.mounts)), "wasi.fs", "a VirtualFileSystem", fs);
  need(isFunctionOrNone(random), "wasi.random", "a function that fills the bytes it is given", random);
  need(isFunctionOrNone(clock), "wasi.clock", "a function that answers milliseconds", clock);
  return {
    args: [
      encodeString(programName, "wasi.programName"),
      ...args.map((argument: unknown, index: number) => encodeString(argument, `wasi.args[${index}]`)),
    ],
    env: Object.entries(env).map(([name, value]) => {
      const key = `wasi.env[${JSON.stringify(name)}]`;
      if (name === "" || name.includes("="))
        throw new WasmexError(`${key}: a variable's name has at least one character and no "="`);
      return encodeString(value, key, `${name}=`);
    }),
    stdio: (["stdin", "stdout", "stderr"] as const).map((key) => {
      const { [key]: value = "inherit" } = given;
      const output = key !== "stdin";
      need(
        value === "inherit" ||
          value === "null" ||
          (output && typeof value === "function") ||
          (isRecord(value) && typeof value.readInto === "function"),
        `wasi.${key}`,
        output ? 'a Pipe, "inherit", "null" or a function' : 'a Pipe, "inherit" or "null"',
        value,
      );
      return value as Endpoint;
    }),
    preopens: Object.entries(preopen).map(([directory, value]) => {
      const key = `wasi.preopen[${JSON.stringify(directory)}]`;
      if (!isPath(directory)) throw new WasmexError(`${key}: the key is the path of a directory`);
      const { flags, alias = directory } = isRecord(value) ? value : {};
      const access = Array.isArray(flags) ? accessBits(flags) : 0;
      need(access > 0, `${key}.flags`, 'an array with at least one of "read", "write" and "create"', flags);
      need(isPath(alias), `${key}.alias`, "the path that the guest is to see", alias);
      return { directory, access, alias };
    }),
    fs: fs as VirtualFileSystem | undefined,
    random: random as RandomSource | undefined,
    clock: clock as ClockSource | undefined,
  };
}

function need(met: boolean, key: string, wanted: string, value: unknown): asserts met {
  if (!met) throw new WasmexError(`${key}: pass ${wanted}, not ${show(value)}`);
}

/** A string with the NUL that ends it for the guest. */
function encodeString(value: unknown, key: string, prefix = ""): Uint8Array {
  need(typeof value === "string", key, "a string", value);
  if (value.includes("\0") || prefix.includes("\0"))
    throw new WasmexError(`${key}: a NUL would end the string for the guest; leave it out`);
  return encodeText(`${prefix}${value}\0`);
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFunctionOrNone(value: unknown): boolean {
  return typeof value === "function" || value === undefined;
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !value.includes("\0");
}

function show(value: unknown): string {
  if (typeof value === "string" || Array.isArray(value)) return JSON.stringify(value);
  return typeof value === "object" && value !== null ? "an object of another kind" : String(value);
}
