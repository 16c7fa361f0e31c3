import type { Backend } from "../../src/vfs/contract.js";

/** Whole numbers below a bound, the same for the same seed. */
export function random(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const names = Array.from({ length: 12 }, (_, index) =>
  new TextEncoder().encode(`${index}`.padEnd(1 + index * 3, "n")),
);
const data = new Uint8Array(150_000).map((_, index) => index * 31);

/** One random operation, given by the numbers that `next` draws. */
export function operate(backend: Backend, next: (below: number) => number, held: number[]): void {
  let directory = backend.openRoot();
  for (let depth = next(3); depth > 0; depth--) {
    const name = names[next(names.length)] as Uint8Array;
    const inner = backend.lookup(directory, name, 0, name.length);
    if (inner > 0 && backend.filetype(inner) === 3) {
      directory = inner;
    }
  }
  const a = names[next(names.length)] as Uint8Array;
  const b = names[next(names.length)] as Uint8Array;
  const node = backend.lookup(directory, a, 0, a.length);
  const isFile = node > 0 && backend.filetype(node) === 4;
  switch (next(14)) {
    case 0:
    case 1:
      backend.create(directory, a, 0, a.length);
      break;
    case 2:
      backend.mkdir(directory, a, 0, a.length);
      break;
    case 3:
      backend.symlink(directory, a, 0, a.length, b);
      break;
    case 4:
      if (node > 0) backend.link(node, directory, b, 0, b.length);
      break;
    case 5:
      backend.unlink(directory, a, 0, a.length);
      break;
    case 6:
      backend.rmdir(directory, a, 0, a.length);
      break;
    case 7:
      backend.rename(directory, a, 0, a.length, directory, b, 0, b.length);
      break;
    case 8:
      backend.rename(directory, a, 0, a.length, backend.openRoot(), b, 0, b.length);
      break;
    case 9:
      if (isFile) backend.write(node, next(4) * 40_000, data, 0, next(3) * 50_000);
      break;
    case 10:
      if (isFile) backend.append(node, data, 0, 1 + next(100));
      break;
    case 11:
      if (isFile) backend.truncate(node, next(4) * 33_000);
      break;
    case 12:
      if (node > 0) {
        held.push(node);
        backend.retain(node);
      }
      break;
    default: {
      const released = held.splice(next(held.length + 1), 1)[0];
      if (released !== undefined) backend.release(released);
    }
  }
}
