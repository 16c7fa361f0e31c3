import { ERRNO_FAULT } from "../vfs/errno.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";

/** random_get. */
export function randomFunctions(guest: Guest): Functions {
  const { sources } = guest;
  return {
    random_get(buffer: number, length: number) {
      try {
        const start = buffer >>> 0;
        const size = length >>> 0;
        if (!guest.has(start, size)) return ERRNO_FAULT;
        sources.random(guest.bytes, start, size);
        return 0;
      } catch (error) {
        return guest.caught(error);
      }
    },
  };
}
