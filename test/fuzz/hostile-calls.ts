import * as fc from "fast-check";
import { signatureOf } from "../../src/wasi/signatures.js";

/** One call of a WASI function: 32-bit parameters as the engine gives them, signed; 64-bit ones as bigints. */
export interface HostileCall {
  readonly name: string;
  readonly parameters: readonly (number | bigint)[];
}

/** What lies in the guest's memory before each call. */
export const MEMORY_SIZE = 65_536;
/** Vectors, subscriptions and paths are written at these places, so that some pointers mean something. */
export const VECTORS = 1024;
export const SUBSCRIPTIONS = 4096;
export const PATHS = 8192;
const PATH_STEP = 64;

export const paths = [
  "file",
  "dir/inner",
  "dir",
  "link",
  "loop",
  "gone",
  ".",
  "..",
  "../../etc/passwd",
  "/etc/passwd",
  "dir/../file",
  "escape/passwd",
  "file/",
  "dir//",
  "a/b/c/d",
  "nul\0nul",
  "__proto__",
  "constructor",
  "",
  "ö/\ud83d\ude00",
];

/** A pointer or a number: mostly a place in the memory, now and then one at its edge or beyond. */
const int32 = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 2047 }).map((place) => 32_768 + place * 8) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 24, 64, 128, 4096) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      MEMORY_SIZE - 1,
      MEMORY_SIZE - 4,
      MEMORY_SIZE,
      -1,
      -4,
      -8,
      -(2 ** 31),
      2 ** 31 - 1,
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(VECTORS, SUBSCRIPTIONS, SUBSCRIPTIONS + 48) },
  { weight: 1, arbitrary: fc.nat({ max: MEMORY_SIZE }) },
  { weight: 1, arbitrary: fc.integer() },
);

/** A place of vectors and how many. */
const vectors = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(
      fc.nat({ max: 40 }).map((index) => VECTORS + 8 * index),
      fc.nat({ max: 5 }),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(int32, int32) },
);

/** A descriptor: mostly one that is open. */
const descriptor = fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 10 }) }, { weight: 1, arbitrary: int32 });

const int64 = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 64n, 4096n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, -1n, -(2n ** 63n)),
  fc.constantFrom(0x1fffffffn, 0x0fffffffn, 66n),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);

/** A pointer to a path and its length, some of the time the right one. */
const path = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.nat({ max: paths.length - 1 }).map((index) => [PATHS + index * PATH_STEP, lengthOf(index)]),
  },
  { weight: 1, arbitrary: fc.tuple(int32, int32) },
);

const encoder = new TextEncoder();
function lengthOf(index: number): number {
  return encoder.encode(paths[index]).length;
}

/** Fills a memory with what the pointers may meet; the rest of it is noise from the seed. */
export function furnish(memory: ArrayBuffer, noise: number): void {
  const bytes = new Uint8Array(memory);
  const view = new DataView(memory);
  let state = noise | 1;
  for (let at = 0; at < bytes.length; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    view.setInt32(at, state, true);
  }
  for (let index = 0; index < 64; index++) {
    // Most buffers lie inside, now and then one doesn't.
    const outside = ((noise >>> (index % 24)) & 15) === 0;
    view.setUint32(VECTORS + index * 8, outside ? MEMORY_SIZE - 2 : 16_384 + index * 128, true);
    view.setUint32(VECTORS + index * 8 + 4, (noise >>> (index % 16)) & 127, true);
  }
  for (let index = 0; index < 16; index++) {
    const at = SUBSCRIPTIONS + index * 48;
    view.setUint8(at + 8, (noise >>> index) % 3);
    view.setUint32(at + 16, (noise >>> index) % 4, true);
    view.setBigUint64(at + 24, (noise & 1) === 0 ? 0n : 2n ** 62n, true);
    view.setUint16(at + 40, (noise >>> 3) & 1, true);
  }
  for (const [index, text] of paths.entries()) bytes.set(encoder.encode(text), PATHS + index * PATH_STEP);
}

/** The parameters with some of them replaced, each given as its index and its value. */
function replaced(
  parameters: readonly (number | bigint)[],
  ...values: readonly (readonly [number, number])[]
): (number | bigint)[] {
  const copy = [...parameters];
  for (const [index, value] of values) copy[index] = value;
  return copy;
}

const DESCRIPTOR_FIRST = /^(fd|sock)_|^path_(?!symlink)/;

/** Parameters for a function by its signature, with paths and descriptors where they belong. */
function parametersOf(name: string): fc.Arbitrary<(number | bigint)[]> {
  const types = signatureOf(name)?.parameters ?? [];
  const parts: fc.Arbitrary<number | bigint>[] = types.map((type) => (type === "i64" ? int64 : int32));
  if (DESCRIPTOR_FIRST.test(name)) parts[0] = descriptor;
  if (name === "fd_renumber") parts[1] = descriptor;
  let all = fc.tuple(...parts) as fc.Arbitrary<(number | bigint)[]>;
  if (/^fd_p?(read|write)$/.test(name)) {
    all = fc.tuple(all, vectors).map(([given, [at, count]]) => replaced(given, [1, at], [2, count]));
  }
  if (name === "poll_oneoff") {
    all = fc
      .tuple(all, fc.nat({ max: 4 }))
      .map(([given, count]) => replaced(given, [0, SUBSCRIPTIONS], [2, count]));
  }
  const directory = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(3, 4, 5) },
    { weight: 1, arbitrary: descriptor },
  );
  const pathAt = new Map([
    ["path_create_directory", [1]],
    ["path_filestat_get", [2]],
    ["path_filestat_set_times", [2]],
    ["path_link", [2, 5]],
    ["path_open", [2]],
    ["path_readlink", [1]],
    ["path_remove_directory", [1]],
    ["path_rename", [1, 4]],
    ["path_symlink", [0, 3]],
    ["path_unlink_file", [1]],
  ]).get(name);
  for (const at of pathAt ?? []) {
    if (at > 0)
      all = fc
        .tuple(all, directory)
        .map(([given, fd]) => replaced(given, [at === 1 || at === 2 ? 0 : at - 1, fd]));
    all = fc
      .tuple(all, path)
      .map(([given, [pointer = 0, length = 0]]) => replaced(given, [at, pointer], [at + 1, length]));
  }
  if (/^path_(open|filestat|link)/.test(name)) {
    all = fc
      .tuple(all, fc.oneof(fc.constantFrom(0, 1), int32))
      .map(([given, lookup]) => replaced(given, [1, lookup]));
  }
  if (name === "path_symlink") all = fc.tuple(all, directory).map(([given, fd]) => replaced(given, [2, fd]));
  if (name === "path_open") {
    all = fc
      .tuple(
        all,
        fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 15 }) }, int32),
        fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 31 }) }, int32),
      )
      .map(([given, oflags, fdflags]) => replaced(given, [4, oflags], [7, fdflags]));
  }
  return all;
}

export function hostileCalls(names: readonly string[]): fc.Arbitrary<HostileCall> {
  return fc
    .constantFrom(...names)
    .chain((name) => parametersOf(name).map((parameters) => ({ name, parameters })));
}

/** The places a function may write to: pairs of pointer and length. */
export function outputsOf(
  { name, parameters }: HostileCall,
  before: DataView,
  layout: { filestat: number },
): [number, number][] {
  const at = (index: number): number => Number(parameters[index]) >>> 0;
  const word = (pointer: number): number =>
    pointer + 4 <= MEMORY_SIZE ? before.getUint32(pointer, true) : 0;
  const vectors = (pointer: number, count: number): [number, number][] => {
    const found: [number, number][] = [];
    for (let index = 0; index < Math.min(count, MEMORY_SIZE / 8); index++) {
      found.push([word(pointer + index * 8), word(pointer + index * 8 + 4)]);
    }
    return found;
  };
  switch (name) {
    case "args_get":
    case "environ_get":
      return [
        [at(0), 64],
        [at(1), 256],
      ];
    case "args_sizes_get":
    case "environ_sizes_get":
      return [
        [at(0), 4],
        [at(1), 4],
      ];
    case "clock_res_get":
      return [[at(1), 8]];
    case "clock_time_get":
      return [[at(2), 8]];
    case "fd_fdstat_get":
      return [[at(1), 24]];
    case "fd_filestat_get":
      return [[at(1), layout.filestat]];
    case "fd_prestat_get":
    case "fd_tell":
      return [[at(1), 8]];
    case "fd_prestat_dir_name":
      return [[at(1), at(2)]];
    case "fd_read":
      return [...vectors(at(1), at(2)), [at(3), 4]];
    case "fd_pread":
      return [...vectors(at(1), at(2)), [at(4), 4]];
    case "fd_write":
      return [[at(3), 4]];
    case "fd_pwrite":
      return [[at(4), 4]];
    case "fd_readdir":
      return [
        [at(1), at(2)],
        [at(4), 4],
      ];
    case "fd_seek":
      return [[at(3), 8]];
    case "path_filestat_get":
      return [[at(4), layout.filestat]];
    case "path_open":
      return [[at(8), 4]];
    case "path_readlink":
      return [
        [at(3), at(4)],
        [at(5), 4],
      ];
    case "poll_oneoff":
      return [
        [at(1), at(2) * 32],
        [at(3), 4],
      ];
    case "random_get":
      return [[at(0), at(1)]];
    default:
      return [];
  }
}
