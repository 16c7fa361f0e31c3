/**
 * 128 bits over the first `length` bytes. Each step is a bijection of the state for a given block, and of the block for a
 * given state: a change within one block of 16 bytes can't go unseen, any other has a chance of about 2^-128. It guards
 * against damage; who can write the container can also make another.
 */
export function digest(view: DataView, length: number): number[] {
  let a = length | 0;
  let b = 0x9e3779b1 | 0;
  let c = 0x85ebca77 | 0;
  let d = 0xc2b2ae3d | 0;
  const whole = length & ~15;
  const mix = (w: number, x: number, y: number, z: number) => {
    a = (step(a, w) + b) | 0;
    b = (step(b, x) + c) | 0;
    c = (step(c, y) + d) | 0;
    d = (step(d, z) + a) | 0;
  };
  for (let at = 0; at < whole; at += 16) {
    mix(
      view.getInt32(at, true),
      view.getInt32(at + 4, true),
      view.getInt32(at + 8, true),
      view.getInt32(at + 12, true),
    );
  }
  const last = new DataView(new ArrayBuffer(16));
  for (let at = whole; at < length; at++) last.setUint8(at - whole, view.getUint8(at));
  mix(last.getInt32(0, true), last.getInt32(4, true), last.getInt32(8, true), last.getInt32(12, true));
  // The last blocks reach every word of the result.
  for (let round = 0; round < 4; round++) mix(0, 0, 0, 0);
  return [a, b, c, d];
}

function step(lane: number, word: number): number {
  const sum = (lane + Math.imul(word, 0x85ebca77)) | 0;
  return Math.imul((sum << 13) | (sum >>> 19), 0x9e3779b1);
}
