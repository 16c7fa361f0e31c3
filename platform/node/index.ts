import { useLoading, usePlatform, useThreads } from "../../src/platform.js";
import { nodePlatform } from "./platform.js";
import { spawnThread } from "./threads.js";

usePlatform(nodePlatform);
useThreads(spawnThread);
useLoading(() => import("../../src/compile.js"));

export * from "../../src/index.js";
