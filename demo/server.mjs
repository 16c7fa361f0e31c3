// A small static server for the demo and the tests: right media types, isolation headers on request, byte counts always.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";

/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".wasm": "application/wasm",
  ".wat": "text/plain; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
};

/** What makes a page cross-origin isolated, and so gives it shared memory. */
export const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/**
 * @typedef {object} ServerOptions
 * @property {Record<string, string>} folders URL prefix to folder; the longest prefix that fits is taken
 * @property {boolean} [isolated] send the headers that isolate a page
 * @property {Record<string, string>} [headers] sent with every answer
 * @property {number} [port] 0 for any that is free
 * @property {string} [host]
 * @property {(request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => boolean} [handle]
 *   asked first; answers whether it took the request
 */

/**
 * @param {string} path decoded path of the URL
 * @param {Record<string, string>} folders
 */
function locate(path, folders) {
  const prefixes = Object.keys(folders).sort((a, b) => b.length - a.length);
  for (const prefix of prefixes) {
    const folder = folders[prefix];
    if (folder !== undefined && path.startsWith(prefix)) {
      const file = normalize(join(folder, path.slice(prefix.length)));
      return file === normalize(folder) || file.startsWith(normalize(folder + sep)) ? file : undefined;
    }
  }
  return undefined;
}

/**
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 * @param {ServerOptions} options
 */
async function answer(request, response, options) {
  const headers = {
    ...(options.isolated ? ISOLATION : {}),
    "cross-origin-resource-policy": "cross-origin",
    "cache-control": "no-cache",
    ...options.headers,
  };
  const url = new URL(request.url ?? "/", "http://localhost");
  let file = locate(decodeURIComponent(url.pathname), options.folders);
  let found = file === undefined ? undefined : await stat(file).catch(() => undefined);
  if (file !== undefined && found?.isDirectory()) {
    if (!url.pathname.endsWith("/")) {
      response.writeHead(301, { ...headers, location: `${url.pathname}/${url.search}` }).end();
      return;
    }
    file = join(file, "index.html");
    found = await stat(file).catch(() => undefined);
  }
  if (file === undefined || found === undefined || !found.isFile()) {
    response
      .writeHead(404, { ...headers, "content-type": "text/plain" })
      .end(`no such file: ${url.pathname}\n`);
    return;
  }
  response.writeHead(200, {
    ...headers,
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": found.size,
  });
  if (request.method === "HEAD") {
    response.end();
  } else {
    createReadStream(file)
      .on("error", () => response.destroy())
      .pipe(response);
  }
}

/**
 * Serves until `close` is called.
 * @param {ServerOptions} options
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export function serve(options) {
  const server = createServer((request, response) => {
    if (options.handle?.(request, response)) {
      return;
    }
    answer(request, response, options).catch((error) => response.destroy(error));
  });
  const host = options.host ?? "127.0.0.1";
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, host, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      resolve({
        url: `http://localhost:${port}`,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      });
    });
  });
}
