import { describe, expect, test, vi } from "vitest";
import type * as Wasmex from "wasmex";
import { binary, custom } from "../binary/build.js";

const BYTES = binary(custom("pad", ...new Array(500).fill(7)));

describe("Module.compile", () => {
  test("Module.compile hears of its source before what compiles has been loaded", async () => {
    vi.resetModules();
    const fresh: typeof Wasmex = await import("wasmex");
    const bytes = BYTES.slice();
    const changed = fresh.Module.compile(bytes);
    const cause = new Error("no network");
    // Vitest fails a run in which a rejection was handled by nobody, or later than it came.
    const failing = fresh.Module.compile(Promise.reject(cause));
    for (let turn = 0; turn < 3; turn++) await undefined;
    bytes.fill(0);
    await expect(failing).rejects.toMatchObject({ cause });
    expect((await changed).serialize().length).toBeGreaterThan(BYTES.length);
  });

  test("Module.compile says what to install where the parser of text is not there", async () => {
    vi.resetModules();
    vi.doMock("wabt", () => {
      throw new Error("no such package");
    });
    const fresh: typeof Wasmex = await import("wasmex");
    await expect(fresh.Module.compile("(module)")).rejects.toThrow(
      /install the package "wabt"; or pass a binary/,
    );
    vi.doUnmock("wabt");
  });
});
