/** What tests share in every surrounding: Node, and the pages of the browser harness. */
export { fixture, fixtureBytes } from "./fixture.js";
export { inNode, thread } from "./thread.js";
export { wat } from "./wat.js";
