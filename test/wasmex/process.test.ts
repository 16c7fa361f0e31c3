import { describe } from "vitest";
import * as Wasmex from "wasmex";
import { thread } from "../support/index.js";
import { wasmexSuite } from "./suite.js";

describe(`Wasmex 0.7 over start, ${thread}`, () => {
  wasmexSuite(async (bytes, imports) => Wasmex.start({ bytes, imports, thread }));
});
