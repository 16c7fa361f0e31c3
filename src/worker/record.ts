// Of the channel between two threads. Nothing is imported here, so that esbuild puts the values where they are used.

/** Words (4 bytes) of a record. The first 64 bytes are one cache line: six values travel in it. */
export const RECORD_WORDS = 32;
/** The words of a record, from its first: kind in the low byte, which function or error it is about above. */
export const KIND = 1;
/** The number that an answer refers to. */
export const ID = 2;
/** Bytes that follow in the lane's queue, for what is too big for a record. */
export const EXTRA = 3;

// Words of the channel's header, a cache line each.
/** 1 while the worker sleeps. */
export const WORKER_SLEEPS = 0;
/** 1 while the host wants to be woken by the bell. */
export const HOST_SLEEPS = 16;
export const BELL = 32;
/** How many records of the answers' ring the worker has taken. */
export const ANSWERS_TAKEN = 48;
/** 1 once the host has stopped the process. */
export const STOPPED = 49;
export const HEADER_WORDS = 64;

/** Records in each ring; powers of two. */
export const CALLS = 64;
export const ANSWERS = 16;
export const REPLIES = 128;

/** Calls that may be under way at once, so that neither their ring nor that of the replies overflows: the host keeps the rest. */
export const CALL_WINDOW = 48;
/** The same for what goes to a guest that waits in a host call. */
export const ANSWER_WINDOW = ANSWERS;

export const CALLS_AT = HEADER_WORDS;
export const ANSWERS_AT = CALLS_AT + CALLS * RECORD_WORDS;
export const REPLIES_AT = ANSWERS_AT + ANSWERS * RECORD_WORDS;
export const CHANNEL_BYTES = (REPLIES_AT + REPLIES * RECORD_WORDS) * 4;
