import { platform } from "../platform.js";
import type { Backend } from "../vfs/contract.js";
import { attachFileSystem } from "../vfs/share.js";
import type { WasiOptions } from "../wasi/options.js";
import { wasiFactory } from "../wasi/provider.js";
import "../wasi/wasi.js";
import type { Endpoint } from "./endpoint.js";
import { proxyBackend } from "./file-proxy.js";
import { openStream } from "./guest-streams.js";
import type { WasiPlan, WorkerMessage } from "./protocol.js";
import * as records from "./records.js";

export type Post = (message: WorkerMessage) => void;

/** Makes the WASI of the guest on this thread as its host has planned it. */
export const guestWasi = (plan: WasiPlan, endpoint: Endpoint | undefined, post: Post) => {
  const host = {
    ring: () => endpoint?.ring(),
    beforeCalls: (act: () => unknown) => endpoint?.beforeCalls(act),
    wantInput: () => endpoint?.tell(records.WANT_INPUT),
    post: (stream: 1 | 2, bytes: Uint8Array<ArrayBuffer>) => post({ kind: "output", stream, bytes }),
  };
  const call = (index: number, values: unknown[]): unknown =>
    endpoint?.ask(records.HOST_CALL, index, undefined, values, undefined)[0];
  const { clock, random, fs, files = -1 } = plan;
  const open = (index: number, shared: unknown): Backend => {
    const opened = shared === undefined ? undefined : platform().openShared?.(shared);
    return opened ?? proxyBackend((...operation) => call(files, [index, ...operation]));
  };
  const wasi = {
    ...plan.options,
    stdin: openStream(plan.stdin, 0, host),
    stdout: openStream(plan.stdout, 1, host),
    stderr: openStream(plan.stderr, 2, host),
    ...(fs && { fs: { mounts: attachFileSystem(fs, open) } }),
    ...(clock !== undefined && { clock: (name) => call(clock, [name]) as number | bigint }),
    ...(random !== undefined && { random: (bytes) => bytes.set(call(random, [bytes.length]) as Uint8Array) }),
  } as WasiOptions;
  return { wasi, wasiFactory: wasiFactory() };
};

export type GuestWasi = typeof guestWasi;
