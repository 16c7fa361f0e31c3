// What a page does with wasmex from a script tag: globalThis.Wasmex is all that it needs.
const $ = (id) => document.getElementById(id);

const EXAMPLES = {
  wat: `(module
  (import "env" "print" (func $print (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "Hello from WebAssembly text!")

  (func (export "sum") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))

  ;; What "Run" calls.
  (func (export "main") (result i32)
    (call $print (i32.const 16) (i32.const 28))
    (i32.store (i32.const 0) (i32.const 42))
    (i32.load (i32.const 0))))
`,
  ts: `interface Guest {
  readonly name: string;
  readonly threads?: number;
}

const greet = ({ name, threads = 1 }: Guest): string =>
  \`Hello, \${name}, on \${threads} thread\${threads === 1 ? "" : "s"}\`;

enum Colour { Red, Green = "green".length }
console.log(greet({ name: "TypeScript" }), Colour.Green satisfies number);
`,
};

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
let esbuild;

/** Fetches and compiles the 20 MB once, and says how far it is. */
function loadEsbuild() {
  esbuild ??= Wasmex.Module.compile(new URL("programs/esbuild.wasm", location.href), {
    onProgress({ loaded, total }) {
      $("progress").hidden = false;
      if (total) [$("progress").max, $("progress").value] = [total, loaded];
      $("status").textContent =
        loaded === total
          ? `esbuild: all ${megabytes(loaded)} MB are here, compiling`
          : `esbuild: ${megabytes(loaded)} of ${total ? megabytes(total) : "?"} MB loaded`;
    },
  });
  // Another press tries anew.
  esbuild.catch(() => (esbuild = undefined));
  return esbuild;
}

function show(module, process) {
  for (const [name, type] of Object.entries(module.exports)) {
    const item = document.createElement("li");
    const signature =
      type.kind === "function"
        ? ` (${type.parameters.join(", ")}) → [${type.results.join(", ")}]`
        : `: ${type.kind}`;
    item.textContent = name + signature;
    $("exports").append(item);
  }
  if (!Object.values(module.exports).some(({ kind }) => kind === "memory")) return;
  const memory = process.memory("uint8");
  const bytes = memory.readBinary(0, Math.min(memory.length, 1 << 20));
  // The first rows that hold anything.
  const start =
    Math.max(
      0,
      bytes.findIndex((byte) => byte !== 0),
    ) & ~15;
  const lines = [`${memory.length.toLocaleString("en")} bytes`];
  for (let at = start; at < Math.min(bytes.length, start + 256); at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = row.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex}  ${text}`);
  }
  $("memory").value = lines.join("\n");
}

async function runText(source) {
  const module = await Wasmex.Module.compile(source);
  const print = Wasmex.fn(["i32", "i32"], [], ({ memory }, at, length) => {
    $("output").value += `${memory.readString(at, length)}\n`;
  });
  const process = await Wasmex.start({ module, imports: { env: { print } } });
  try {
    const entry = ["main", "run", "_start"].find((name) => process.functionExists(name));
    if (entry) {
      const results = await process.callFunction(entry);
      $("output").value += `${entry}() = [${results.join(", ")}]\n`;
    }
    show(module, process);
  } finally {
    await process.stop();
  }
}

async function runTypeScript(source) {
  const module = await loadEsbuild();
  $("status").textContent = "esbuild runs";
  const [stdin, stdout, stderr] = [new Wasmex.Pipe(), new Wasmex.Pipe(), new Wasmex.Pipe()];
  stdin.write(source);
  stdin.end();
  const process = await Wasmex.start({
    module,
    wasi: { programName: "esbuild", args: ["--loader=ts"], stdin, stdout, stderr },
  });
  try {
    await process.callFunction("_start", [], 60_000);
  } catch (error) {
    if (!(error instanceof Wasmex.ExitError)) throw error;
  } finally {
    $("output").value = stdout.readString() + stderr.readString();
    show(module, process);
    await process.stop();
  }
}

async function run() {
  $("run").disabled = true;
  $("exports").replaceChildren();
  $("output").value = $("memory").value = "";
  $("status").textContent = "Compiling";
  const begun = performance.now();
  try {
    await ($("language").value === "ts" ? runTypeScript : runText)($("source").value);
    const { thread } = Wasmex.capabilities();
    $("status").textContent =
      `Done in ${(performance.now() - begun).toFixed(0)} ms, ${thread === "worker" ? "on a thread of its own" : "on this page's thread"}.`;
  } catch (error) {
    $("status").textContent = "That did not work.";
    $("output").value += `${error.name}: ${error.message}\n`;
  } finally {
    $("progress").hidden = true;
    $("run").disabled = false;
  }
}

const drafts = { ...EXAMPLES };
let language = "wat";
$("source").value = drafts.wat;
$("language").addEventListener("change", () => {
  drafts[language] = $("source").value;
  language = $("language").value;
  $("source").value = drafts[language];
});
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  void run();
});
$("source").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("form").requestSubmit();
});
