import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as Wasmex from "wasmex";
import { buildCommand } from "./command.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const guides = (await readdir(`${root}demo/guides`)).filter((file) => file.endsWith(".md")).sort();
const DOCUMENTS = ["README.md", ...guides.map((file) => `demo/guides/${file}`)];
/** What the code of a page fetches. */
const SERVED = new Map([
  [
    "sum.wasm",
    `(module (memory (export "memory") 1)
       (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))`,
  ],
]);

vi.setConfig({ testTimeout: 60_000 });

interface Block {
  readonly language: string;
  readonly code: string;
}

/** Every block that names a language; what names none is no code. */
async function blocksOf(document: string): Promise<Block[]> {
  const text = await readFile(`${root}${document}`, "utf8");
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = "", code = ""]) => ({
    language,
    code,
  }));
}

/**
 * A block as a module that checks what its comments promise: `expression; // value` must be that value, and
 * `console.log(…); // text` must print it.
 */
function checked(code: string): string {
  const lines = code.split("\n").map((line) => {
    const match =
      /^\s*(?!\/\/|const |let |import )(.+?); \/\/ (\[.*\]|\{.*\}|"[^"]*"|-?\d+(?:\.\d+)?n?|true|false|undefined)$/.exec(
        line,
      );
    if (match === null) return line;
    const [, expression = "", value = ""] = match;
    const printed = /^console\.log\((.+)\)$/.exec(expression);
    return `globalThis.check(${printed?.[1] ?? expression}, ${value});`;
  });
  return lines.join("\n");
}

/** The scripts of a page that stand in it; `Wasmex` is there as the script tag leaves it. */
function inlineScripts(html: string): string {
  return [...html.matchAll(/<script(?: type="module")?>([\s\S]*?)<\/script>/g)]
    .map(([, code = ""]) => code)
    .join("\n");
}

/** A directory as browsers keep them, as far as the guide goes. */
function browserDirectory(entries = new Map<string, unknown>()): unknown {
  const get = (name: string, make: () => unknown) => {
    if (!entries.has(name)) entries.set(name, make());
    return Promise.resolve(entries.get(name));
  };
  return {
    kind: "directory",
    entries: async function* () {
      yield* entries;
    },
    keys: async function* () {
      yield* [...entries.keys()];
    },
    getDirectoryHandle: (name: string) => get(name, browserDirectory),
    getFileHandle: (name: string) => get(name, browserFile),
    removeEntry: async (name: string) => void entries.delete(name),
  };
}

function browserFile(): unknown {
  let content = new Blob([]);
  const write = async (bytes: Uint8Array<ArrayBuffer>) => {
    content = new Blob([bytes]);
  };
  return {
    kind: "file",
    getFile: async () => content,
    createWritable: async () => ({ write, close: async () => undefined }),
  };
}

let folder: string;

async function runCode(name: string, code: string): Promise<void> {
  const file = `${folder}/${name}`;
  await writeFile(file, checked(code));
  Object.assign(globalThis, {
    Wasmex,
    check: (actual: unknown, expected: unknown) => expect(actual).toEqual(expected),
  });
  const kept = browserDirectory(
    new Map([["home", browserDirectory(new Map([["gone.txt", browserFile()]]))]]),
  );
  vi.stubGlobal("navigator", { storage: { getDirectory: async () => kept } });
  vi.stubGlobal("fetch", async (url: string) => {
    const text = SERVED.get(url);
    return text === undefined ? new Response(null, { status: 404 }) : new Response(text);
  });
  try {
    await import(/* @vite-ignore */ file);
  } finally {
    vi.unstubAllGlobals();
  }
}

/** Lines that begin with `$` are commands; what follows each is what it prints, on whichever stream. */
async function runConsole(code: string): Promise<void> {
  for (const part of code.split(/^\$ /m).filter((text) => text.trim() !== "")) {
    const [command = "", ...expected] = part.split("\n");
    const { stdout } = await promisify(execFile)("bash", ["-c", `exec 2>&1\n${command}`], {
      cwd: folder,
      env: { ...process.env, PATH: `${folder}/bin:${process.env["PATH"]}`, NO_COLOR: "1" },
    }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }));
    expect(stdout.trim(), command).toBe(expected.join("\n").trim());
  }
}

beforeAll(async () => {
  await mkdir(`${root}.cache`, { recursive: true });
  folder = await mkdtemp(`${root}.cache/documents-`);
  await mkdir(`${folder}/bin`);
  await writeFile(`${folder}/package.json`, '{ "type": "module" }');
  const program = `${folder}/bin/cli.js`;
  await buildCommand(program);
  await writeFile(`${folder}/bin/wasmex`, `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
  await chmod(`${folder}/bin/wasmex`, 0o755);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(DOCUMENTS)("%s", async (document) => {
  const blocks = await blocksOf(document);

  it("has code to run", () => {
    expect(blocks.length).toBeGreaterThan(0);
  });

  it.each(blocks.map((block, index) => [index + 1, block.language, block.code] as const))(
    "code block %i (%s) runs as it stands",
    async (index, language, code) => {
      const name = `${document.replace(/\W/g, "-")}-${index}`;
      switch (language) {
        case "js":
          return runCode(`${name}.mjs`, code);
        case "ts":
          return runCode(`${name}.ts`, code);
        case "html":
          return runCode(`${name}.mjs`, inlineScripts(code));
        case "console":
          return runConsole(code);
        case "wat": {
          // A file that the commands after it use, named in its first line.
          const file = /^;; (\S+)\n/.exec(code)?.[1];
          expect(file).toBeDefined();
          await writeFile(`${folder}/${file}`, code);
          await Wasmex.Module.compile(code);
          return;
        }
        default:
          throw new Error(
            `a block in ${language} can't be run here: leave the language out if it is no code`,
          );
      }
    },
  );

  it("links to files that are there", async () => {
    const text = await readFile(`${root}${document}`, "utf8");
    const from = new URL(document, `file://${root}`);
    for (const [, link = ""] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)) {
      await expect(readFile(new URL(link, from)), link).resolves.toBeDefined();
    }
  });
});
