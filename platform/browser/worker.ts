// What a background thread runs.
import { guestWasi } from "../../src/worker/guest-wasi.js";
import { serveWorker } from "./serve-worker.js";

serveWorker(guestWasi);
