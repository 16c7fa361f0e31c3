/** What tests share in every surrounding: Node, and the pages of the browser harness. */
export { failure } from "./failure.js";
export { fixture, fixtureBytes, packageBytes } from "./fixture.js";
export { inNode, sharedMemory, thread } from "./thread.js";
export { wat } from "./wat.js";
