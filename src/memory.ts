import {
  ARRAYS,
  type ElementArray,
  type ElementType,
  type ElementValue,
  isCount,
  outOfBound,
  toElement,
} from "./elements.js";
import { toBytes } from "./source-bytes.js";
import { decodeText, encodeInPlace } from "./text.js";
import { describeValue } from "./values.js";

export type { ElementType, ElementValue } from "./elements.js";

/** Anything with linear memory: an `Instance` or a `Process`. */
export interface MemoryOwner {
  /** A view of an exported memory, `offset` in elements; the first one without a `name`. */
  memory<T extends ElementType = "uint8">(type?: T, offset?: number, name?: string): Memory<T>;
}

type MemoryClass = new (memory: WebAssembly.Memory, type: ElementType, offset: number) => Memory;

const CLASSES = {} as Record<ElementType, MemoryClass>;

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const F32_MAX = 3.4028234663852886e38;
const NOTHING = new Uint8Array(0);

/**
 * A typed view of linear memory that follows its growth. Indexes count elements, little-endian on every machine.
 *
 * ```ts
 * const memory = instance.memory("int32");
 * memory.set(0, -1);
 * memory.view("uint8").get(3); // 255
 * ```
 */
export class Memory<T extends ElementType = ElementType> {
  readonly #memory: WebAssembly.Memory;
  readonly #type: T;
  readonly #offset: number;
  /**
   * The elements from the offset on. Reading `WebAssembly.Memory.buffer` is slow, so they are kept, and looked up anew
   * only when an access is beyond them: growth leaves them too short (shared memory) or empty (any other).
   */
  #elements: ElementArray = NOTHING;
  /** Byte length of the buffer that they are views of. */
  #size = -1;
  /** The same as bytes. */
  #bytes: Uint8Array = NOTHING;

  /**
   * @param memory the engine's memory
   * @param type of the elements, `"uint8"` if not given
   * @param offset where the view begins, in elements
   * @throws RangeError where the type is unknown or the offset no whole number from 0 on
   */
  constructor(memory: WebAssembly.Memory, type: T = "uint8" as T, offset = 0) {
    Memory.bytesPerElement(type);
    if (!isCount(offset)) throw outOfBound(offset, 0);
    this.#memory = memory;
    this.#type = type;
    this.#offset = offset;
    if (LITTLE_ENDIAN && new.target === Memory) {
      // biome-ignore lint/correctness/noConstructorReturn: each type has a class of its own, see `Memory.get`
      return new CLASSES[type](memory, type, offset) as Memory<T>;
    }
    this.#refresh();
  }

  /** The size of one element of that type in bytes. */
  static bytesPerElement(type: ElementType): number {
    if (!Object.hasOwn(ARRAYS, type)) {
      throw new RangeError(
        `Unknown memory type ${describeValue(type)}: use ${Object.keys(ARRAYS).join(", ")}.`,
      );
    }
    return ARRAYS[type].BYTES_PER_ELEMENT;
  }

  /** The same as `owner.memory(type, offset)`: the first exported memory of an instance or process. */
  static fromInstance<T extends ElementType = "uint8">(owner: MemoryOwner, type?: T, offset = 0): Memory<T> {
    return owner.memory(type, offset);
  }

  /** The type of the elements. */
  get type(): T {
    return this.#type;
  }

  /** Where the view begins, in elements. */
  get offset(): number {
    return this.#offset;
  }

  /** The size of one element in bytes. */
  get bytesPerElement(): number {
    return ARRAYS[this.#type].BYTES_PER_ELEMENT;
  }

  /** The number of elements from the offset to the memory's present end. */
  get length(): number {
    this.#refresh();
    return this.#elements.length;
  }

  /** The engine's present buffer of the whole memory. Growth replaces it, so read it anew rather than keep it. */
  get buffer(): ArrayBuffer | SharedArrayBuffer {
    return this.#memory.buffer;
  }

  /**
   * @param index in elements from the offset
   * @throws RangeError past the end
   */
  get(index: number): ElementValue<T> {
    return this.#access("get", index, true);
  }

  /**
   * @param index in elements from the offset
   * @param value of the element's type; a safe integer will do for a 64-bit one
   * @throws RangeError past the end, and where the value is outside the type
   */
  set(index: number, value: ElementValue<T> | number): void {
    this.#access("set", index, toElement(this.#type, value), true);
  }

  /**
   * A copy of bytes of the memory.
   *
   * @param index in bytes from the view's first
   * @param length in bytes
   * @throws RangeError where they end past the memory's end
   */
  readBinary(index: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = this.#span(index, length);
    const copy = new Uint8Array(length);
    copy.set(bytes.subarray(index, index + length));
    return copy;
  }

  /**
   * Copies bytes, or a string as UTF-8, into the memory; all of them or none.
   *
   * @param index in bytes from the view's first
   * @throws RangeError where they would end past the memory's end
   */
  writeBinary(index: number, bytes: ArrayBufferView | ArrayBuffer | SharedArrayBuffer | string): void {
    if (typeof bytes === "string" && isCount(index) && encodeInPlace(bytes, this.#bytes, index) >= 0) return;
    const source = toBytes(bytes);
    this.#span(index, source.length).set(source, index);
  }

  /**
   * Decodes UTF-8; what is malformed becomes U+FFFD.
   *
   * @param index in bytes from the view's first
   * @param length in bytes
   * @throws RangeError where the text would end past the memory's end
   */
  readString(index: number, length: number): string {
    return decodeText(this.#span(index, length), index, index + length);
  }

  /**
   * Decodes UTF-8 up to the first NUL byte.
   *
   * @param index in bytes from the view's first
   * @throws RangeError where there is no NUL up to the memory's end
   */
  readCString(index: number): string {
    // What has been added may have the NUL.
    this.#refresh();
    const bytes = this.#span(index, 0);
    const end = bytes.indexOf(0, index);
    if (end < 0) {
      throw new RangeError(`Out of bound: no NUL from index ${index} up to the memory size ${bytes.length}.`);
    }
    return decodeText(bytes, index, end);
  }

  /**
   * Grows the memory by whole pages of 64 KiB.
   *
   * @returns the former number of pages
   * @throws RangeError where its maximum or the engine doesn't allow it
   */
  grow(pages: number): number {
    const memory = this.#memory as unknown as { grow(delta: number | bigint): number | bigint };
    if (!isCount(pages))
      throw new RangeError(`Failed to grow the memory: ${describeValue(pages)} is no page count.`);
    let cause: unknown;
    // A 64-bit memory counts its pages in `bigint`, and only in that.
    for (const delta of [pages, BigInt(pages)]) {
      try {
        return Number(memory.grow(delta));
      } catch (error) {
        if (!(error instanceof TypeError)) cause = error;
      }
    }
    throw new RangeError(`Failed to grow the memory: failed to grow memory by \`${pages}\`.`, { cause });
  }

  /**
   * The same memory as elements of another type.
   *
   * @param offset where the new view begins, in its own elements from the memory's first byte
   */
  view<U extends ElementType>(type: U, offset = 0): Memory<U> {
    return new Memory(this.#memory, type, offset);
  }

  #refresh(): void {
    const { buffer } = this.#memory;
    const { byteLength } = buffer;
    if (this.#elements.buffer === buffer && this.#size === byteLength) return;
    this.#size = byteLength;
    const kind = ARRAYS[this.#type];
    const size = kind.BYTES_PER_ELEMENT;
    const start = this.#offset * size;
    const rest = byteLength - start;
    // What begins past the end is empty until the memory has grown.
    this.#elements = rest > 0 ? new kind(buffer, start, Math.floor(rest / size)) : new kind();
    this.#bytes = rest > 0 ? new Uint8Array(buffer, start) : NOTHING;
  }

  /** The view's bytes, once it is sure that they hold these. */
  #span(index: number, length: number): Uint8Array {
    if (!(isCount(index) && isCount(length) && index + length <= this.#bytes.length)) {
      this.#refresh();
      const size = this.#bytes.length;
      if (!isCount(index)) throw outOfBound(index, size);
      if (!isCount(length)) throw outOfBound(length, size, "length");
      if (index + length > size) throw outOfBound(index > size ? index : index + length, size);
    }
    return this.#bytes;
  }

  /** Calls `DataView`'s method for the type: little-endian whatever the machine's own order is. */
  #access(method: "get" | "set", index: number, ...params: unknown[]): ElementValue<T> {
    this.#refresh();
    const { length, buffer, byteOffset, BYTES_PER_ELEMENT } = this.#elements;
    if (!isCount(index) || index >= length) throw outOfBound(index, length);
    const view = new DataView(buffer, byteOffset) as unknown as Record<
      string,
      (at: number, ...params: unknown[]) => ElementValue<T>
    >;
    // Every typed array has its methods there: `getUint8`, `setBigInt64` …
    const name = method + ARRAYS[this.#type].name.slice(0, -"Array".length);
    return view[name]?.(index * BYTES_PER_ELEMENT, ...params) as ElementValue<T>;
  }

  /**
   * `get` and `set` for one type each, where typed arrays are little-endian: an access that only ever sees one kind of array
   * compiles to a few instructions, one that sees ten is a dozen times as slow. A factory would not do, engines collect
   * types per place in the source. Reading first tells a bad index (negative, a fraction, past the end) from a good one.
   */
  static {
    CLASSES.uint8 = class extends Memory<"uint8"> {
      override get(index: number): number {
        const elements = this.#elements as Uint8Array;
        return (typeof index === "number" ? elements[index] : undefined) ?? super.get(index);
      }
      override set(index: number, value: number): void {
        const elements = this.#elements as Uint8Array;
        const within = typeof index === "number" && elements[index] !== undefined;
        if (within && typeof value === "number" && (value & 0xff) === value) elements[index] = value;
        else super.set(index, value);
      }
    } as unknown as MemoryClass;
    CLASSES.int8 = class extends Memory<"int8"> {
      override get(index: number): number {
        const elements = this.#elements as Int8Array;
        return (typeof index === "number" ? elements[index] : undefined) ?? super.get(index);
      }
      override set(index: number, value: number): void {
        const elements = this.#elements as Int8Array;
        const within = typeof index === "number" && elements[index] !== undefined;
        if (within && typeof value === "number" && (value << 24) >> 24 === value) elements[index] = value;
        else super.set(index, value);
      }
    } as unknown as MemoryClass;
    CLASSES.uint16 = class extends Memory<"uint16"> {
      override get(index: number): number {
        const elements = this.#elements as Uint16Array;
        return (typeof index === "number" ? elements[index] : undefined) ?? super.get(index);
      }
      override set(index: number, value: number): void {
        const elements = this.#elements as Uint16Array;
        const within = typeof index === "number" && elements[index] !== undefined;
        if (within && typeof value === "number" && (value & 0xffff) === value) elements[index] = value;
        else super.set(index, value);
      }
    } as unknown as MemoryClass;
    CLASSES.int16 = class extends Memory<"int16"> {
      override get(index: number): number {
        const elements = this.#elements as Int16Array;
        return (typeof index === "number" ? elements[index] : undefined) ?? super.get(index);
      }
      override set(index: number, value: number): void {
        const elements = this.#elements as Int16Array;
        const within = typeof index === "number" && elements[index] !== undefined;
        if (within && typeof value === "number" && (value << 16) >> 16 === value) elements[index] = value;
        else super.set(index, value);
      }
    } as unknown as MemoryClass;
    CLASSES.uint32 = class extends Memory<"uint32"> {
      override get(index: number): number {
        const elements = this.#elements as Uint32Array;
        return (typeof index === "number" ? elements[index] : undefined) ?? super.get(index);
      }
      override set(index: number, value: number): void {
        const elements = this.#elements as Uint32Array;
        const within = typeof index === "number" && elements[index] !== undefined;
        if (within && typeof value === "number" && value >>> 0 === value) elements[index] = value;
        else super.set(index, value);
      }
    } as unknown as MemoryClass;
    CLASSES.int32 = class extends Memory<"int32"> {
      override get(index: number): number {
        const elements = this.#elements as Int32Array;
        return (typeof index === "number" ? elements[index] : undefined) ?? super.get(index);
      }
      override set(index: number, value: number): void {
        const elements = this.#elements as Int32Array;
        const within = typeof index === "number" && elements[index] !== undefined;
        if (within && typeof value === "number" && (value | 0) === value) elements[index] = value;
        else super.set(index, value);
      }
    } as unknown as MemoryClass;
    CLASSES.uint64 = class extends Memory<"uint64"> {
      override get(index: number): bigint {
        const elements = this.#elements as BigUint64Array;
        return (typeof index === "number" ? elements[index] : undefined) ?? super.get(index);
      }
      override set(index: number, value: bigint | number): void {
        const elements = this.#elements as BigUint64Array;
        const within = typeof index === "number" && elements[index] !== undefined;
        if (within && typeof value === "bigint" && BigInt.asUintN(64, value) === value)
          elements[index] = value;
        else super.set(index, value);
      }
    } as unknown as MemoryClass;
    CLASSES.int64 = class extends Memory<"int64"> {
      override get(index: number): bigint {
        const elements = this.#elements as BigInt64Array;
        return (typeof index === "number" ? elements[index] : undefined) ?? super.get(index);
      }
      override set(index: number, value: bigint | number): void {
        const elements = this.#elements as BigInt64Array;
        const within = typeof index === "number" && elements[index] !== undefined;
        if (within && typeof value === "bigint" && BigInt.asIntN(64, value) === value)
          elements[index] = value;
        else super.set(index, value);
      }
    } as unknown as MemoryClass;
    CLASSES.float32 = class extends Memory<"float32"> {
      override get(index: number): number {
        const elements = this.#elements as Float32Array;
        return (typeof index === "number" ? elements[index] : undefined) ?? super.get(index);
      }
      override set(index: number, value: number): void {
        const elements = this.#elements as Float32Array;
        const within = typeof index === "number" && elements[index] !== undefined;
        if (within && typeof value === "number" && (Math.abs(value) <= F32_MAX || value - value !== 0))
          elements[index] = value;
        else super.set(index, value);
      }
    } as unknown as MemoryClass;
    CLASSES.float64 = class extends Memory<"float64"> {
      override get(index: number): number {
        const elements = this.#elements as Float64Array;
        return (typeof index === "number" ? elements[index] : undefined) ?? super.get(index);
      }
      override set(index: number, value: number): void {
        const elements = this.#elements as Float64Array;
        const within = typeof index === "number" && elements[index] !== undefined;
        if (within && typeof value === "number") elements[index] = value;
        else super.set(index, value);
      }
    } as unknown as MemoryClass;
  }
}
