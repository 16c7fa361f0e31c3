import { loadPart, useLoading } from "../../src/platform.js";

useLoading(() => loadPart(async () => (await import("./loading.js")).loading));

export * from "../../src/index.js";
// In place of those of the same name: with the platform. Each has a file of its own, so that an app gets no other along with it.
export { capabilities } from "./members/capabilities.js";
export { Pipe } from "./members/pipe.js";
export { run, Supervisor, start } from "./members/processes.js";
export { VirtualFileSystem } from "./members/virtual-file-system.js";
export { Wasi } from "./members/wasi.js";
