import { ExitError } from "../errors.js";
import { ERRNO_FAULT, ERRNO_INVAL, ERRNO_NOTSOCK, ERRNO_NOTSUP } from "../vfs/errno.js";
import type { Call, Functions } from "./functions.js";
import type { Guest } from "./guest.js";
import { CLOCK_LAST, TWO_32 } from "./numbers.js";

/** What browsers round their clocks to on an ordinary page is coarser, on an isolated one finer. */
const RESOLUTION_NANOSECONDS = 1000;
const LAST_SIGNAL = 30;
const TWO_23 = 2 ** 23;

/** What surrounds a guest but files: arguments, environment, clocks, random bytes, its own end, and sockets, of which there are none. */
export function surroundingsFunctions(guest: Guest): Functions {
  const { sources, args, env } = guest;

  /** Strings that end in a NUL, one after the other. */
  const get = (strings: readonly Uint8Array[]): Call => [
    (pointersAt: number, bufferAt: number) => {
      const pointers = pointersAt >>> 0;
      const buffer = bufferAt >>> 0;
      if (!guest.has(pointers, strings.length * 4) || !guest.has(buffer, total(strings))) return -ERRNO_FAULT;
      let at = buffer;
      for (const [index, string] of strings.entries()) {
        guest.setU32(pointers + index * 4, at);
        guest.bytes.set(string, at);
        at += string.length;
      }
      return 0;
    },
  ];
  const sizes = (strings: readonly Uint8Array[]): Call => [
    (countAt: number) => {
      if (!guest.has(countAt >>> 0, 4)) return -ERRNO_FAULT;
      guest.setU32(countAt >>> 0, strings.length);
      return total(strings);
    },
    4,
  ];
  const socket: Call = [() => 0, 0, 0, 0, ERRNO_NOTSOCK, ERRNO_NOTSOCK, ERRNO_NOTSOCK];

  return {
    args_get: get(args),
    args_sizes_get: sizes(args),
    environ_get: get(env),
    environ_sizes_get: sizes(env),

    clock_res_get: [(id: number) => (id >>> 0 > CLOCK_LAST ? -ERRNO_INVAL : RESOLUTION_NANOSECONDS), 8],

    clock_time_get: [
      (id: number, _precision: bigint, result: number) => {
        const at = result >>> 0;
        if (id >>> 0 > CLOCK_LAST) return -ERRNO_INVAL;
        const time = sources.time(id);
        // An injected clock may have run other code.
        if (!guest.has(at, 8)) return -ERRNO_FAULT;
        const { view } = guest;
        if (typeof time === "bigint") {
          view.setBigUint64(at, time, true);
          return 0;
        }
        // Nanoseconds since 1970 are past 2^53, but not their 512th part: 1e9 is 512 times 1,953,125.
        const seconds = Math.floor(time / 1000);
        const upper = seconds * 1_953_125;
        const high = Math.floor(upper / TWO_23);
        const low = (upper - high * TWO_23) * 512 + Math.round((time - seconds * 1000) * 1e6);
        view.setUint32(at, low, true);
        view.setUint32(at + 4, low < TWO_32 ? high : high + 1, true);
        return 0;
      },
    ],

    random_get: [
      (buffer: number, length: number) => {
        if (!guest.has(buffer >>> 0, length >>> 0)) return -ERRNO_FAULT;
        sources.random(guest.bytes, buffer >>> 0, length >>> 0);
        return 0;
      },
    ],

    proc_exit: [
      (code: number): never => {
        const error = exitError(code >>> 0);
        guest.own?.add(error);
        throw error;
      },
    ],
    proc_raise: [
      // Signal 0 asks only whether signals could be sent. There is nobody else to send one to, nor a handler for it.
      (signal: number) => (signal >>> 0 > LAST_SIGNAL ? -ERRNO_INVAL : signal === 0 ? 0 : -ERRNO_NOTSUP),
    ],
    sched_yield: [() => 0],

    sock_accept: socket,
    sock_recv: socket,
    sock_send: socket,
    sock_shutdown: socket,
  };
}

/** What unwinds the guest, without a stack trace: that would cost more than the exit itself. */
function exitError(code: number): ExitError {
  const limit: unknown = Reflect.get(Error, "stackTraceLimit");
  // Where nobody may change it there is a trace.
  Reflect.set(Error, "stackTraceLimit", 0);
  const error = new ExitError(code);
  Reflect.set(Error, "stackTraceLimit", limit);
  return error;
}

function total(strings: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const string of strings) bytes += string.length;
  return bytes;
}
