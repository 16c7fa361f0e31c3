import { ERRNO_FAULT, ERRNO_INVAL } from "../vfs/errno.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";
import { CLOCK_LAST } from "./sources.js";

/** What browsers round their clocks to on an ordinary page is coarser, on an isolated one finer. */
const RESOLUTION_NANOSECONDS = 1000;
const TWO_20 = 2 ** 20;
const TWO_32 = 2 ** 32;

/** clock_res_get and clock_time_get. */
export function clockFunctions(guest: Guest): Functions {
  const { sources } = guest;
  return {
    clock_res_get(id: number, result: number) {
      if (!guest.has(result >>> 0, 8)) return ERRNO_FAULT;
      if (id >>> 0 > CLOCK_LAST) return ERRNO_INVAL;
      guest.setU64(result >>> 0, RESOLUTION_NANOSECONDS);
      return 0;
    },

    clock_time_get(id: number, _precision: bigint, result: number) {
      try {
        const at = result >>> 0;
        if (!guest.has(at, 8)) return ERRNO_FAULT;
        if (id >>> 0 > CLOCK_LAST) return ERRNO_INVAL;
        const time = sources.time(id);
        // An injected clock may have run other code.
        if (!guest.has(at, 8)) return ERRNO_FAULT;
        const { view } = guest;
        if (typeof time === "bigint") {
          view.setBigUint64(at, time, true);
          return 0;
        }
        // Nanoseconds since 1970 are past 2^53: the product is taken in two parts, which doubles hold exactly.
        const milliseconds = Math.floor(time);
        const upper = Math.floor(milliseconds / TWO_20);
        const low = (milliseconds - upper * TWO_20) * 1e6 + Math.round((time - milliseconds) * 1e6);
        const high = upper * 1e6;
        const highWord = Math.floor(high / 4096);
        const rest = (high - highWord * 4096) * TWO_20 + low;
        const carry = Math.floor(rest / TWO_32);
        view.setUint32(at, rest - carry * TWO_32, true);
        view.setUint32(at + 4, highWord + carry, true);
        return 0;
      } catch (error) {
        return guest.caught(error);
      }
    },
  };
}
