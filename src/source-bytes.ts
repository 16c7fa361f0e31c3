/** Sources whose bytes are in hand. */
import { type Image, ImageBuilder } from "./binary/image.js";
import type { Loaded, LoadOptions } from "./source.js";

/** The name of an object's class as the engine knows it, the same for objects of another realm. */
export function classOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** A view of bytes in hand; `undefined` for what is none. */
export function viewOf(source: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  const name = classOf(source);
  if (name !== "ArrayBuffer" && name !== "SharedArrayBuffer") return undefined;
  return (source as ArrayBuffer).byteLength === 0 ? new Uint8Array(0) : new Uint8Array(source as ArrayBuffer);
}

/** A copy of bytes in hand; of what is none, an empty one. */
export function imageOf(bytes: unknown): Image {
  const view = viewOf(bytes) ?? new Uint8Array(0);
  const builder = new ImageBuilder(view.length);
  builder.push(view);
  return builder.finish();
}

/** Bytes that need no loading. */
export function inHand(bytes: Uint8Array, what: string, options: LoadOptions): Loaded {
  options.onProgress?.({ loaded: bytes.length, total: bytes.length });
  return { what, image: imageOf(bytes), streamed: undefined };
}
