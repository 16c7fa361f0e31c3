import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DirectoryBackend } from "../../platform/node/directory-backend.js";
import { HandleGround } from "../../platform/node/directory-ground.js";
import { FILETYPE_DIRECTORY, FILETYPE_REGULAR_FILE, FILETYPE_SYMBOLIC_LINK } from "../../src/vfs/contract.js";
import { SwappedTree } from "./swapped-tree.js";

const encoder = new TextEncoder();

describe.runIf(HandleGround.works())("DirectoryBackend while names are swapped for links", () => {
  let arena: SwappedTree;
  beforeAll(async () => {
    arena = await SwappedTree.make();
  });
  afterAll(() => arena.remove());

  it("never reads, writes, lists, makes or removes anything outside", { timeout: 60_000 }, () => {
    const backend = new DirectoryBackend(arena.inside, true);
    const root = backend.openRoot();
    const seen = new Map<string, number>();
    const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
    const target = new Uint8Array(64);
    const call = <T>(name: string, use: (bytes: Uint8Array, length: number) => T): T => {
      const bytes = encoder.encode(name);
      return use(bytes, bytes.length);
    };
    const lookup = (directory: number, name: string) =>
      call(name, (bytes, length) => backend.lookup(directory, bytes, 0, length));

    const inDirectory = (round: number) => {
      const d = lookup(root, "d");
      if (d < 0) {
        count("d missing");
        return;
      }
      const filetype = backend.filetype(d);
      count(filetype === FILETYPE_SYMBOLIC_LINK ? "d as link" : "d as directory");
      // A link is asked for what only a directory has, too: nothing may follow it.
      if (round % 2 === 0 && filetype === FILETYPE_DIRECTORY) {
        const deeper = lookup(d, "deeper");
        expect(lookup(deeper < 0 ? d : deeper, "secret")).toBeLessThan(0);
        count(deeper < 0 ? "d gone under way" : "went deeper");
      }
      expect(lookup(d, "secret")).toBeLessThan(0);
      const planted = call(`planted-${round}`, (bytes, length) => backend.create(d, bytes, 0, length));
      count(planted < 0 ? "create refused" : "created");
      if (planted > 0) {
        expect(backend.openFile(planted, true, true)).toBe(0);
        expect(backend.write(planted, 0, target, 0, 8)).toBe(8);
        call(`planted-${round}`, (bytes, length) => backend.unlink(d, bytes, 0, length));
      }
      call("made", (bytes, length) => backend.mkdir(d, bytes, 0, length));
      call("made", (bytes, length) => backend.rmdir(d, bytes, 0, length));
      call("secret", (bytes, length) => backend.unlink(d, bytes, 0, length));
      call("secret", (bytes, length) => backend.rename(d, bytes, 0, length, root, bytes, 0, length));
      call("stolen", (bytes, length) => backend.symlink(d, bytes, 0, length, bytes));
      call("stolen", (bytes, length) => backend.unlink(d, bytes, 0, length));
      backend.readdir(d, 0, (name, start, end) => {
        expect(new TextDecoder().decode(name.subarray(start, end))).not.toBe("secret");
        return true;
      });
    };

    const inFile = () => {
      const f = lookup(root, "f");
      if (f < 0) {
        count("f missing");
        return;
      }
      count(backend.filetype(f) === FILETYPE_REGULAR_FILE ? "f as file" : "f as link");
      const opened = backend.openFile(f, true, true);
      count(opened < 0 ? "open refused" : "opened");
      backend.setTimes(f, 1n, 1n);
      if (opened === 0) {
        const length = backend.read(f, 0, target, 0, target.length);
        expect(new TextDecoder().decode(target.subarray(0, Math.max(0, length)))).toBe("plain");
        expect(backend.append(f, encoder.encode("!"), 0, 1)).toBe(1);
        expect(backend.truncate(f, 5)).toBe(0);
      } else {
        // The real file may be back by now; what the link leads to keeps its length, as seen below.
        backend.truncate(f, 5);
      }
      call("copy", (bytes, length) => backend.link(f, root, bytes, 0, length));
      const copy = lookup(root, "copy");
      if (copy > 0) {
        expect(
          backend.openFile(copy, true, false) < 0 || backend.filetype(copy) === FILETYPE_REGULAR_FILE,
        ).toBe(true);
        call("copy", (bytes, length) => backend.unlink(root, bytes, 0, length));
      }
    };

    // Until both sides of every swap were met, and the instant between look and use: the race is really run.
    const wanted = [
      "d as link",
      "d as directory",
      "f as file",
      "f as link",
      "opened",
      "open refused",
      "created",
    ];
    const met = () => wanted.every((what) => (seen.get(what) ?? 0) > 20);
    let round = 0;
    for (
      const until = performance.now() + 30_000;
      (round < 500 || !met()) && performance.now() < until;
      round++
    ) {
      backend.begin();
      inDirectory(round);
      backend.end();
      backend.begin();
      inFile();
      backend.end();
    }
    arena.expectUntouched();
    expect(backend.descriptorCount).toBeLessThanOrEqual(1);
    expect(met(), JSON.stringify(Object.fromEntries(seen))).toBe(true);
    console.info(`${round} rounds against ${arena.swaps} swaps:`, Object.fromEntries(seen));
  });
});
