import { describe, expect, it } from "vitest";
import { fixture, thread, wat } from "./index.js";

describe("support", () => {
  it("wat compiles text to a binary", async () => {
    const bytes = await wat('(module (func (export "f") (result i32) i32.const 7))');
    expect(WebAssembly.validate(bytes)).toBe(true);
  });

  it("fixture compiles a text file", async () => {
    const { instance } = await WebAssembly.instantiate(await fixture("add.wat"));
    expect((instance.exports["add"] as (a: number, b: number) => number)(50, -8)).toBe(42);
  });

  it("thread is one of two", () => {
    expect(["inline", "worker"]).toContain(thread);
  });
});
