import type { Result } from "../vfs/contract.js";
import { ERRNO_FAULT, ERRNO_NOTDIR } from "../vfs/errno.js";
import type { Guest } from "./guest.js";

// biome-ignore lint/suspicious/noExplicitAny: 46 signatures in one table; `signatures.ts` has what a module may declare
type Parameter = any;

/** A function as the engine calls it: 32-bit parameters come as signed numbers, 64-bit ones as bigints. It answers an errno. */
export type Import = (...parameters: Parameter[]) => number;

/** What a function does: it gets the parameters as they are (`>>> 0` makes pointers of them), and answers a value or a negated errno. */
export type Body = (...parameters: Parameter[]) => Result;

/**
 * A function and what is the same for nearly all of them. The parameter after the last one that the body declares says where
 * its result goes, `size` bytes wide: 4 and 8 are the value that the body answers, more is the guest's filestat. `rights` and what follows it are for `Guest.check`: where they are given, the first parameter is a
 * descriptor, and the body gets the open one.
 */
export type Call = readonly [
  body: Body,
  size?: number,
  rights?: number,
  access?: number,
  directory?: number,
  stream?: number,
  file?: number,
];

/** The functions of one family by their spec names. */
export interface Functions {
  readonly [name: string]: Call;
}

/** A function whose first parameter is a directory with that right. */
export function inDirectory(rights: number, body: Body, size = 0): Call {
  return [body, size, rights, 0, 0, ERRNO_NOTDIR, ERRNO_NOTDIR];
}

/** The import of a function: everything that is thrown ends here, and so does all that the function has begun. */
export function importOf(guest: Guest, call: Call): Import {
  const [body, size = 0, rights, access = 0, directory = 0, stream = 0, file = 0] = call;
  const { entries } = guest.table;
  if (size === 0 && rights === undefined && body.length <= 4) {
    // The same for what has no result to store and no descriptor to check, without a list of parameters: clocks and random bytes are
    // asked for often.
    return (first, second, third, fourth) => {
      try {
        const result = body(first, second, third, fourth);
        guest.end();
        return result < 0 ? -result : 0;
      } catch (error) {
        guest.broken = true;
        return guest.caught(error);
      }
    };
  }
  const place = body.length - 1;
  return (first, ...rest) => {
    try {
      if (guest.broken) guest.mend();
      const at = size === 0 ? 0 : rest[place] >>> 0;
      if (!guest.has(at, size)) return ERRNO_FAULT;
      let subject = first;
      if (rights !== undefined) {
        const error = guest.check(first >>> 0, rights, access, directory, stream, file);
        if (error !== 0) return -error;
        subject = entries[first >>> 0];
      }
      const result = body(subject, ...rest);
      guest.end();
      if (result < 0) return -result;
      if (size === 4) guest.setU32(at, result);
      else if (size === 8) guest.setU64(at, result);
      else if (size !== 0) guest.setFilestat(at, size);
      return 0;
    } catch (error) {
      guest.broken = true;
      return guest.caught(error);
    }
  };
}
