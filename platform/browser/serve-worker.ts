import { usePlatform } from "../../src/platform.js";
import { serveThread } from "../../src/worker/server.js";
import { common } from "./common.js";

function none(): never {
  throw new TypeError("a background thread parses no text");
}

/** Makes this thread serve the host that started it. */
export function serveWorker(): void {
  usePlatform({
    ...common,
    threadSupport: () => ({ threads: false, sharedMemory: false, reason: "this is a background thread" }),
    loadWabt: none,
  });
  const receive = serveThread((message) => postMessage(message));
  addEventListener("message", (event) => receive(event.data));
}
