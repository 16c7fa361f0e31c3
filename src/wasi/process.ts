import { ERRNO_BADF, ERRNO_INVAL, ERRNO_NOTSOCK, ERRNO_NOTSUP } from "../vfs/errno.js";
import { WasiExit } from "./exit.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";

const LAST_SIGNAL = 30;

/** proc_exit, proc_raise and sched_yield. */
export function processFunctions(): Functions {
  return {
    proc_exit(code: number): never {
      throw new WasiExit(code >>> 0);
    },
    proc_raise(signal: number) {
      if (signal >>> 0 > LAST_SIGNAL) return ERRNO_INVAL;
      // Signal 0 asks only whether signals could be sent. There is nobody else to send one to, nor a handler for it.
      return signal === 0 ? 0 : ERRNO_NOTSUP;
    },
    sched_yield: () => 0,
  };
}

/** sock_accept, sock_recv, sock_send and sock_shutdown, where there are no sockets. */
export function socketFunctions(guest: Guest): Functions {
  const refuse = (fd: number): number =>
    guest.descriptor(fd >>> 0) === undefined ? ERRNO_BADF : ERRNO_NOTSOCK;
  return { sock_accept: refuse, sock_recv: refuse, sock_send: refuse, sock_shutdown: refuse };
}
