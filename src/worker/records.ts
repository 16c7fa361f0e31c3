// Kinds of records. Host to worker:
export const CALL = 1;
/** A call from inside a host function, while the guest waits for that function's result. */
export const NESTED_CALL = 2;
/** Wakes a thread that sleeps, so that it sees that the process has ended: an engine lets it be for seconds, and its memory with it. */
export const LEAVE = 0;
export const ANSWER = 3;
export const ANSWER_FAILED = 4;

// Worker to host:
export const REPLY = 8;
/** The error in bytes; without them there was no stack left to encode it. */
export const REPLY_ERROR = 9;
/** The call ended with the host error of that number. */
export const REPLY_HOST_ERROR = 10;
/** The program exited with code 0. */
export const REPLY_EXIT = 11;
/** The number of the error that the host's taking of the output has failed with; those of host functions are smaller. */
export const OUTPUT_FAILED = 0xffffff;
/** Added to a reply's kind where it is one to a nested call. */
export const NESTED = 16;
export const HOST_CALL = 5;
/** The guest reads the host's own input. */
export const WANT_INPUT = 6;
/** The instance is made, and `_initialize` about to be called: answered once the host has its memories, which come by message. */
export const MADE = 12;
/** An operation of a file system that only the host can open. */
export const FILE_CALL = 7;
