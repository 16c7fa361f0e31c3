import { describe, expect, test } from "vitest";
import "wasmex";
import { USED } from "../../src/vfs/arena-layout.js";
import type { Backend } from "../../src/vfs/contract.js";
import { MemoryBackend } from "../../src/vfs/memory-backend.js";
import { attachFileSystem, shareFileSystem } from "../../src/vfs/share.js";
import { VirtualFileSystem } from "../../src/vfs/virtual-file-system.js";
import { checkArena } from "./arena-check.js";

/** A backend that can't be shared, as far as anyone can tell. */
function unshareable(fs: VirtualFileSystem): Backend {
  const { backend } = fs.mounts.root;
  return new Proxy(Object.create(null) as Backend, {
    get: (_, key) => {
      const value = Reflect.get(backend, key) as unknown;
      return key === "share" ? undefined : typeof value === "function" ? value.bind(backend) : value;
    },
  });
}

/** The host's view of what a guest on the other thread has. */
function attach(...given: Parameters<typeof attachFileSystem>): VirtualFileSystem {
  const mounts = attachFileSystem(...given);
  return Object.assign(new VirtualFileSystem({}, { root: mounts.root.backend }), { mounts });
}

describe.runIf(typeof SharedArrayBuffer !== "undefined")("shareFileSystem", () => {
  test("both sides see each other's changes at once, larger than what was there before too", () => {
    const fs = new VirtualFileSystem({ "/a": "before" });
    const { description } = shareFileSystem(fs);
    const there = attach(description, () => expect.unreachable());
    expect(there.readFile("/a", "utf8")).toBe("before");
    there.writeFile("/b", new Uint8Array(20_000_000).fill(5));
    expect(fs.readFile("/b").every((byte) => byte === 5)).toBe(true);
    fs.writeFile("/a", new Uint8Array(20_000_000).fill(6));
    expect(there.readFile("/a").every((byte) => byte === 6)).toBe(true);
    fs.remove("/b");
    expect(there.exists("/b")).toBe(false);
    checkArena((fs.mounts.root.backend as MemoryBackend).memory);
  });

  test("mounts are there on the other side: shared, or by what `open` answers for their index", () => {
    const fs = new VirtualFileSystem({ "/top": "t" });
    const inner = new VirtualFileSystem({ "/in": "i" });
    const proxied = new VirtualFileSystem({ "/host": "h", "/place": {} });
    fs.mount("/m", inner);
    fs.mount("/m/p", unshareable(proxied));
    fs.mount("/m/p/place", new VirtualFileSystem({ "/deep": "d" }));
    const share = shareFileSystem(fs);
    expect(share.description.backends.map(({ kind }) => kind)).toEqual(["arena", "arena", "proxy", "arena"]);
    const opened: [number, unknown][] = [];
    const there = attach(share.description, (index, shared) => {
      opened.push([index, shared]);
      return share.backends[index] as Backend;
    });
    expect(opened).toEqual([[2, undefined]]);
    for (const side of [fs, there]) {
      expect(side.readFile("/m/in", "utf8")).toBe("i");
      expect(side.readFile("/m/p/host", "utf8")).toBe("h");
      expect(side.readFile("/m/p/place/deep", "utf8")).toBe("d");
      expect(side.readFile("/m/p/place/../../../top", "utf8")).toBe("t");
    }
    there.writeFile("/m/p/place/new", "n");
    expect(fs.readFile("/m/p/place/new", "utf8")).toBe("n");
  });

  test("mounts over the root, and over mounts, are there on the other side", () => {
    for (const root of [undefined, unshareable(new VirtualFileSystem({ "/old": "", "/d": {} }))]) {
      const fs = new VirtualFileSystem({}, root === undefined ? {} : { root });
      fs.mount("/d", new VirtualFileSystem({ "/under": "" }));
      fs.mount("/", new VirtualFileSystem({ "/new": "1", "/d": {} }));
      fs.mount("/d", new VirtualFileSystem({ "/first": "" }));
      fs.mount("/d", new VirtualFileSystem({ "/second": "2" }));
      const share = shareFileSystem(fs);
      const there = attach(share.description, (index) => share.backends[index] as Backend);
      for (const side of [fs, there]) {
        expect(side.readdir("/")).toEqual(["d", "new"]);
        expect(side.readdir("/d")).toEqual(["second"]);
        expect(side.readFile("/d/../d/second", "utf8")).toBe("2");
      }
    }
  });

  test("after retire the thread can't begin another operation, and once it is gone nothing of it is left", () => {
    const fs = new VirtualFileSystem({ "/a": "x" });
    const arena = fs.mounts.root.backend as MemoryBackend;
    const used: number[] = [];
    for (let round = 0; round < 3; round++) {
      const share = shareFileSystem(fs);
      const there = attach(share.description, () => expect.unreachable());
      const { backend } = there.mounts.root;
      backend.begin();
      const held = backend.create(backend.openRoot(), new Uint8Array([98]), 0, 1);
      backend.retain(held);
      backend.end();
      fs.remove("/b");
      share.retire(1000);
      expect(() => there.exists("/a")).toThrow("told to stop");
      share.retire(0);
      expect(() => there.exists("/a")).toThrow("told to stop");
      checkArena(arena.memory);
      used.push(arena.memory.get(USED));
    }
    expect(used[2]).toBe(used[1]);
    expect(fs.readFile("/a", "utf8")).toBe("x");
  });

  test("ten thousand threads after one another need no more room than one", () => {
    const fs = new VirtualFileSystem({ "/a": "x" });
    for (let round = 0; round < 10_000; round++) {
      shareFileSystem(fs).retire(0);
    }
    expect((fs.mounts.root.backend as MemoryBackend).memory.get(USED)).toBeLessThan(2000);
  });

  test("two thousand threads that nobody has told to be gone leave room for one more", () => {
    const fs = new VirtualFileSystem({ "/a": "x" });
    for (let round = 0; round < 2000; round++) {
      const share = shareFileSystem(fs);
      attach(share.description, () => expect.unreachable()).readFile("/a");
      share.retire(100);
    }
    expect(fs.readFile("/a", "utf8")).toBe("x");
    checkArena((fs.mounts.root.backend as MemoryBackend).memory);
  });

  test("a thread that lost the lock as a dead one changes nothing any more", () => {
    const host = new MemoryBackend();
    const thread = host.share();
    const late = new MemoryBackend({ shared: thread });
    const name = new Uint8Array([97]);
    late.begin();
    host.retire(thread, 0);
    expect(() => late.create(late.openRoot(), name, 0, 1)).toThrow("told to stop");
    late.end();
    host.begin();
    expect(host.lookup(host.openRoot(), name, 0, 1)).toBeLessThan(0);
    host.end();
    checkArena(host.memory);
  });
});
