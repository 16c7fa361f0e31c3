import { CompileError } from "../errors.js";
import { concat, decodeUtf8 } from "./cursor.js";
import { digest } from "./digest.js";
import { startsWith } from "./sections.js";

/*
 * The container of `Module.serialize` (and, with another magic, of a file system's snapshot): "wasmex\0", version u8 | length of the name u32 (all ones: no name) | name | module |
 * digest of all before it, 16 bytes; little-endian. The digest takes in the length, so a cut shows like any other change.
 */
const MAGIC = "wasmex\0";
const VERSION = 1;
const NAME_AT = 12;
const DIGEST = 16;
const NO_NAME = 0xffff_ffff;

/** Whether `bytes` begin as a container of any version does. */
export function isContainer(bytes: Uint8Array): boolean {
  return startsWith(bytes, MAGIC);
}

/** @param magic 7 characters that tell what is in it */
export function pack(
  parts: readonly Uint8Array[],
  name: string | undefined,
  magic = MAGIC,
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const encoded = encoder.encode(name ?? "");
  const container = concat([
    encoder.encode(magic),
    new Uint8Array(NAME_AT - MAGIC.length),
    encoded,
    ...parts,
    new Uint8Array(DIGEST),
  ]);
  container[MAGIC.length] = VERSION;
  const view = new DataView(container.buffer);
  view.setUint32(NAME_AT - 4, name === undefined ? NO_NAME : encoded.length, true);
  const end = container.length - DIGEST;
  digest(view, end).forEach((word, index) => {
    view.setInt32(end + index * 4, word, true);
  });
  return container;
}

export interface Unpacked {
  /** A view of the container. */
  readonly module: Uint8Array<ArrayBuffer>;
  readonly name: string | undefined;
}

/**
 * @param container nobody else may be able to change it meanwhile
 * @param maker by what such a container is made
 * @throws CompileError for anything but what `pack` made, to the bit
 */
export function unpack(
  container: Uint8Array<ArrayBuffer>,
  magic = MAGIC,
  maker = "Module.serialize()",
): Unpacked {
  const end = container.length - DIGEST;
  if (!startsWith(container, magic) || end < NAME_AT) {
    const what = magic === MAGIC ? "not a serialized module: " : "";
    throw new CompileError(`${what}pass what ${maker} returned, whole`);
  }
  const view = new DataView(container.buffer, container.byteOffset, container.length);
  if (digest(view, end).some((word, index) => word !== view.getInt32(end + index * 4, true))) {
    throw new CompileError(`what ${maker} returned was cut or altered: its checksum does not fit`);
  }
  const version = container[MAGIC.length];
  if (version !== VERSION) {
    throw new CompileError(`${maker} of version ${version} made it, this is ${VERSION}: make it anew`);
  }
  const length = view.getUint32(NAME_AT - 4, true);
  const isNamed = length !== NO_NAME;
  const moduleAt = isNamed ? NAME_AT + length : NAME_AT;
  return {
    module: container.subarray(moduleAt, end),
    name: isNamed ? decodeUtf8(container.subarray(NAME_AT, moduleAt)) : undefined,
  };
}
