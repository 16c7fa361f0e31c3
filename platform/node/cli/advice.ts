import type { ImportEntry } from "../../../src/shape.js";

const COMPONENT_LAYER = 0x0d;

/** What to tell about bytes that are no core module, though they look like one. */
export function adviceOnBytes(bytes: Uint8Array): string | undefined {
  const isComponent =
    bytes[0] === 0 &&
    bytes[1] === 0x61 &&
    bytes[2] === 0x73 &&
    bytes[3] === 0x6d &&
    bytes[4] === COMPONENT_LAYER;
  if (!isComponent) return undefined;
  return "this is a component (WASI preview 2), not a core module: build for wasm32-wasip1 (or wasm32-wasi), or unbundle it with `wasm-tools component unbundle`";
}

const TOOLCHAINS: readonly { readonly advice: string; readonly knows: (entry: ImportEntry) => boolean }[] = [
  {
    knows: ({ module }) => module === "gojs" || module === "go",
    advice:
      "this is Go's own js/wasm output, which needs its wasm_exec.js: build with GOOS=wasip1 GOARCH=wasm to run it here",
  },
  {
    knows: ({ module, name }) =>
      module === "wbg" ||
      module === "__wbindgen_placeholder__" ||
      module.endsWith("_bg.js") ||
      name.startsWith("__wbindgen_"),
    advice:
      "this was made by wasm-bindgen, whose generated .js belongs to it: import that file, or build a plain wasm32-wasip1 program",
  },
  {
    knows: ({ module, name }) =>
      (module === "env" &&
        /^(emscripten_|invoke_|_emscripten|_embind_|_emval_|__syscall_|_abort_js|__cxa_)/.test(name)) ||
      (module === "a" && name.length <= 2),
    advice:
      "this was made by Emscripten, whose generated .js belongs to it: load that file, or link with -sSTANDALONE_WASM to run it here",
  },
  {
    knows: ({ module, name }) => module === "env" && name === "abort",
    advice:
      "this looks like AssemblyScript: give env.abort as an import from JavaScript, or build with --use abort= to run it here",
  },
  {
    knows: ({ module }) => module.startsWith("wasi:"),
    advice: "this needs WASI preview 2 interfaces: build for wasm32-wasip1 (preview 1) to run it here",
  },
];

const WASI_NAMESPACES: ReadonlySet<string> = new Set(["wasi_snapshot_preview1", "wasi_unstable"]);

/** Told to the host by what Emscripten links for any WASI runtime, too, where its memory may grow. */
export const MEMORY_GROWTH = { module: "env", name: "emscripten_notify_memory_growth" } as const;

function isMemoryGrowth({ module, name }: ImportEntry): boolean {
  return module === MEMORY_GROWTH.module && name === MEMORY_GROWTH.name;
}

/** Whether WASI and `MEMORY_GROWTH` are all that a module needs, and it does need the latter. */
export function needsMemoryGrowth(entries: readonly ImportEntry[]): boolean {
  const foreign = entries.filter(({ module }) => !WASI_NAMESPACES.has(module));
  return foreign.length > 0 && foreign.every(isMemoryGrowth);
}

/** What to tell about a module whose imports only its own toolchain's glue can give; `undefined` where WASI is all it needs. */
export function adviceOnImports(entries: readonly ImportEntry[]): string | undefined {
  if (needsMemoryGrowth(entries)) return undefined;
  const foreign = entries.filter(({ module }) => !WASI_NAMESPACES.has(module));
  return TOOLCHAINS.find(({ knows }) => foreign.some(knows))?.advice;
}
