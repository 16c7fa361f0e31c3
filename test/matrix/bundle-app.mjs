// Builds an app as the bundler's own documentation begins: its defaults, no plugin but what resolves packages.
//   node bundle-app.mjs BUNDLER TOOLS APP      TOOLS is the bundler's node_modules; the result lies in APP/out
import { spawnSync } from "node:child_process";
import { cp } from "node:fs/promises";
import { createRequire } from "node:module";

const [bundler = "", tools = "", app = ""] = process.argv.slice(2);
const load = createRequire(`${tools}/`);
const out = `${app}/out`;

/** A package of the tools that is an ES module. @param {string} name */
const importTool = (name) => import(load.resolve(name));

/** @type {Record<string, () => Promise<void>>} */
const builders = {
  async esbuild() {
    const { build } = await importTool("esbuild");
    const entry = { entryPoints: [`${app}/main.js`], outdir: out };
    await build({ ...entry, bundle: true, splitting: true, format: "esm", minify: true });
    await cp(`${app}/index.html`, `${out}/index.html`);
  },
  async Vite() {
    const { build } = await importTool("vite");
    await build({ root: app, logLevel: "warn", build: { outDir: out } });
  },
  async webpack() {
    const webpack = load("webpack");
    const config = { mode: "production", context: app, entry: "./main.js", output: { path: out } };
    await new Promise((resolve, reject) => {
      webpack(config, (/** @type {any} */ error, /** @type {any} */ stats) => {
        if (error) reject(error);
        else if (stats.hasErrors() || stats.compilation.warnings.some(isOurs)) {
          reject(new Error(stats.toString({ all: false, errors: true, warnings: true })));
        } else resolve(undefined);
      });
    });
    await cp(`${app}/index.html`, `${out}/index.html`);
  },
  async Rollup() {
    const { rollup } = await importTool("rollup");
    const { default: nodeResolve } = await importTool("@rollup/plugin-node-resolve");
    const bundle = await rollup({
      input: `${app}/main.js`,
      plugins: [nodeResolve({ browser: true })],
      onwarn(/** @type {any} */ warning) {
        throw new Error(warning.message);
      },
    });
    await bundle.write({ dir: out, format: "es" });
    await bundle.close();
    await cp(`${app}/index.html`, `${out}/index.html`);
  },
  async Parcel() {
    const args = ["build", `${app}/index.html`, "--dist-dir", out, "--no-cache", "--public-url", "./"];
    const { status, stdout, stderr } = spawnSync(`${tools}/.bin/parcel`, args, {
      cwd: app,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stdout + stderr);
  },
};

/** Warnings about sizes are for the app to judge. @param {{ name?: string, message: string }} warning */
function isOurs(warning) {
  return !/size limit|performance recommendations/i.test(warning.message);
}

const build = builders[bundler];
if (build === undefined) throw new Error(`no bundler ${JSON.stringify(bundler)}`);
await build();
