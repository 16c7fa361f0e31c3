import { ERRNO_FAULT } from "../vfs/errno.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";

/** args_get, args_sizes_get, environ_get and environ_sizes_get: strings that end in a NUL, one after the other. */
export function argumentFunctions(guest: Guest): Functions {
  const sizes = (strings: readonly Uint8Array[], countAt: number, sizeAt: number): number => {
    if (!guest.has(countAt, 4) || !guest.has(sizeAt, 4)) return ERRNO_FAULT;
    guest.setU32(countAt, strings.length);
    guest.setU32(sizeAt, total(strings));
    return 0;
  };
  const get = (strings: readonly Uint8Array[], pointers: number, buffer: number): number => {
    if (!guest.has(pointers, strings.length * 4) || !guest.has(buffer, total(strings))) return ERRNO_FAULT;
    let at = buffer;
    for (const [index, string] of strings.entries()) {
      guest.setU32(pointers + index * 4, at);
      guest.bytes.set(string, at);
      at += string.length;
    }
    return 0;
  };
  return {
    args_get: (pointers, buffer) => get(guest.args, pointers >>> 0, buffer >>> 0),
    args_sizes_get: (count, size) => sizes(guest.args, count >>> 0, size >>> 0),
    environ_get: (pointers, buffer) => get(guest.env, pointers >>> 0, buffer >>> 0),
    environ_sizes_get: (count, size) => sizes(guest.env, count >>> 0, size >>> 0),
  };
}

function total(strings: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const string of strings) bytes += string.length;
  return bytes;
}
