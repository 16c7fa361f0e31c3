/** UTF-8 over bytes that may be shared with other threads. */

/** Up to here a loop over ASCII is quicker than `TextDecoder` (measured in V8; the other engines cross later). */
const SHORT_TEXT = 24;

const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = /* @__PURE__ */ new TextEncoder();

let codecsTakeShared: boolean | undefined;

/** Whether `TextDecoder` and `encodeInto` take views of shared memory here: Chromium's and Firefox's don't. */
function doCodecsTakeShared(): boolean {
  if (codecsTakeShared === undefined) {
    try {
      const probe = new Uint8Array(new SharedArrayBuffer(1)) as unknown as Uint8Array<ArrayBuffer>;
      decoder.decode(probe);
      encoder.encodeInto("a", probe);
      codecsTakeShared = true;
    } catch {
      codecsTakeShared = false;
    }
  }
  return codecsTakeShared;
}

/** The bytes themselves where the text codecs take them. */
function codecBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  return bytes.buffer instanceof ArrayBuffer || doCodecsTakeShared()
    ? (bytes as Uint8Array<ArrayBuffer>)
    : undefined;
}

/** Decodes `bytes[start, end)`; what is malformed becomes U+FFFD, a byte order mark stays. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT_TEXT) {
    let text = "";
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte > 127) break;
      text += String.fromCharCode(byte);
    }
    if (at === end) return text;
  }
  return decoder.decode(codecBytes(bytes)?.subarray(start, end) ?? bytes.slice(start, end));
}

/**
 * Encodes into `target` from `start` on, where there is room for the longest that the text can become (3 bytes for each
 * UTF-16 unit) and the engine can; answers the bytes written, or -1 where nothing was.
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
  const direct = codecBytes(target);
  return direct === undefined ? -1 : encoder.encodeInto(text, direct.subarray(start)).written;
}

export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}
