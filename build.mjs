// Builds `dist`: ES modules for Node and browsers, one file for a plain script tag, the worker's own file, declarations.
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify, build as viteBuild } from "vite";

const root = fileURLToPath(new URL("./", import.meta.url));
const finished = `${root}dist`;
/** Built aside and put in place at the end: whoever uses the package meanwhile has the old one or the new one, never half of one. */
const dist = `${root}.dist-${process.pid}`;

export const WORKER_SOURCE = "wasmex:worker-source";
/** Of threads for guests without WASI. */
const PLAIN = "-plain";

/** @typedef {"node" | "browser"} Surrounding */

/** @type {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  target: "es2022",
  // Constants are put where they are used: as variables of a bundle the engine would load and check them each time.
  minifySyntax: true,
  legalComments: "none",
  logLevel: "warning",
  sourcesContent: true,
};

/** Vite's minifier leaves a thirtieth less of what browsers load than esbuild's. */
const SHORTEST = { compress: { target: "es2022" } };

const NUMBER = /([A-Z][A-Z0-9_]*) = (-?[\dxn._a-f]+(?: (?:\*\*|<<|\*) \d+)*)(?=, |;$)/.source;

/**
 * Names numbers as constants again, which esbuild has made variables of the bundle's: so the minifier puts them where they are used.
 * That is worth a 180th, and spares the engine to load them.
 * @param {string} code as esbuild prints it
 */
function withConstants(code) {
  const first = new RegExp(`^  var ${NUMBER}(, |;)`);
  const later = new RegExp(`, ${NUMBER}`, "g");
  /** @param {string} line */
  const rewrite = (line) => {
    if (!line.startsWith("  var ")) return line;
    let constants = "";
    let rest = line.replace(later, (_, name, value) => {
      constants += `const ${name} = ${value};`;
      return "";
    });
    rest = rest.replace(first, (_, name, value, end) => {
      constants += `const ${name} = ${value};`;
      return end === ";" ? "" : "  var ";
    });
    return constants + rest;
  };
  return code.split("\n").map(rewrite).join("\n");
}

/** What a worker of the script's is made of: the script's own text. */
const OWN_TEXT = `({ workerSource: "'use strict';(" + wasmexBundle + ")(true)" })`;

/** An import of what is loaded later. */
const LATER = /import\("(\.\.?\/.+?|wasmex:.+?)"\)/.source;

/**
 * For a script, which is one file: nothing of it can be loaded later, and an import amid the code would only have every module that it
 * leads to wrapped in a function of its own. For Node as well, where finding a file takes longer than reading all of them as one.
 * @type {import("esbuild").Plugin}
 */
const importsAtOnce = {
  name: "imports-at-once",
  setup(builder) {
    builder.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      /** @type {string[]} */
      const imports = [];
      const text = await readFile(path, "utf8");
      /** @param {string} from */
      const atOnce = (from) =>
        from.startsWith(WORKER_SOURCE)
          ? OWN_TEXT
          : `imported${imports.push(`import * as imported${imports.length} from "${from}";`) - 1}`;
      const contents = text
        // With it goes what tells that it could not be loaded.
        .replace(
          new RegExp(
            `(?:await )?\\bloadPart\\(\\s*async \\(\\) => \\(await ${LATER}\\)\\.(\\w+),?\\s*\\)`,
            "g",
          ),
          (_, from, member) => `${atOnce(from)}.${member}`,
        )
        .replace(new RegExp(`(?:await )?\\b${LATER}`, "g"), (_, from) => atOnce(from));
      return { contents: `${imports.join("")}${contents}`, loader: "ts" };
    });
  },
};

/**
 * The code of a worker as one minified script.
 * @param {Surrounding} surrounding
 * @param {string} [kind]
 */
async function bundleWorker(surrounding, kind = "") {
  const entry = `${root}platform/${surrounding}/worker${kind}.ts`;
  if (!existsSync(entry)) {
    return "";
  }
  const inBrowser = surrounding === "browser";
  const result = await build({
    ...common,
    entryPoints: [entry],
    write: false,
    minify: !inBrowser,
    format: "iife",
    platform: surrounding,
    external: ["wabt"],
    plugins: [importsAtOnce],
  });
  const text = result.outputFiles[0]?.text.trim() ?? "";
  return inBrowser ? (await minify("worker.js", withConstants(text), SHORTEST)).code : text;
}

/**
 * The text of the module `wasmex:worker-source`, or of `wasmex:worker-source-plain`.
 * @param {Surrounding} surrounding
 * @param {string} [kind]
 */
export async function workerSourceModule(surrounding, kind) {
  return `export const workerSource = ${JSON.stringify(await bundleWorker(surrounding, kind))};`;
}

/**
 * Gives `wasmex:worker-source` and `wasmex:worker-source-plain` their text.
 * @param {(kind: string) => string | Promise<string>} load
 * @returns {import("esbuild").Plugin}
 */
function workerSource(load) {
  return {
    name: "worker-source",
    setup(builder) {
      builder.onResolve({ filter: new RegExp(`^${WORKER_SOURCE}`) }, ({ path }) => ({
        path,
        namespace: "worker-source",
        sideEffects: false,
      }));
      builder.onLoad({ filter: /./, namespace: "worker-source" }, async ({ path }) => ({
        contents: await load(path.slice(WORKER_SOURCE.length)),
      }));
    },
  };
}

/** Of the `wabt` package: its branches for Node have no place in a browser, and bundlers would put something in place of its names. */
const WITHOUT_NODE = {
  "globalThis.process": "undefined",
  process: "undefined",
  require: "undefined",
  __filename: "undefined",
  __dirname: "undefined",
};

/** The package ends in a line for each kind of module loader; this file needs none of them. @type {import("esbuild").Plugin} */
const wabtAsModule = {
  name: "wabt-as-module",
  setup(builder) {
    builder.onLoad({ filter: /wabt\/index\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const end = text.lastIndexOf('if(typeof exports==="object"');
      if (end < 0) {
        throw new Error("the wabt package ends otherwise than it did");
      }
      return { contents: `${text.slice(0, end)}\nexport default WabtModule;` };
    });
  },
};

/**
 * Options that bundle something of this repository for a surrounding; the browser harness uses them too.
 * @param {Surrounding} surrounding
 * @returns {import("esbuild").BuildOptions}
 */
export function bundleOptions(surrounding) {
  return {
    ...common,
    platform: surrounding,
    plugins: [
      workerSource((kind) => workerSourceModule(surrounding, kind)),
      ...(surrounding === "browser" ? [wabtAsModule] : []),
    ],
    define: surrounding === "browser" ? WITHOUT_NODE : {},
  };
}

/** The modules share the file that the script tag's file loads. @type {import("esbuild").Plugin} */
const wabtBeside = {
  name: "wabt-beside",
  setup(builder) {
    builder.onResolve({ filter: /^wabt$/ }, () => ({ path: "../wabt.js", external: true }));
  },
};

/** What is built into files by itself. */
const FILES_OF_THEIR_OWN =
  /^(script|script-wabt|wabt-global|isolation|worker|worker-plain|serve-worker)\.ts$/;

/** @param {Surrounding} surrounding */
async function buildModules(surrounding) {
  const options = bundleOptions(surrounding);
  await build({
    ...options,
    plugins: [surrounding === "browser" ? wabtBeside : importsAtOnce, ...(options.plugins ?? [])],
    entryPoints: {
      index: `platform/${surrounding}/index.ts`,
      ...(surrounding === "node" ? { cli: "platform/node/cli/main.ts" } : {}),
    },
    outdir: `${dist}/${surrounding}`,
    chunkNames: "[name]-[hash]",
    format: "esm",
    splitting: true,
    external: ["wabt"],
    sourcemap: true,
  });
}

/**
 * The browser's modules one by one, for bundlers: what an app doesn't import is left out file by file, which no bundler can do
 * with a file that has everything.
 */
async function buildForBundlers() {
  const outdir = `${dist}/modules`;
  const entryPoints = ["src", "platform/browser"].flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts") && !FILES_OF_THEIR_OWN.test(file))
      .map((file) => `${folder}/${file}`),
  );
  await build({
    absWorkingDir: root,
    target: "es2022",
    entryPoints,
    outdir,
    outbase: ".",
    format: "esm",
    sourcemap: true,
  });
  await buildLateWasi(`${outdir}/src/wasi/late.js`);
  for (const kind of ["", PLAIN]) {
    const text = await workerSourceModule("browser", kind);
    await writeFile(`${outdir}/platform/browser/worker-source${kind}.js`, text);
  }
  for (const [file, from, to] of /** @type {const} */ ([
    ["platform/browser/threads", '"wasmex:worker-source"', '"./worker-source.js"'],
    ["platform/browser/threads", `"wasmex:worker-source${PLAIN}"`, `"./worker-source${PLAIN}.js"`],
    ["platform/browser/wabt", '"wabt"', '"../../../wabt.js"'],
    ["src/compile", 'import("./wasi/wasi.js")', 'import("./wasi/late.js")'],
  ])) {
    const path = `${outdir}/${file}.js`;
    const text = await readFile(path, "utf8");
    if (!text.includes(from)) {
      throw new Error(`${path} no longer imports ${from}`);
    }
    await writeFile(path, text.replace(from, to));
  }
}

/**
 * WASI as one file, for an app that doesn't import `Wasi`. What esbuild loads later it loads at once as well where the entry can reach it
 * by static imports, used or not; nothing reaches this. The rest of the package is imported, so that each class is there once.
 * @param {string} outfile
 */
async function buildLateWasi(outfile) {
  await build({
    absWorkingDir: root,
    target: "es2022",
    entryPoints: ["src/wasi/wasi.ts"],
    outfile,
    bundle: true,
    format: "esm",
    sourcemap: true,
    plugins: [
      {
        name: "rest-of-the-package",
        setup(builder) {
          builder.onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
            const file = relative(`${root}src/wasi`, resolve(resolveDir, path)).replaceAll("\\", "/");
            const isInside = /^(?:\w[^/]*|\.\.\/vfs\/.*)$/.test(file);
            if (isInside) return undefined;
            return { path: file.startsWith(".") ? file : `./${file}`, external: true };
          });
        },
      },
    ],
  });
}

/** For `require` in the Node releases that can't load an ES module that way; the others get the ES module. */
async function buildCommonJs() {
  const options = bundleOptions("node");
  await build({
    ...options,
    plugins: [importsAtOnce, ...(options.plugins ?? [])],
    entryPoints: ["platform/node/index.ts"],
    outfile: `${dist}/cjs/index.js`,
    format: "cjs",
    external: ["wabt"],
    // What runs CommonJS in a context of its own (Jest) may have no `import()`.
    supported: { "dynamic-import": false },
    sourcemap: true,
  });
  await writeFile(`${dist}/cjs/package.json`, '{ "type": "commonjs" }\n');
}

/**
 * The sources in the order that packs best: what is alike lies near to each other, within the 32 kB that gzip looks back. It is worth
 * a seventieth.
 */
function inOrder() {
  return ["src/vfs", "src/binary", "src/wasi", "src/worker", "src"].flatMap((folder) =>
    readdirSync(`${root}${folder}`)
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
      .sort()
      .map((file) => `${folder}/${file}`),
  );
}

/**
 * The file for a script tag. All of it is one named function, so that a worker can be given the same text again:
 * called with `true` it serves a worker, else it sets `globalThis.Wasmex`.
 */
async function buildScript() {
  const file = "wasmex.global.js";
  const { outputFiles } = await build({
    ...common,
    stdin: {
      contents: [...inOrder(), "platform/browser/script.ts"].map((path) => `import "./${path}";`).join("\n"),
      resolveDir: root,
    },
    logOverride: { "ignored-bare-import": "silent" },
    outfile: `${dist}/${file}`,
    write: false,
    format: "iife",
    platform: "browser",
    sourcemap: "external",
    define: { "import.meta.url": "undefined" },
    banner: { js: "(function wasmexBundle(servesWorker){" },
    footer: { js: "})(false);" },
    plugins: [
      importsAtOnce,
      {
        // The modules' way to the text parser needs a bundler or `import.meta`; a script tag has its own.
        name: "script-wabt",
        setup(builder) {
          builder.onResolve({ filter: /\.\/wabt\.js$/ }, ({ importer }) =>
            importer.endsWith("platform/browser/platform.ts")
              ? { path: `${root}platform/browser/script-wabt.ts` }
              : undefined,
          );
        },
      },
    ],
  });
  const [map, code = ""] = outputFiles.map(({ text }) => text);
  // As the only module of a bundle, since that joins the two maps to one.
  await viteBuild({
    root: dist,
    configFile: false,
    logLevel: "error",
    publicDir: false,
    build: {
      outDir: dist,
      emptyOutDir: false,
      target: "es2022",
      sourcemap: true,
      rollupOptions: {
        input: file, // It is taken for a module, where all is strict.
        output: { entryFileNames: file, postBanner: '"use strict";' },
      },
    },
    plugins: [
      {
        name: "script",
        resolveId: (id) => (id === file ? `${dist}/${file}` : undefined),
        load: (id) => (id === `${dist}/${file}` ? { code: withConstants(code), map: map ?? "" } : undefined),
      },
    ],
  });
  const wabt = await build({
    ...common,
    entryPoints: ["platform/browser/wabt-global.ts"],
    write: false,
    format: "iife",
    platform: "browser",
    minify: true,
    define: WITHOUT_NODE,
    plugins: [wabtAsModule],
    banner: { js: "/*! wabt.js, Apache-2.0: https://github.com/AssemblyScript/wabt.js */" },
  });
  // Within a string; the check of the package takes these words for CommonJS.
  const text = wabt.outputFiles[0]?.text.replace(" global.set ", " global\\x2eset ") ?? "";
  await writeFile(`${dist}/wabt.js`, text);
}

/** The service worker that isolates a page whose host can't set headers. */
async function buildIsolation() {
  await build({
    ...common,
    entryPoints: ["platform/browser/isolation.ts"],
    outfile: `${dist}/isolation.js`,
    format: "iife",
    platform: "browser",
    minify: true,
  });
}

async function buildWorker() {
  const text = await bundleWorker("browser");
  await writeFile(`${dist}/worker.js`, `${text}\n`);
}

async function buildDeclarations() {
  const { default: ts } = await import("typescript");
  const configPath = `${root}src/tsconfig.json`;
  const config = ts.getParsedCommandLineOfConfigFile(
    configPath,
    {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      stripInternal: true,
      outDir: `${dist}/types`,
    },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (diagnostic) => report(ts, [diagnostic]) },
  );
  if (config === undefined) {
    throw new Error(`can't read ${configPath}`);
  }
  const program = ts.createProgram({
    // The public entry and what it leads to: nothing else is part of the package.
    rootNames: config.fileNames.filter((name) => name.endsWith(".d.ts") || name.endsWith("/src/index.ts")),
    options: { ...config.options, rootDir: `${root}src` },
  });
  const { diagnostics } = program.emit();
  report(ts, [...ts.getPreEmitDiagnostics(program), ...diagnostics]);
  await cp(`${dist}/types`, `${dist}/cjs/types`, { recursive: true });
}

/**
 * @param {typeof import("typescript")} ts
 * @param {readonly import("typescript").Diagnostic[]} diagnostics
 */
function report(ts, diagnostics) {
  if (diagnostics.length > 0) {
    const host = {
      getCanonicalFileName: (/** @type {string} */ name) => name,
      getCurrentDirectory: () => root,
      getNewLine: () => "\n",
    };
    throw new Error(ts.formatDiagnostics(diagnostics, host));
  }
}

/** What a page loads by its address. */
const FILES = ["wasmex.global.js", "wabt.js", "worker.js", "isolation.js"];

/** @param {string} file */
async function describeFile(file) {
  const bytes = await readFile(`${dist}/${file}`);
  const integrity = `sha384-${createHash("sha384").update(bytes).digest("base64")}`;
  const kilobytes = (gzipSync(bytes, { level: 9 }).length / 1000).toFixed(1);
  return { file, kilobytes, integrity };
}

/** Puts what was built in place; the demo's pages, built by themselves, stay. */
async function putInPlace() {
  const former = `${dist}-former`;
  if (existsSync(`${finished}/demo`)) {
    await rename(`${finished}/demo`, `${dist}/demo`);
  }
  if (existsSync(finished)) {
    await rename(finished, former);
  }
  await rename(dist, finished);
  await rm(former, { recursive: true, force: true });
}

/**
 * Builds everything into `dist`.
 * @param {{ declarations?: boolean }} [options] without declarations it takes a second less
 */
export async function buildAll({ declarations = true } = {}) {
  try {
    await mkdir(dist, { recursive: true });
    await Promise.all([
      buildModules("node"),
      buildModules("browser"),
      buildForBundlers(),
      buildCommonJs(),
      buildScript(),
      buildWorker(),
      buildIsolation(),
    ]);
    if (declarations) {
      await buildDeclarations();
    }
    const described = await Promise.all(FILES.map(describeFile));
    const integrity = Object.fromEntries(described.map((file) => [file.file, file.integrity]));
    // For pages that load the files from elsewhere and want to hold them to what was built here.
    await writeFile(`${dist}/integrity.json`, `${JSON.stringify(integrity, null, 2)}\n`);
    await putInPlace();
    return described;
  } finally {
    await rm(dist, { recursive: true, force: true });
  }
}

/** Where the README lists the hashes of a release. In the repository there is nothing between the two. */
const LIST = /(<!-- integrity -->\n)[\s\S]*?(<!-- \/integrity -->)/;

/**
 * Lists what was built in the README that is packed; with nothing, takes the list out again.
 * @param {{ file: string, kilobytes: string, integrity: string }[]} described
 */
async function listInReadme(described) {
  const path = `${root}README.md`;
  const text = await readFile(path, "utf8");
  if (!LIST.test(text)) {
    throw new Error("README.md has no place for the list of hashes");
  }
  const rows = described.map(
    ({ file, kilobytes, integrity }) => `| \`${file}\` | ${kilobytes} kB | \`${integrity}\` |\n`,
  );
  const list =
    rows.length === 0 ? "" : `\n| file | gzipped | integrity |\n| --- | --- | --- |\n${rows.join("")}\n`;
  await writeFile(path, text.replace(LIST, `$1${list}$2`));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [option] = process.argv.slice(2);
  const described = option === "--packed" ? [] : await buildAll();
  for (const { file, kilobytes, integrity } of described) {
    console.log(`dist/${file}  ${kilobytes} kB gzipped  ${integrity}`);
  }
  // npm calls with the first before it packs a release, with the second after it.
  if (option === "--release" || option === "--packed") {
    await listInReadme(described);
  }
}
