// Many processes in turn: each endless loop is stopped in time, and nothing of it is left. `WASMEX_LIVES` sets how many.
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import * as Wasmex from "wasmex";
import { wat } from "../support/index.js";

const LIVES = Number(process.env["WASMEX_LIVES"] ?? 60);

async function threads(): Promise<number> {
  return (await readdir("/proc/self/task")).length;
}

/** Bytes that the process holds, or has mapped. */
async function held(field: "VmRSS" | "VmSize"): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
}

async function module(): Promise<Wasmex.Module> {
  const bytes = await wat(`(module (memory (export "memory") 1)
    (func (export "spin") (loop $again (br $again))) (func (export "one") (result i32) (i32.const 1)))`);
  return Wasmex.Module.compile(bytes);
}

describe.runIf(process.platform === "linux")("processes in turn", () => {
  it("endless loops are each stopped in time, and leave no thread and no memory", async () => {
    const loops = await module();
    const live = async (): Promise<number> => {
      const guest = await Wasmex.start({ module: loops, thread: "worker" });
      const began = performance.now();
      const bare = new Promise<number>((resolve) => setTimeout(() => resolve(performance.now() - began), 20));
      await expect(guest.callFunction("spin", [], 20)).rejects.toThrow(Wasmex.TimeoutError);
      const took = performance.now() - began;
      await guest.exited;
      return took - (await bare);
    };
    for (let count = 0; count < 10; count++) await live();
    const [threadsBefore, sizeBefore] = [await threads(), await held("VmRSS")];
    let longest = Number.NEGATIVE_INFINITY;
    for (let count = 0; count < LIVES; count++) longest = Math.max(longest, await live());
    expect(longest).toBeLessThan(50);
    expect(await threads()).toBeLessThanOrEqual(threadsBefore);
    expect((await held("VmRSS")) - sizeBefore).toBeLessThan(60e6);
  }, 3_600_000);

  it("starts and stops leave no thread and no memory", async () => {
    const small = await module();
    const live = async (): Promise<void> => {
      const guest = await Wasmex.start({ module: small, thread: "worker", wasi: true });
      expect(await guest.callFunction("one")).toEqual([1]);
      await guest.stop();
    };
    for (let count = 0; count < 20; count++) await live();
    const [threadsBefore, residentBefore, sizeBefore] = [
      await threads(),
      await held("VmRSS"),
      await held("VmSize"),
    ];
    for (let count = 0; count < LIVES; count++) await live();
    expect(await threads()).toBeLessThanOrEqual(threadsBefore);
    expect((await held("VmRSS")) - residentBefore).toBeLessThan(60e6);
    // Addresses are set free when their owners are collected, which takes its time: no more than some dozens of processes.
    expect((await held("VmSize")) - sizeBefore).toBeLessThan(600e9);
  }, 3_600_000);
});
