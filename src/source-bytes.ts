/** Bytes in hand. */

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
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  const name = classOf(source);
  if (name !== "ArrayBuffer" && name !== "SharedArrayBuffer") return undefined;
  // A detached buffer has no bytes.
  return (source as ArrayBuffer).byteLength === 0 ? new Uint8Array() : new Uint8Array(source as ArrayBuffer);
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
