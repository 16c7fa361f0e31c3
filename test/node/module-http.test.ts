import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CompileError, Module, type Progress } from "wasmex";
import { binary, custom, section, vec } from "../binary/build.js";

const MODULE = binary(
  section(5, vec([0, 1])),
  section(7, vec(["memory", 2, 0])),
  custom("pad", ...new Array(5000).fill(7)),
);
const WASM = { "content-type": "application/wasm" };

const routes: Record<string, RequestListener> = {
  "/plain.wasm": (_, response) =>
    response.writeHead(200, { ...WASM, "content-length": MODULE.length }).end(MODULE),
  "/gzip.wasm": (_, response) => {
    const packed = gzipSync(MODULE);
    response
      .writeHead(200, { ...WASM, "content-encoding": "gzip", "content-length": packed.length })
      .end(packed);
  },
  "/cut.wasm": (_, response) => {
    response.writeHead(200, { ...WASM, "content-length": MODULE.length });
    response.write(MODULE.subarray(0, 100), () => response.destroy());
  },
  "/octets.wasm": (_, response) =>
    response.writeHead(200, { "content-type": "application/octet-stream" }).end(MODULE),
  "/page.wasm": (_, response) =>
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>"),
  "/error.wasm": (_, response) =>
    response.writeHead(503, "Out to Lunch", { "content-type": "text/html" }).end("<p>"),
  "/never.wasm": (_, response) => {
    response.writeHead(200, WASM);
    response.write(MODULE.subarray(0, 100));
  },
};

const server = createServer((request, response) => {
  const route = routes[request.url ?? ""];
  if (route === undefined) response.writeHead(404).end();
  else route(request, response);
});
const at = (path: string) => new URL(path, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe("Module.compile over HTTP", () => {
  test("Module.compile streams a URL, a Request and a fetch under way", async () => {
    for (const source of [at("/plain.wasm"), new Request(at("/plain.wasm")), fetch(at("/plain.wasm"))]) {
      expect((await Module.compile(source)).byteLength).toBe(MODULE.length);
    }
  });

  test("Module.compile tells the total of a plain response and none of a compressed one", async () => {
    const told: Progress[] = [];
    const onProgress = (progress: Progress) => void told.push(progress);
    await Module.compile(at("/plain.wasm"), { onProgress });
    expect(told.splice(0).at(-1)).toEqual({ loaded: MODULE.length, total: MODULE.length });
    expect((await Module.compile(at("/gzip.wasm"), { onProgress })).byteLength).toBe(MODULE.length);
    expect(told.at(-1)).toEqual({ loaded: MODULE.length, total: undefined });
  });

  const failures: [string, string][] = [
    ["/none.wasm", "could not load http://127.0.0.1:PORT/none.wasm: the server answered HTTP 404 Not Found"],
    [
      "/error.wasm",
      "could not load http://127.0.0.1:PORT/error.wasm: the server answered HTTP 503 Out to Lunch",
    ],
    ["/page.wasm", "http://127.0.0.1:PORT/page.wasm is an HTML page, not a WebAssembly module"],
    [
      "/octets.wasm",
      'http://127.0.0.1:PORT/octets.wasm is WebAssembly served with the MIME type "application/octet-stream"',
    ],
    ["/cut.wasm", "could not load http://127.0.0.1:PORT/cut.wasm, which broke off after 100 bytes"],
  ];
  for (const [path, message] of failures) {
    test(`Module.compile names the address and the reason for ${path}`, async () => {
      for (const source of [at(path), fetch(at(path))]) {
        const failure = await Module.compile(source).catch((error: unknown) => error as Error);
        expect(failure).toBeInstanceOf(CompileError);
        expect((failure as Error).message).toContain(message.replace("PORT", at("/").port));
      }
    });
  }

  test("Module.compile names an address that can't be reached or read", async () => {
    await expect(Module.compile(new URL("http://127.0.0.1:1/x.wasm"))).rejects.toThrow(
      "could not fetch http://127.0.0.1:1/x.wasm",
    );
    await expect(Module.compile(new URL("file:///no/such.wasm"))).rejects.toThrow(
      "could not read file:///no/such.wasm",
    );
    await expect(Module.compile(new URL("file:///no/such.wasm"))).rejects.toThrow(CompileError);
  });

  test("Module.compile gives up a download when its signal or its request's aborts", async () => {
    let onProgress = () => {};
    for (const make of [
      (signal: AbortSignal) => Module.compile(at("/never.wasm"), { signal, onProgress }),
      (signal: AbortSignal) => Module.compile(new Request(at("/never.wasm"), { signal }), { onProgress }),
      (signal: AbortSignal) => Module.compile(fetch(at("/never.wasm")), { signal, onProgress }),
    ]) {
      const controller = new AbortController();
      onProgress = () => controller.abort();
      await expect(make(controller.signal)).rejects.toMatchObject({ name: "AbortError" });
    }
  });

  test("Module.compile reads a file by its URL", async () => {
    const { mkdtemp, rm, writeFile } = await import("node:fs/promises");
    const { tmpdir } = await import("node:os");
    const folder = await mkdtemp(`${tmpdir()}/wasmex-`);
    try {
      await writeFile(`${folder}/a.wasm`, MODULE);
      await writeFile(`${folder}/a.wat`, "(module $from_file)");
      expect((await Module.compile(pathToFileURL(`${folder}/a.wasm`))).byteLength).toBe(MODULE.length);
      expect((await Module.compile(pathToFileURL(`${folder}/a.wat`))).name).toBe("from_file");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
