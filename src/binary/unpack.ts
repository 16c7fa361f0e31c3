import { CompileError } from "../errors.js";
import { strict } from "../text.js";
import { DIGEST, MAGIC, NAME_AT, NO_NAME, VERSION } from "./container.js";
import { digest } from "./digest.js";

function startsWith(bytes: Uint8Array, characters: string): boolean {
  return Array.from(characters).every((character, at) => character.charCodeAt(0) === bytes[at]);
}

/** Whether `bytes` begin as a container of any version does. */
export function isContainer(bytes: Uint8Array): boolean {
  return startsWith(bytes, MAGIC);
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
  const length = view.getInt32(NAME_AT - 4, true);
  const isNamed = length !== NO_NAME;
  const moduleAt = isNamed ? NAME_AT + length : NAME_AT;
  return {
    module: container.subarray(moduleAt, end),
    name: isNamed ? strict.decode(container.subarray(NAME_AT, moduleAt)) : undefined,
  };
}
