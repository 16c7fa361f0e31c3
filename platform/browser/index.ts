import { useLoading } from "../../src/platform.js";

useLoading(async () => (await import("./loading.js")).loading);

export * from "../../src/index.js";
// In place of those of the same name: with the platform.
export { capabilities, Pipe, run, Supervisor, start, VirtualFileSystem, Wasi } from "./members.js";
