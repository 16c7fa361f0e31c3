// What a background thread runs whose guest has no WASI: less code is read sooner.
import { serveWorker } from "./serve-worker.js";

serveWorker();
