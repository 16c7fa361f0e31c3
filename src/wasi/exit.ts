/**
 * What `proc_exit` throws to unwind the guest. No `Error`: taking a stack trace would cost more than the exit itself.
 */
export class WasiExit {
  readonly code: number;

  constructor(code: number) {
    this.code = code;
  }
}
