/** Bytes in hand. */

import { encodeText } from "./text.js";

/** Bytes kept free before a module, so that a rewritten head, which is a little longer, fits without a second copy. */
export const SLACK = 64;

/** A private copy of a module's bytes: what the giver does to its own afterwards changes nothing here. */
export interface Image {
  /** The module from `SLACK` on. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** The module as it was given. Not to be changed or handed out. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The name of an object's class as the engine knows it, the same for objects of another realm. */
export function classOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** A view of bytes in hand; `undefined` for what is none. */
export function viewOf(source: unknown): Uint8Array | undefined {
  const isView = ArrayBuffer.isView(source);
  if (!isView && !classOf(source).endsWith("ArrayBuffer")) return undefined;
  try {
    return isView
      ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
      : new Uint8Array(source as ArrayBuffer);
  } catch {
    // A detached buffer has no bytes.
    return new Uint8Array();
  }
}

/** A view of bytes in hand, or of a string as UTF-8. Throws `TypeError` for anything else. */
export function toBytes(data: unknown): Uint8Array {
  const bytes = typeof data === "string" ? encodeText(data) : viewOf(data);
  if (bytes === undefined) throw new TypeError("pass bytes or a string");
  return bytes;
}

/** A copy of bytes in hand; of what is none, an empty one. */
export function imageOf(source: unknown): Image {
  const view = viewOf(source) ?? [];
  const buffer = new Uint8Array(SLACK + view.length);
  buffer.set(view, SLACK);
  return { buffer, bytes: buffer.subarray(SLACK) };
}

/** How bytes begin, for errors. */
export function beginOf(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
