import { usePlatform } from "../../src/platform.js";
import type { GuestWasi } from "../../src/worker/guest-wasi.js";
import type { WorkerMessage } from "../../src/worker/protocol.js";
import { serveThread } from "../../src/worker/server.js";
import { isFile } from "./code-url.js";
import { common } from "./common.js";

/** Makes this thread serve the host that started it. Guests with WASI need `guestWasi`. */
export function serveWorker(guestWasi?: GuestWasi): void {
  usePlatform({
    ...common,
    threadSupport: () => ({ threads: false, sharedMemory: false, reason: "" }),
    // Text is parsed by the host.
    loadWabt: async () => undefined,
  });
  // Who named the script waits to hear that it is this one; the package knows its own.
  if (isFile(location.href)) postMessage({ kind: "here" } satisfies WorkerMessage);
  const receive = serveThread((message) => postMessage(message), guestWasi);
  addEventListener("message", (event) => receive(event.data));
}
