import * as Wasmex from "wasmex";
import type { Job } from "./streams.js";

/** Takes a compiled program and runs it to its end; answers the exit code. */
export type Execute = (module: Wasmex.Module, job: Job, stdin: Wasmex.Pipe) => Promise<number>;

/** The exit code of a program that was interrupted, as shells have it: 128 and the number of the signal. */
export const INTERRUPTED = 130;
/** The exit code of a program that trapped, as of one that ended by SIGABRT. */
const ABORTED = 134;

const ALL: Wasmex.PreopenOptions["flags"] = ["read", "write", "create"];

/** What every program gets; it may see the whole file system. */
export function wasiOptions(job: Job, stdin: Wasmex.Pipe): Wasmex.WasiOptions {
  return {
    programName: job.name,
    args: job.args,
    env: { ...job.env, PWD: job.directory },
    stdin,
    stdout: job.output,
    stderr: job.errors,
    fs: job.fs,
    preopen: { "/": { flags: ALL } },
  };
}

/**
 * The same with the shell's directory as the program's own. WASI knows no working directory: C libraries look relative paths up in
 * a preopen named ".", which hides the one named "/" from them, so that the directories at the top are named one by one.
 */
function withDirectory(options: Wasmex.WasiOptions, { directory, fs }: Job): Wasmex.WasiOptions {
  if (directory === "/") return options;
  const top = fs.readdir("/").filter((name) => fs.stat(`/${name}`).kind === "directory");
  return {
    ...options,
    preopen: {
      "/": { flags: ALL },
      ...Object.fromEntries(top.map((name) => [`/${name}`, { flags: ALL }])),
      // Another spelling of a path that may be in the list already.
      [`${directory}/.`]: { flags: ALL, alias: "." },
    },
  };
}

/** Turns how a call ended into an exit code, and tells what is no exit. */
export async function exitCodeOf(work: Promise<unknown>, job: Job): Promise<number> {
  try {
    await work;
    return 0;
  } catch (error) {
    if (error instanceof Wasmex.ExitError) return error.code;
    if (job.signal.aborted) return INTERRUPTED;
    if (error instanceof Wasmex.TrapError) {
      const frames = error.frames
        .slice(0, 5)
        .map((frame) => `    at ${frame.name ?? `function ${frame.index}`}\n`);
      job.errors(`\n\x1b[31m${job.name}: trapped: ${error.reason}\x1b[0m\n${frames.join("")}`);
      return ABORTED;
    }
    job.errors(`\x1b[31m${job.name}: ${error instanceof Error ? error.message : String(error)}\x1b[0m\n`);
    return 1;
  }
}

/** Any program with a `_start`. */
export const executeCommand: Execute = async (module, job, stdin) => {
  if (module.exports["_start"]?.kind !== "function") {
    job.errors(
      `${job.name}: no _start among its exports: a library, not a program. The Playground opens those.\n`,
    );
    return 126;
  }
  let process: Wasmex.Process | undefined;
  const interrupt = (): void => void process?.stop();
  job.signal.addEventListener("abort", interrupt);
  try {
    return await exitCodeOf(
      (async () => {
        process = await Wasmex.start({
          module,
          name: job.name,
          wasi: withDirectory(wasiOptions(job, stdin), job),
        });
        if (job.signal.aborted) return;
        await process.callFunction("_start", [], Number.POSITIVE_INFINITY);
      })(),
      job,
    );
  } finally {
    job.signal.removeEventListener("abort", interrupt);
    await process?.stop();
  }
};
