import { encodeText } from "../text.js";
import { concat } from "./cursor.js";
import { digest } from "./digest.js";

/*
 * The container of `Module.serialize` (and, with another magic, of a file system's snapshot): "wasmex\0", version u8 | length of the name i32 (-1: no name) | name | module |
 * digest of all before it, 16 bytes; little-endian. The digest takes in the length, so a cut shows like any other change.
 */
export const MAGIC = "wasmex\0";
export const VERSION = 1;
export const NAME_AT = 12;
export const DIGEST = 16;
export const NO_NAME = -1;

/** @param magic 7 characters that tell what is in it */
export function pack(
  parts: readonly Uint8Array[],
  name: string | undefined,
  magic = MAGIC,
): Uint8Array<ArrayBuffer> {
  const encoded = encodeText(name ?? "");
  const container = concat([
    encodeText(magic),
    [VERSION, 0, 0, 0, 0],
    encoded,
    ...parts,
    new Uint8Array(DIGEST),
  ]);
  const view = new DataView(container.buffer);
  view.setInt32(NAME_AT - 4, name === undefined ? NO_NAME : encoded.length, true);
  const end = container.length - DIGEST;
  digest(view, end).forEach((word, index) => {
    view.setInt32(end + index * 4, word, true);
  });
  return container;
}
