import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, vi } from "vitest";
import { bundleOptions } from "../../build.mjs";

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const fixtures = `${root}test/fixtures/`;

export const SPIN = '(module (func $spin (export "_start") (loop br 0)))';
const TRAP = '(module (func $boom (export "_start") unreachable))';
export const ADD64 =
  '(module (func (export "add") (param i64 f64) (result i64 f64) local.get 0 local.get 1))';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      texts[name] += chunk;
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, ...texts }));
  });
}

/** Builds the command from the sources. */
export async function buildCommand(outfile: string): Promise<void> {
  await build({
    ...bundleOptions("node"),
    entryPoints: ["platform/node/cli/main.ts"],
    outfile,
    format: "esm",
    external: ["wabt"],
  });
}

/**
 * Builds the command for the tests of one file, and a folder to run it in.
 * @param suite names what is built
 */
export function useCommand(suite: string) {
  // Each test starts programs, the compiler of TypeScript among them.
  vi.setConfig({ testTimeout: 60_000 });
  const cache = `${root}.cache/cli/`;
  const program = `${cache}${suite}.js`;
  const running = new Set<ChildProcessWithoutNullStreams>();
  let folder = "";

  beforeAll(async () => {
    await buildCommand(program);
    folder = await mkdtemp(cache);
    const files = {
      "spin.wat": SPIN,
      "trap.wat": TRAP,
      "add64.wat": ADD64,
      "in.ts": "export const a: number = 1;",
    };
    for (const [name, text] of Object.entries(files)) await writeFile(`${folder}/${name}`, text);
  }, 60_000);

  afterAll(async () => {
    for (const child of running) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  function launch(args: readonly string[], env: Record<string, string> = {}): ChildProcessWithoutNullStreams {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: folder,
      env: { ...process.env, ...env },
    });
    running.add(child);
    child.once("close", () => running.delete(child));
    // A child that ends before it has read its input is no failure of the test.
    child.stdin.on("error", () => undefined);
    return child;
  }

  function wasmex(
    args: readonly string[],
    input: string | Uint8Array = "",
    env: Record<string, string> = {},
  ): Promise<Ended> {
    const child = launch(args, env);
    child.stdin.end(input);
    return ended(child);
  }

  return { launch, wasmex, program, folder: () => folder };
}
