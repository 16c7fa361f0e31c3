import * as Wasmex from "wasmex";
import { hasThreads } from "../ui/environment.js";
import { type Execute, executeCommand } from "./execute.js";
import { runRuby } from "./ruby.js";

export interface Program {
  readonly about: string;
  readonly url: string;
  readonly execute: Execute;
  /** What to type to see it at work. */
  readonly sample: string;
}

export const PROGRAMS: Readonly<Record<string, Program>> = {
  yard: {
    about: "a small game of ours that asks and waits (C)",
    url: "programs/yard.wasm",
    execute: executeCommand,
    sample: "yard",
  },
  esbuild: {
    about: "bundles and compiles TypeScript (Go, 20 MB)",
    url: "programs/esbuild.wasm",
    execute: executeCommand,
    sample: "esbuild app.ts --bundle --outfile=out.js && cat out.js",
  },
  ruby: {
    about: "Ruby 3.4 with its library (30 MB)",
    url: "programs/ruby.wasm",
    execute: runRuby,
    sample: hasThreads ? "ruby" : "ruby hello.rb",
  },
};

const modules = new Map<string, Promise<Wasmex.Module>>();

/** Fetches and compiles a program once; a failed attempt is not kept. */
export function loadProgram(
  url: string,
  onProgress: (loaded: number, total: number | undefined) => void,
): Promise<Wasmex.Module> {
  const known = modules.get(url);
  if (known !== undefined) return known;
  const loading = Wasmex.Module.compile(new URL(url, document.baseURI), {
    onProgress: ({ loaded, total }) => onProgress(loaded, total),
  });
  modules.set(url, loading);
  loading.catch(() => modules.delete(url));
  return loading;
}
