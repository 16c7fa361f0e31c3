import { pack } from "../../src/binary/container.js";
import { concat } from "../../src/binary/cursor.js";
import { readInterface } from "../../src/binary/interface.js";
import { addLoopChecks, type Checked } from "../../src/binary/loop-checks.js";
import { readNames } from "../../src/binary/names.js";
import { findCode, type Rewriting, rewriteHead } from "../../src/binary/rewrite.js";
import { unpack } from "../../src/binary/unpack.js";
import { CompileError } from "../../src/errors.js";
import { engineAccepts, engineList } from "../binary/engine-list.js";
import { features } from "../binary/features.js";

export interface FuzzOptions {
  /** Any 32-bit number; the same one gives the same cases. */
  readonly seed: number;
  readonly milliseconds: number;
  /** Real modules to mutate beside the small ones of the test suite. */
  readonly modules?: readonly Uint8Array[];
}

/** How long one case may take in all, in milliseconds, with a generous allowance for a busy machine. */
const SLOW = 5000;

/**
 * Mutates modules and containers: the reader and the rewriter answer with a result or a `CompileError`, soon; what the engine
 * accepts is read with the engine's own names and kinds, and accepted as well once rewritten; a container that differs in any
 * bit is refused.
 * @throws Error with the seed and the number of the case on the first defect
 */
export async function fuzz({ seed, milliseconds, modules = [] }: FuzzOptions): Promise<{ cases: number }> {
  const corpus = [...features.map((feature) => feature.bytes), ...modules];
  const end = performance.now() + milliseconds;
  let cases = 0;
  while (performance.now() < end) {
    // Each case has a generator of its own, so that it can be run by itself.
    const random = generator(seed, cases);
    const start = performance.now();
    try {
      const mutated = mutate(corpus[random(corpus.length)] as Uint8Array, corpus, random);
      checkModule(mutated, random);
      if (cases % 4 === 0) checkContainer(mutated.subarray(0, 2000), random);
    } catch (error) {
      const text = error instanceof Error ? error.stack : String(error);
      throw new Error(`binary fuzz, seed ${seed}, case ${cases}: ${text}`, { cause: error });
    }
    const spent = performance.now() - start;
    if (spent > SLOW)
      throw new Error(`binary fuzz, seed ${seed}, case ${cases}: took ${Math.round(spent)} ms`);
    cases++;
    // Lets timers and signals of the process through.
    if (cases % 500 === 0) await Promise.resolve();
  }
  return { cases };
}

type Random = (below: number) => number;

/** Mulberry32. */
function generator(seed: number, index: number): Random {
  let state = (seed ^ Math.imul(index + 1, 0x9e3779b1)) | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const INTERESTING = [0, 1, 0x0b, 0x40, 0x5e, 0x60, 0x63, 0x64, 0x65, 0x70, 0x7f, 0x80, 0xfb, 0xff];

function mutate(
  original: Uint8Array,
  corpus: readonly Uint8Array[],
  random: Random,
): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(original);
  // The start of a module says most; the code of a large one would swallow nearly every edit.
  const span = Math.max(1, Math.min(bytes.length, random(4) === 0 ? bytes.length : 4096));
  for (let edits = random(4); edits >= 0; edits--) {
    const at = random(span);
    switch (random(7)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = INTERESTING[random(INTERESTING.length)] as number;
        break;
      case 2:
        bytes[at] = (bytes[at] as number) ^ (1 << random(8));
        break;
      case 3:
        bytes = bytes.slice(0, random(bytes.length + 1));
        break;
      case 4: {
        const inserted = Uint8Array.from({ length: 1 + random(6) }, () => random(256));
        bytes = concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
        break;
      }
      case 5:
        bytes = concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + random(6)))]);
        break;
      default: {
        const other = corpus[random(corpus.length)] as Uint8Array;
        const from = random(other.length);
        bytes = concat([bytes.subarray(0, at), other.subarray(from, from + random(40)), bytes.subarray(at)]);
      }
    }
  }
  return bytes;
}

/** What `work` gives; `undefined` where it refuses as it should. */
function refusable<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof CompileError) return undefined;
    throw error;
  }
}

function same(what: string, given: unknown, expected: unknown): void {
  const [left, right] = [JSON.stringify(given), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${what}: ${left} where it should be ${right}`);
}

function checkModule(bytes: Uint8Array<ArrayBuffer>, random: Random): void {
  const read = refusable(() => readInterface(bytes));
  // Any bytes may stand in a custom section.
  const names = readNames(bytes.slice(random(bytes.length + 1)).buffer);
  for (let index = 0; index < 4; index++) names.functionName(random(300));
  const isValid = engineAccepts(bytes);
  const list = isValid ? engineList(bytes) : undefined;
  if (list !== undefined) {
    same("exports", read && [...read.exports].map(([name, { kind }]) => [name, kind]), list.exports);
    same(
      "imports",
      read?.imports.map(({ module, name, type }) => [module, name, type.kind]),
      list.imports,
    );
  }
  const rewriting: Rewriting = {
    shared: random(3) > 0,
    ...(random(2) === 0 && { memoryPages: random(70_000) }),
    ...(random(2) === 0 && { tableElements: random(10_000) }),
  };
  const rewritten = refusable(() => rewriteAll(bytes, rewriting));
  const streamed = refusable(() => inParts(bytes, rewriting, random));
  same("streamed", streamed && Array.from(streamed).join(), rewritten && Array.from(rewritten).join());
  if (rewritten === undefined || !isValid) return;
  if (!engineAccepts(rewritten)) throw new Error(`${JSON.stringify(rewriting)} made a valid module invalid`);
  checkLoops(rewritten);
  const types = readInterface(rewritten);
  for (const type of [...types.exports.values()]) {
    if (type.kind === "memory" && rewriting.shared === true && type.address === undefined && !type.shared) {
      if (type.pageSize === undefined) throw new Error("a memory is not shared");
    }
  }
}

/** What gets checks is as valid as before, and every offset lies somewhere in the module as it was. */
function checkLoops(bytes: Uint8Array<ArrayBuffer>): void {
  let checked: Checked | undefined;
  try {
    checked = addLoopChecks(bytes);
  } catch (error) {
    // Instructions of proposals that engines have and this decoder doesn't know.
    if (error instanceof CompileError) return;
    throw error;
  }
  if (checked === undefined) return;
  if (!engineAccepts(checked.bytes)) throw new Error("checks in loops made a valid module invalid");
  const original = checked.originalOffset(checked.bytes.length - 1);
  if (original < 0 || original > bytes.length) throw new Error(`an offset became ${original}`);
}

function rewriteAll(bytes: Uint8Array<ArrayBuffer>, rewriting: Rewriting): Uint8Array<ArrayBuffer> {
  const rewritten = rewriteHead(bytes, rewriting);
  return rewritten === undefined ? bytes : concat([rewritten.head, bytes.subarray(rewritten.length)]);
}

/** As the module would go to the engine while it arrives: nothing before the code section is there. */
function inParts(
  bytes: Uint8Array<ArrayBuffer>,
  rewriting: Rewriting,
  random: Random,
): Uint8Array<ArrayBuffer> {
  let at = 8;
  for (let end = 0; end < bytes.length; ) {
    end += 1 + random(end < 4096 && random(2) === 0 ? 5 : bytes.length);
    const come = bytes.subarray(0, end);
    at = findCode(come, at);
    if (come[at] === 10) return concat([rewriteAll(come, rewriting), bytes.subarray(come.length)]);
  }
  return rewriteAll(bytes, rewriting);
}

function checkContainer(module: Uint8Array<ArrayBuffer>, random: Random): void {
  const name = random(3) === 0 ? undefined : "n".repeat(random(20));
  const container = pack([module], name);
  const back = unpack(container);
  same("container", [back.name, Array.from(back.module).join()], [name, Array.from(module).join()]);
  const mutated = mutate(container, [container], random);
  const isSame = mutated.length === container.length && mutated.every((byte, at) => byte === container[at]);
  if (!isSame && refusable(() => unpack(mutated)) !== undefined)
    throw new Error("an altered container was taken");
}
