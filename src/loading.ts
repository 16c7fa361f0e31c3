/**
 * What `Module` loads when it is first needed, as one file for bundlers: sources that take loading, text, limits, containers. An
 * app that has its module's bytes can do without.
 */
export { unpack } from "./binary/container.js";
export { rewriteHead } from "./binary/rewrite.js";
export { fail, load } from "./source.js";
export { assemble } from "./wat.js";
