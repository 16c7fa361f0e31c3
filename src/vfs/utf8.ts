/**
 * Where the first byte after `[start, end)`'s longest well-formed UTF-8 prefix lies: `end` when all of it is well-formed
 * (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
 */
export function validUtf8Until(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const lead = bytes[at] as number;
    if (lead < 0x80) {
      at++;
      continue;
    }
    let low = 0x80;
    let high = 0xbf;
    let more = 1;
    if (lead >= 0xe0 && lead <= 0xef) {
      more = 2;
      if (lead === 0xe0) low = 0xa0;
      else if (lead === 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      if (lead === 0xf0) low = 0x90;
      else if (lead === 0xf4) high = 0x8f;
    } else if (lead < 0xc2 || lead > 0xdf) {
      return at;
    }
    for (let next = 1; next <= more; next++) {
      const byte = at + next < end ? (bytes[at + next] as number) : 0;
      if (byte < low || byte > high) return at;
      low = 0x80;
      high = 0xbf;
    }
    at += more + 1;
  }
  return at;
}
