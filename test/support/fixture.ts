import { wat } from "./wat.js";

/** The bytes of a file in `test/fixtures`, as they are. */
export async function fixtureBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
  if (__IN_NODE__) {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(new URL(`../fixtures/${name}`, import.meta.url)));
  }
  const response = await fetch(`/test/fixtures/${name}`);
  if (!response.ok) {
    throw new Error(`no fixture ${name}: ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

/** The binary of a module in `test/fixtures`: `name.wasm` as it is, `name.wat` compiled. */
export async function fixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await fixtureBytes(name);
  return name.endsWith(".wat") ? wat(new TextDecoder().decode(bytes)) : bytes;
}

/** The bytes of a file of an installed package, such as `@esbuild/wasi-preview1/esbuild.wasm`. */
export async function packageBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  if (__IN_NODE__) {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(new URL(`../../node_modules/${path}`, import.meta.url)));
  }
  const response = await fetch(`/node_modules/${path}`);
  if (!response.ok) {
    throw new Error(`no package file ${path}: ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
