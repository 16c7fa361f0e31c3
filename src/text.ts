/** UTF-8 over bytes that may be shared with other threads. */

const lenient = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });
/** Throws a `TypeError` for what is no UTF-8. */
export const strict = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = /* @__PURE__ */ new TextEncoder();

/** Chromium's and Firefox's codecs take no views of shared memory; set once that has been seen. */
let mustCopyShared = false;

type CodecBytes = Uint8Array<ArrayBuffer>;

function isShared(bytes: Uint8Array): boolean {
  return !(bytes.buffer instanceof ArrayBuffer);
}

function decode(bytes: Uint8Array, decoder: typeof lenient): string {
  if (!(mustCopyShared && isShared(bytes))) {
    try {
      return decoder.decode(bytes as CodecBytes);
    } catch (error) {
      if (!isShared(bytes)) throw error;
      mustCopyShared = true;
    }
  }
  return decoder.decode(bytes.slice());
}

/** Decodes `bytes[start, end)`; if not told otherwise, what is malformed becomes U+FFFD, and a byte order mark stays. */
export function decodeText(bytes: Uint8Array, start = 0, end = bytes.length, decoder = lenient): string {
  const length = end - start;
  if (length <= 16 && start + 16 <= bytes.length) {
    let all = 0;
    for (let at = start; at < end; at++) all |= bytes[at] as number;
    // One string of sixteen ASCII characters, cut: less than half of the time of a `TextDecoder`, on every engine.
    if (all < 128) {
      return String.fromCharCode(
        bytes[start] as number,
        bytes[start + 1] as number,
        bytes[start + 2] as number,
        bytes[start + 3] as number,
        bytes[start + 4] as number,
        bytes[start + 5] as number,
        bytes[start + 6] as number,
        bytes[start + 7] as number,
        bytes[start + 8] as number,
        bytes[start + 9] as number,
        bytes[start + 10] as number,
        bytes[start + 11] as number,
        bytes[start + 12] as number,
        bytes[start + 13] as number,
        bytes[start + 14] as number,
        bytes[start + 15] as number,
      ).slice(0, length);
    }
  }
  return decode(bytes.subarray(start, end), decoder);
}

/** Up to here a loop over ASCII is quicker than `encodeInto`. */
const SHORT_TEXT = 24;

/**
 * Encodes into `target` from `start` on, where there is room for the longest that the text can become (3 bytes for each
 * UTF-16 unit) and the engine can; answers the bytes written, or -1 where it couldn't.
 */
export function encodeInPlace(text: string, target: Uint8Array, start: number): number {
  const { length } = text;
  if (start + length * 3 > target.length) return -1;
  if (length <= SHORT_TEXT) {
    let done = 0;
    for (; done < length; done++) {
      const code = text.charCodeAt(done);
      if (code > 127) break;
      target[start + done] = code;
    }
    if (done === length) return length;
  }
  if (mustCopyShared && isShared(target)) return -1;
  try {
    return encoder.encodeInto(text, target.subarray(start) as CodecBytes).written;
  } catch (error) {
    if (!isShared(target)) throw error;
    mustCopyShared = true;
    return -1;
  }
}

export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}
