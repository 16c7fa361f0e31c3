import { usePlatform } from "../../src/platform.js";
import { nodePlatform } from "./platform.js";

usePlatform(nodePlatform);

export * from "../../src/index.js";
