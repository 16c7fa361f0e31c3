// What the folders promise: imports point one way, files stay short.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const LONGEST = 410;

/** @param {string} folder */
function sources(folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(ts|mts|mjs)$/.test(file) && !/(^|\/)(fixtures|node_modules)\//.test(file))
    .map((file) => `${folder}/${file}`);
}

/** The layers of `src`, lowest first: a file imports from its own layer or a lower one. @type {RegExp[]} */
const LAYERS = [
  /^src\/(errors|overflow|values|shape|platform|text|elements)\b/,
  /^src\/(memory|pipe|binary|source|wat)\b/,
  /^src\/vfs\b/,
  /^src\/wasi\b/,
  /^src\/(module|compile|imports|fn|link-check|calls|host-calls|instance|traps)\b/,
  /^src\/worker\b/,
  /^src\/(process|supervisor|start|run|capabilities|inline|suspending|typed-exports)\b/,
  /^src\/index\b/,
];

/** What is named nowhere stands with the instance. */
const DEFAULT_LAYER = 4;

/** @param {string} file */
function layerOf(file) {
  const found = LAYERS.findIndex((layer) => layer.test(file));
  return found < 0 ? DEFAULT_LAYER : found;
}

/**
 * What a file imports at run time; types alone may point anywhere within `src`.
 * @param {string} file
 */
function importsOf(file) {
  const text = readFileSync(join(root, file), "utf8");
  const found = [];
  for (const match of text.matchAll(
    /(?:^|\n)\s*(import|export)\s+(type\s+)?[^;"']*?from\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)|(?:^|\n)import\s+"([^"]+)"/g,
  )) {
    const specifier = match[3] ?? match[4] ?? match[5] ?? "";
    const target = specifier.startsWith(".")
      ? normalize(join(dirname(file), specifier)).replace(/\.js$/, "")
      : specifier;
    found.push({ target, typeOnly: match[2] !== undefined, lazy: match[4] !== undefined });
  }
  return found;
}

/**
 * @param {string} file
 * @param {{ target: string, typeOnly: boolean, lazy: boolean }} imported
 */
function problem(file, { target, typeOnly, lazy }) {
  const inSource = file.startsWith("src/");
  if (
    inSource &&
    !target.startsWith("src/") &&
    !target.startsWith("wasmex:") &&
    !(typeOnly || target === "@bjorn3/browser_wasi_shim")
  ) {
    return `${file} imports ${target}: the core imports only itself`;
  }
  if (inSource && target.startsWith("src/") && !typeOnly && !lazy && layerOf(target) > layerOf(file)) {
    return `${file} imports ${target}, which stands above it`;
  }
  if (file.startsWith("platform/node/") && target.startsWith("platform/browser/")) {
    return `${file} imports ${target}: Node and browsers never import each other`;
  }
  if (
    file.startsWith("platform/browser/") &&
    (target.startsWith("platform/node/") || target.startsWith("node:"))
  ) {
    return `${file} imports ${target}: Node and browsers never import each other`;
  }
  if (file.startsWith("demo/") && /^(src|platform)\//.test(target)) {
    return `${file} imports ${target}: the demo imports the package by its name`;
  }
  if (/^e2e\/(cases|page)/.test(file) && /^(src|platform)\//.test(target)) {
    return `${file} imports ${target}: the cases import the package by its name`;
  }
  return undefined;
}

/** Answers what points the wrong way, one line each. */
export function checkImports() {
  const files = ["src", "platform", "e2e", "demo"].flatMap(sources);
  const problems = files.flatMap((file) => importsOf(file).map((imported) => problem(file, imported)));
  return problems.filter((text) => text !== undefined).join("\n");
}

/** Answers which files are too long, one line each; tables say so in their name. */
export function checkLengths() {
  return ["src", "platform", "e2e", "demo"]
    .flatMap(sources)
    .filter((file) => !/(table|functions|globals)[^/]*\.(d\.)?ts$/.test(file))
    .map((file) => ({ file, lines: readFileSync(join(root, file), "utf8").split("\n").length }))
    .filter(({ lines }) => lines > LONGEST)
    .map(({ file, lines }) => `${file} has ${lines} lines; ${LONGEST} are the most`)
    .join("\n");
}
