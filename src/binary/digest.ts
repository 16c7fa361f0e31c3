/** Any odd number with its bits well mixed: the golden ratio's. */
const ODD = 0x9e3779b1;

/**
 * 128 bits over the first `length` bytes, after which at least 3 have to come. Each step is a bijection of the state for a given word,
 * and of the word for a given state: a change within one block of 16 bytes can't go unseen, any other has a chance of about 2^-128.
 * It guards against damage; who can write the container can also make another.
 */
export function digest(view: DataView, length: number): Int32Array {
  const lanes = Int32Array.of(length, 1, 2, 3);
  // The last block is filled up with zeros, and four of zeros follow: so the last words reach all of the result.
  const end = (length & ~15) + 80;
  for (let at = 0; at < end; at += 4) {
    const left = length - at;
    const word = left > 0 ? view.getInt32(at, true) & (left < 4 ? (1 << (left * 8)) - 1 : -1) : 0;
    const lane = (at >> 2) & 3;
    const sum = (lanes[lane] as number) + Math.imul(word, ODD);
    const next = lanes[(lane + 1) & 3] as number;
    lanes[lane] = Math.imul((sum << 13) | (sum >>> 19), ODD) + next;
  }
  return lanes;
}
