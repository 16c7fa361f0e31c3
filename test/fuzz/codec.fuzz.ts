import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { decode, encode } from "../../src/worker/codec.js";

/** What crosses threads: everything that structured clone takes of the language's own types. */
const values = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(undefined, null, true, false, -0, Number.NaN),
    fc.double(),
    fc.bigInt(),
    fc.string({ unit: "binary" }),
    fc.uint8Array(),
    fc.oneof(fc.bigInt(), fc.double(), fc.string(), fc.boolean()).map(Object),
    fc.array(tie("any"), { maxLength: 4 }),
    fc.sparseArray(tie("any"), { maxNumElements: 4, maxLength: 20 }),
    fc
      .tuple(fc.array(fc.integer(), { maxLength: 2 }), fc.dictionary(fc.string(), tie("any"), { maxKeys: 2 }))
      // A list of its own: what generated the first one still needs it without a `constructor`.
      .map(([list, { length: _, ...more }]) => Object.assign([...list], more)),
    fc.tuple(fc.uint8Array(), fc.nat(), fc.nat()).map(([{ buffer }, from, length]) => {
      const at = from % (buffer.byteLength + 1);
      return [new DataView(buffer, at, length % (buffer.byteLength - at + 1)), new Uint8Array(buffer)];
    }),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString")),
      tie("any"),
      {
        maxKeys: 4,
      },
    ),
    fc.array(fc.tuple(fc.string(), tie("any")), { maxLength: 3 }).map((pairs) => new Map(pairs)),
  ),
})).any;

function roundTrip(value: unknown): void {
  const back = decode(new Uint8Array(encode(value)));
  if (!isDeepStrictEqual(back, structuredClone(value))) throw new Error("the value came back otherwise");
}

/** Bytes that no `encode` made: an error or some value, never a hang and never a value of many times their size. */
function damaged([value, at, byte, cut]: [unknown, number, number, number]): void {
  const bytes = new Uint8Array(encode(value));
  if (bytes.length > 0) bytes[at % bytes.length] = byte;
  const before = performance.now();
  try {
    decode(bytes.subarray(0, bytes.length - (cut % (bytes.length + 1))));
  } catch (error) {
    if (!(error instanceof Error)) throw new Error("threw what is no error");
  }
  if (performance.now() - before > 1000) throw new Error("decoding a few bytes took more than a second");
}

/**
 * Values and damaged bytes through the thread bridge's encoding.
 * @throws Error with the seed and the smallest counterexample
 */
export async function fuzz({
  seed,
  milliseconds,
}: {
  seed: number;
  milliseconds: number;
}): Promise<{ cases: number }> {
  const end = performance.now() + milliseconds;
  let cases = 0;
  for (let round = 0; performance.now() < end; round++) {
    const parameters = { seed: seed + round, numRuns: 200 };
    fc.assert(fc.property(values, roundTrip), parameters);
    fc.assert(fc.property(fc.tuple(values, fc.nat(), fc.nat(255), fc.nat()), damaged), parameters);
    cases += 400;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { cases };
}
