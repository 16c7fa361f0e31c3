// Pages whose policy, frame or files are not as usual: what works there, and what is said of what doesn't.
import { fileURLToPath } from "node:url";
import { ISOLATION, serve } from "../demo/server.mjs";
import { launch, missingPrograms } from "./support/engines.mjs";
import { inEachEngine, runByItself, skipAll } from "./support/parts.mjs";
import { Inbox, runPage } from "./support/run-page.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

/** @typedef {import("./run.mjs").Outcome} Outcome */

const TEXT = `'(module (memory (export "memory") 1) (func (export "answer") (result i32) (i32.const 42)))'`;

/**
 * A page that runs the code, whose errors are the case's, and posts what comes out: a policy may forbid the driver's own way to ask.
 * @param {string} title
 * @param {string} code
 */
const pageOf = (title, code, files = "/") => `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script src="${files}wasmex.global.js"></script>
<script>
  const text = ${TEXT};
  const check = (found, wanted) => {
    if (!wanted.test(found)) throw new Error("got: " + found);
  };
  const post = (message) =>
    fetch("/report", { method: "POST", mode: "no-cors", body: JSON.stringify(message) }).catch(() => undefined);
  const answer = async (options) => {
    const guest = await Wasmex.start({ bytes: text, ...options });
    const results = [guest.thread, await guest.callFunction("answer")];
    if (crossOriginIsolated) guest.memory().writeBinary(0, "shared");
    await guest.stop();
    return results.join();
  };
  (async () => {
    const outcome = { name: ${JSON.stringify(title)}, state: "pass", milliseconds: 0 };
    try {
      ${code}
    } catch (error) {
      Object.assign(outcome, { state: "fail", message: String(error) });
    }
    await post({ type: "file", file: "", outcomes: [outcome] });
    await post({ type: "end" });
  })();
</script>`;

const SANDBOX = "a thread starts in a sandboxed frame whose origin is opaque";
const FRAMED = "/framed";

/** @type {Record<string, { title: string, headers?: Record<string, string>, page: (title: string) => string }>} */
const KINDS = {
  "/trusted-types": {
    title:
      "threads start and text is compiled where Trusted Types are required and the policy `wasmex` is allowed",
    headers: {
      ...ISOLATION,
      "content-security-policy": "require-trusted-types-for 'script'; trusted-types wasmex",
    },
    page: (title) =>
      pageOf(
        title,
        `check(await answer({}), /^worker,42$/);
        check(await answer({ workerUrl: "/worker.js" }), /^worker,42$/);`,
      ),
  },
  "/own-trusted-types": {
    title: "workerUrl may be a TrustedScriptURL of the page's own policy",
    headers: {
      ...ISOLATION,
      "content-security-policy": "require-trusted-types-for 'script'; trusted-types page",
    },
    page: (title) =>
      pageOf(
        title,
        `const rules = { createScriptURL: (url) => url };
        const workerUrl = trustedTypes.createPolicy("page", rules).createScriptURL("/worker.js");
        const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
        const guest = await Wasmex.start({ bytes, workerUrl });
        check(guest.thread, /^worker$/);
        await guest.stop();`,
      ),
  },
  "/other-script": {
    title: "a workerUrl of another script is told of, in time",
    headers: ISOLATION,
    page: (title) =>
      pageOf(
        title,
        `const { setTimeout } = globalThis;
        globalThis.setTimeout = (run, after) => setTimeout(run, after === 30_000 ? 500 : after);
        check(await answer({ workerUrl: "/worker.js" }), /^worker,42$/);
        const error = await answer({ workerUrl: "/isolation.js" }).catch((error) => error);
        check(error.message, /could not be loaded from \\/isolation\\.js: workerUrl has to be/);`,
      ),
  },
  "/sandbox": {
    title: SANDBOX,
    headers: ISOLATION,
    page: () => `<!doctype html><iframe sandbox="allow-scripts" src="${FRAMED}"></iframe>`,
  },
  [FRAMED]: {
    title: SANDBOX,
    headers: { ...ISOLATION, "cross-origin-resource-policy": "cross-origin" },
    page: (title) => pageOf(title, `check(await answer({ thread: "worker" }), /^worker,42$/);`),
  },
  "/no-parser": {
    title: "text without wabt.js beside the script says where it was looked for",
    page: (title) =>
      pageOf(
        title,
        `const error = await Wasmex.Module.compile(text).catch((error) => error);
        check(error.message, /put wabt\\.js beside wasmex\\.global\\.js: .*\\/bare\\/wabt\\.js/);`,
        "/bare/",
      ),
  },
  "/no-part": {
    title: "a part of the package that is gone from the server is told of",
    page: (title) =>
      pageOf(
        title,
        `const { start, WasmexError } = await import("/gone/platform/browser/index.js");
        const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
        const error = await start({ bytes, thread: "inline" }).catch((error) => error);
        check(String(error), /^WasmexError: a part of wasmex could not be loaded .*: reload/);
        check(String([error instanceof WasmexError, error.cause instanceof TypeError]), /^true,true$/);`,
      ),
  },
  "/no-webassembly": {
    title: "text where a policy forbids WebAssembly names the policy",
    headers: { "content-security-policy": "script-src 'self' 'unsafe-inline'" },
    page: (title) =>
      pageOf(
        title,
        `const error = await Wasmex.Module.compile(text).catch((error) => error);
        check(error.message, /parser could not be loaded: .*(Content Security Policy|CSP|unsafe-eval)/);`,
      ),
  },
};

/**
 * @param {import("./support/engines.mjs").EngineName} name
 * @returns {Promise<Outcome[]>}
 */
async function checkEngine(name) {
  const kinds = Object.entries(KINDS).filter(([path]) => path !== FRAMED);
  const missing = missingPrograms(name);
  if (missing.length > 0) {
    const titles = kinds.map(([, { title }]) => title);
    return skipAll(titles, `${missing.join(", ")} not installed`);
  }
  const inbox = new Inbox();
  const server = await serve({
    folders: { "/": `${root}dist`, "/bare/": `${root}dist`, "/gone/": `${root}dist/modules` },
    headers: { ...ISOLATION, "access-control-allow-origin": "*" },
    handle(request, response) {
      const path = request.url ?? "";
      if (path === "/bare/wabt.js" || path === "/gone/src/inline.js") {
        response.writeHead(404).end();
        return true;
      }
      const kind = KINDS[path];
      if (kind === undefined) return inbox.handle(request, response);
      const headers = { ...kind.headers, "content-type": "text/html; charset=utf-8" };
      response.writeHead(200, headers).end(kind.page(kind.title));
      return true;
    },
  });
  /** @type {Outcome[]} */
  const outcomes = [];
  const engine = await launch(name, { isolated: true });
  try {
    const page = await engine.newPage();
    for (const [path] of kinds) {
      const start = performance.now();
      for (const outcome of await runPage(page, inbox, server.url + path)) {
        outcomes.push({ ...outcome, milliseconds: performance.now() - start });
      }
    }
  } finally {
    await engine.close();
    await server.close();
  }
  return outcomes;
}

/** @param {import("./support/parts.mjs").PartOptions} options */
export async function runPageKinds(options = {}) {
  await inEachEngine("kinds of pages", options, checkEngine);
}

await runByItself(import.meta.url, runPageKinds);
