/** The `thread` option that this run of the suite is for. Suites that import it run once with each. */
export const thread: "inline" | "worker" = __THREAD__;

/** Whether the tests run in Node, not on a page of the browser harness. */
export const inNode: boolean = __IN_NODE__;

/** Whether memory can be shared here: not on a plain page. */
export const sharedMemory: boolean = typeof SharedArrayBuffer !== "undefined";
