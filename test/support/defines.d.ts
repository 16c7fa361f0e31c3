/** Put in place by the test configuration and by the browser harness. */
declare const __THREAD__: "inline" | "worker";
declare const __IN_NODE__: boolean;
