/**
 * What needs the platform at once, or its threads to start guests. Each of them is marked as free of side effects, so that bundlers
 * leave both out of an app that uses none of them.
 */
import { capabilities as plainCapabilities } from "../../src/capabilities.js";
import { Pipe as PlainPipe } from "../../src/pipe.js";
import { useThreads } from "../../src/platform.js";
import { run as plainRun } from "../../src/run.js";
import { start as plainStart } from "../../src/start.js";
import { Supervisor as PlainSupervisor } from "../../src/supervisor.js";
import { VirtualFileSystem as PlainVirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import { Wasi as PlainWasi } from "../../src/wasi/wasi.js";
import { hosted } from "./hosted.js";
import { spawnThread } from "./threads.js";

function withThreads<T>(member: T): T {
  useThreads(spawnThread);
  return hosted(member);
}

export const start: typeof plainStart = /* @__PURE__ */ withThreads(plainStart);
export const run: typeof plainRun = /* @__PURE__ */ withThreads(plainRun);
export const Supervisor: typeof PlainSupervisor = /* @__PURE__ */ withThreads(PlainSupervisor);
export type Supervisor = PlainSupervisor;

export const capabilities: typeof plainCapabilities = /* @__PURE__ */ hosted(plainCapabilities);
export const Pipe: typeof PlainPipe = /* @__PURE__ */ hosted(PlainPipe);
export type Pipe = PlainPipe;
export const VirtualFileSystem: typeof PlainVirtualFileSystem =
  /* @__PURE__ */ hosted(PlainVirtualFileSystem);
export type VirtualFileSystem = PlainVirtualFileSystem;
export const Wasi: typeof PlainWasi = /* @__PURE__ */ hosted(PlainWasi);
export type Wasi = PlainWasi;
