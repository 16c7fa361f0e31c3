import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect } from "vitest";

/**
 * Another thread goes on swapping a directory and a file of the guest's for links to what lies outside, as a second guest
 * or any process on the host might, while the backend walks through them.
 */
const swapper = `
const { renameSync } = require("node:fs");
const { workerData: { inside, running } } = require("node:worker_threads");
const flags = new Int32Array(running);
const swap = (name) => {
  renameSync(inside + "/" + name, inside + "/" + name + ".kept");
  renameSync(inside + "/" + name + ".link", inside + "/" + name);
  renameSync(inside + "/" + name, inside + "/" + name + ".link");
  renameSync(inside + "/" + name + ".kept", inside + "/" + name);
};
Atomics.store(flags, 0, 1);
Atomics.notify(flags, 0);
while (Atomics.load(flags, 0) === 1) { swap("d"); swap("f"); Atomics.add(flags, 1, 1); }
`;

export const SECRET = "never to be read";

/** `inside` is the guest's; `outside` beside it has a secret, and names in `inside` are swapped for links to it all the time. */
export class SwappedTree {
  readonly inside: string;
  readonly #base = realpathSync(mkdtempSync(join(tmpdir(), "wasmex-escape-")));
  readonly #outside: string;
  readonly #flags = new Int32Array(new SharedArrayBuffer(8));
  readonly #worker: Worker;
  readonly #modified: number;

  static async make(): Promise<SwappedTree> {
    const tree = new SwappedTree();
    Atomics.wait(tree.#flags, 0, 0, 10_000);
    return tree;
  }

  private constructor() {
    this.inside = join(this.#base, "inside");
    this.#outside = join(this.#base, "outside");
    mkdirSync(join(this.inside, "d", "deeper"), { recursive: true });
    mkdirSync(join(this.#outside, "deeper"), { recursive: true });
    for (const path of ["", "deeper"]) {
      writeFileSync(join(this.#outside, path, "secret"), SECRET);
      writeFileSync(join(this.inside, "d", path, "plain"), "plain");
    }
    writeFileSync(join(this.inside, "f"), "plain");
    symlinkSync(this.#outside, join(this.inside, "d.link"));
    symlinkSync(join(this.#outside, "secret"), join(this.inside, "f.link"));
    this.#modified = statSync(join(this.#outside, "secret")).mtimeMs;
    const workerData = { inside: this.inside, running: this.#flags.buffer };
    this.#worker = new Worker(swapper, { eval: true, workerData });
  }

  get swaps(): number {
    return Atomics.load(this.#flags, 1);
  }

  expectUntouched(): void {
    expect(readFileSync(join(this.#outside, "secret"), "utf8")).toBe(SECRET);
    expect(readdirSync(this.#outside).sort()).toEqual(["deeper", "secret"]);
    expect(readdirSync(join(this.#outside, "deeper"))).toEqual(["secret"]);
    expect(statSync(join(this.#outside, "secret")).mtimeMs).toBe(this.#modified);
  }

  async remove(): Promise<void> {
    const ended = new Promise((resolve) => this.#worker.once("exit", resolve));
    Atomics.store(this.#flags, 0, 2);
    await ended;
    rmSync(this.#base, { recursive: true, force: true });
  }
}
