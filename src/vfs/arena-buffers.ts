import { MAX_PAGES, PAGE_WORDS } from "./arena-layout.js";

/** 4 MiB, from which on an arena that isn't shared grows in place. */
const IN_PLACE_PAGES = 64;

/** A memory that grows in place, where it is worth it and there are addresses for one. */
export function growing(pages: number): WebAssembly.Memory | undefined {
  if (pages < IN_PLACE_PAGES) {
    return undefined;
  }
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: MAX_PAGES });
  } catch {
    return undefined;
  }
}

/** A shared buffer that can grow to that many pages, or to what the engine has addresses for. */
export function reserve(pages: number, mostPages: number): SharedArrayBuffer {
  const length = pages * PAGE_WORDS * 4;
  for (let most = Math.max(length, mostPages * PAGE_WORDS * 4); ; most = Math.max(length, most / 2)) {
    try {
      return new SharedArrayBuffer(length, { maxByteLength: most });
    } catch (error) {
      if (most === length) {
        throw error;
      }
    }
  }
}
