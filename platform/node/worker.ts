// What a background thread runs.
import { parentPort } from "node:worker_threads";
import { usePlatform } from "../../src/platform.js";
import { guestWasi } from "../../src/worker/guest-wasi.js";
import { serveThread } from "../../src/worker/server.js";
import { common } from "./common.js";

function none(): never {
  throw new TypeError("a background thread parses no text");
}

usePlatform({
  ...common,
  threadSupport: () => ({ threads: false, sharedMemory: true, reason: "this is a background thread" }),
  loadWabt: none,
});

const port = parentPort;
if (port !== null)
  port.on(
    "message",
    serveThread((message) => port.postMessage(message), guestWasi),
  );
