import { readSync, writeSync } from "node:fs";
import { afterEach, beforeEach, expect, it, type MockInstance, vi } from "vitest";
import { stdio } from "../../platform/node/stdio.js";

vi.mock("node:fs", async (original) => ({
  ...(await original<typeof import("node:fs")>()),
  readSync: vi.fn(),
  writeSync: vi.fn(),
}));

const BUSY = Object.assign(new Error("busy"), { code: "EAGAIN" });
const bytes = new Uint8Array(10);
let wait: MockInstance<typeof Atomics.wait>;

/** What the stream answers in turn: how much it took or gave, or nothing for now. */
function answers(target: typeof readSync | typeof writeSync, turns: readonly (number | "busy")[]): void {
  for (const turn of turns) {
    vi.mocked(target as () => number).mockImplementationOnce(() => {
      if (turn === "busy") throw BUSY;
      return turn;
    });
  }
}

const pauses = (): unknown[] => wait.mock.calls.map(([, , , milliseconds]) => milliseconds);

beforeEach(() => {
  wait = vi.spyOn(Atomics, "wait").mockReturnValue("timed-out");
});

afterEach(() => {
  vi.restoreAllMocks();
});

it("stdio.write waits briefly for a busy stream, longer by and by, and briefly again where it took something", () => {
  answers(writeSync, [...Array<"busy">(9).fill("busy"), 4, "busy", "busy", 6]);
  expect(stdio.write(1, bytes, 0, 10)).toBe(10);
  expect(pauses()).toEqual([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 0.05, 0.1]);
});

it("stdio.read does, afresh for each read", () => {
  answers(readSync, ["busy", "busy", 3, "busy", 2]);
  expect([stdio.read(bytes, 0, 10), stdio.read(bytes, 0, 10)]).toEqual([3, 2]);
  expect(pauses()).toEqual([0.05, 0.1, 0.05]);
});
