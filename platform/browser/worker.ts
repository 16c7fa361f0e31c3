// What a background thread runs.
import { serveWorker } from "./serve-worker.js";

serveWorker();
