import { usePlatform } from "../../src/platform.js";
import { browserPlatform } from "./platform.js";

usePlatform(browserPlatform);

export * from "../../src/index.js";
// In place of those of the same name: with threads.
export { run, Supervisor, start } from "./processes.js";
