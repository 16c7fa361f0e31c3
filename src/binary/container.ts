import { CompileError } from "../errors.js";
import { decodeUtf8 } from "./cursor.js";
import { digest } from "./digest.js";
import { concat } from "./rewrite.js";

/*
 * The container of `Module.serialize`, little-endian:
 *   "wasmex\0", version u8 | name length u32 (all ones: no name), module length u32 | name | module | digest, 16 bytes
 */
const MAGIC = Uint8Array.of(0x77, 0x61, 0x73, 0x6d, 0x65, 0x78, 0, 1);
const FIXED = 16;
const DIGEST = 16;
const NO_NAME = 0xffff_ffff;

/** Whether `bytes` begin as a container of any version does. */
export function isContainer(bytes: Uint8Array): boolean {
  for (let at = 0; at < 7; at++) if (bytes[at] !== MAGIC[at]) return false;
  return true;
}

export function pack(module: Uint8Array, name: string | undefined): Uint8Array<ArrayBuffer> {
  const encoded = new TextEncoder().encode(name ?? "");
  const container = concat([
    MAGIC,
    new Uint8Array(FIXED - MAGIC.length),
    encoded,
    module,
    new Uint8Array(DIGEST),
  ]);
  const view = new DataView(container.buffer);
  view.setUint32(8, name === undefined ? NO_NAME : encoded.length, true);
  view.setUint32(12, module.length, true);
  digest(view, container.length - DIGEST).forEach((word, index) => {
    view.setInt32(container.length - DIGEST + index * 4, word, true);
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
 * @throws CompileError for anything but what `pack` made, to the bit
 */
export function unpack(container: Uint8Array<ArrayBuffer>): Unpacked {
  if (!isContainer(container) || container.length < FIXED + DIGEST) {
    throw new CompileError("not a serialized module: pass what Module.serialize() returned, whole");
  }
  if (container[7] !== MAGIC[7]) {
    throw new CompileError(`a serialized module of another version (${container[7]}): serialize it anew`);
  }
  const view = new DataView(container.buffer, container.byteOffset, container.length);
  const announced = view.getUint32(8, true);
  const nameLength = announced === NO_NAME ? 0 : announced;
  const size = FIXED + nameLength + view.getUint32(12, true) + DIGEST;
  if (size !== container.length) {
    throw new CompileError(
      `the serialized module has ${container.length} bytes where it should have ${size}: it was cut or altered`,
    );
  }
  const end = size - DIGEST;
  if (digest(view, end).some((word, index) => word !== view.getInt32(end + index * 4, true))) {
    throw new CompileError("the serialized module was altered: its checksum does not fit");
  }
  return {
    module: container.subarray(FIXED + nameLength, end),
    name: announced === NO_NAME ? undefined : decodeUtf8(container.subarray(FIXED, FIXED + nameLength)),
  };
}
