import { usePlatform } from "../../src/platform.js";
import { browserPlatform } from "./platform.js";

usePlatform(browserPlatform);

export * from "../../src/index.js";
