/**
 * Values as bytes: what structured clone accepts of the language's own types. A thread that sleeps on shared memory gets no
 * messages, so its values have to travel there too.
 */
import * as errors from "../errors.js";

const UNDEFINED = 0;
const NULL = 1;
const FALSE = 2;
const TRUE = 3;
const NUMBER = 4;
const BIGINT = 5;
const STRING = 6;
const ARRAY = 7;
const OBJECT = 8;
const MAP = 9;
const SET = 10;
const DATE = 11;
const REGEXP = 12;
const BUFFER = 13;
const VIEW = 14;
const ERROR = 15;
/** A value that came before: cycles and identity hold within one message. */
const SEEN = 16;

type ViewConstructor = new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView;

const VIEWS: readonly ViewConstructor[] = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
];

const ERRORS: ReadonlyMap<string, new (message: string, options?: ErrorOptions) => Error> = new Map<
  string,
  new (
    message: string,
    options?: ErrorOptions,
  ) => Error
>([
  ["RangeError", RangeError],
  ["ReferenceError", ReferenceError],
  ["SyntaxError", SyntaxError],
  ["TypeError", TypeError],
  ["EvalError", EvalError],
  ["URIError", URIError],
  ["RuntimeError", WebAssembly.RuntimeError],
  ["WasmexError", errors.WasmexError],
  ["CompileError", errors.CompileError],
  ["LinkError", errors.LinkError],
  ["CallError", errors.CallError],
  ["HostFunctionError", errors.HostFunctionError],
  ["TimeoutError", errors.TimeoutError],
  ["StoppedError", errors.StoppedError],
  ["UnsupportedError", errors.UnsupportedError],
]);

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });

function cannotCross(what: string): errors.UnsupportedError {
  return new errors.UnsupportedError(
    `${what} cannot cross to another thread: start the module with thread: "inline"`,
  );
}

class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #seen = new Map<object, number>();

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  value(value: unknown): void {
    switch (typeof value) {
      case "undefined":
        this.#tag(UNDEFINED);
        break;
      case "boolean":
        this.#tag(value ? TRUE : FALSE);
        break;
      case "number":
        this.#tag(NUMBER);
        this.#float(value);
        break;
      case "bigint":
        this.#tag(BIGINT);
        this.#text(value.toString());
        break;
      case "string":
        this.#tag(STRING);
        this.#text(value);
        break;
      case "object":
        if (value === null) this.#tag(NULL);
        else this.#object(value);
        break;
      default:
        throw cannotCross(`a ${typeof value}`);
    }
  }

  #object(value: object): void {
    const before = this.#seen.get(value);
    if (before !== undefined) {
      this.#tag(SEEN);
      this.#float(before);
      return;
    }
    this.#seen.set(value, this.#seen.size);
    if (Array.isArray(value)) {
      this.#tag(ARRAY);
      this.#float(value.length);
      for (const item of value) this.value(item);
    } else if (value instanceof Map) {
      this.#tag(MAP);
      this.#pairs([...value]);
    } else if (value instanceof Set) {
      this.#tag(SET);
      this.#float(value.size);
      for (const item of value) this.value(item);
    } else if (value instanceof Date) {
      this.#tag(DATE);
      this.#float(value.getTime());
    } else if (value instanceof RegExp) {
      this.#tag(REGEXP);
      this.#text(value.source);
      this.#text(value.flags);
    } else if (value instanceof ArrayBuffer) {
      this.#tag(BUFFER);
      this.#blob(new Uint8Array(value));
    } else if (ArrayBuffer.isView(value)) {
      const kind = VIEWS.findIndex((View) => value instanceof View);
      this.#tag(VIEW);
      this.#tag(kind);
      this.#blob(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    } else if (value instanceof Error) {
      this.#tag(ERROR);
      this.#text(value.name);
      this.#text(value.message);
      this.value(value.stack);
      this.value(cloneable(value.cause));
      const own = Object.entries(value).filter(([key]) => key !== "cause" && key !== "name");
      // Read from the stack when they are asked for, so no property of its own.
      if (value instanceof errors.TrapError) own.push(["frames", value.frames]);
      this.#pairs(own.map(([key, each]) => [key, cloneable(each)]));
    } else if (isPlain(value)) {
      this.#tag(OBJECT);
      this.#pairs(Object.entries(value));
    } else {
      throw cannotCross(`a value of ${Object.prototype.toString.call(value).slice(8, -1)}`);
    }
  }

  #pairs(pairs: readonly (readonly [unknown, unknown])[]): void {
    this.#float(pairs.length);
    for (const [key, value] of pairs) {
      this.value(key);
      this.value(value);
    }
  }

  #tag(tag: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = tag;
  }

  #float(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
  }

  #text(text: string): void {
    this.#blob(encoder.encode(text));
  }

  #blob(bytes: Uint8Array): void {
    this.#float(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

class Reader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at = 0;
  readonly #seen: object[] = [];

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  value(): unknown {
    switch (this.#byte()) {
      case NULL:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case NUMBER:
        return this.#float();
      case BIGINT:
        return BigInt(this.#text());
      case STRING:
        return this.#text();
      case ARRAY: {
        const array = this.#keep([] as unknown[]);
        for (let left = this.#float(); left > 0; left--) array.push(this.value());
        return array;
      }
      case OBJECT: {
        const object = this.#keep({});
        for (const [key, value] of this.#pairs()) define(object, key as string, value);
        return object;
      }
      case MAP: {
        const map = this.#keep(new Map<unknown, unknown>());
        for (const [key, value] of this.#pairs()) map.set(key, value);
        return map;
      }
      case SET: {
        const set = this.#keep(new Set<unknown>());
        for (let left = this.#float(); left > 0; left--) set.add(this.value());
        return set;
      }
      case DATE:
        return this.#keep(new Date(this.#float()));
      case REGEXP:
        return this.#keep(new RegExp(this.#text(), this.#text()));
      case BUFFER:
        return this.#keep(this.#blob().buffer);
      case VIEW: {
        const View = VIEWS[this.#byte()] as ViewConstructor;
        const bytes = this.#blob();
        const size = (View as unknown as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
        return this.#keep(new View(bytes.buffer, 0, bytes.length / size));
      }
      case ERROR:
        return this.#error();
      case SEEN:
        return this.#seen[this.#float()];
      default:
        return undefined;
    }
  }

  #error(): Error {
    // Takes its number before what it holds, as the writer gave it; no property of an error may refer back to it.
    const place = this.#seen.push({}) - 1;
    const name = this.#text();
    const message = this.#text();
    const stack = this.value();
    const cause = this.value();
    const properties = Object.fromEntries(this.#pairs()) as Record<string, unknown>;
    const error = makeError(name, message, cause === undefined ? {} : { cause }, properties);
    if (typeof stack === "string") define(error, "stack", stack, false);
    this.#seen[place] = error;
    return error;
  }

  *#pairs(): Generator<[unknown, unknown]> {
    for (let left = this.#float(); left > 0; left--) yield [this.value(), this.value()];
  }

  #keep<T extends object>(object: T): T {
    this.#seen.push(object);
    return object;
  }

  #byte(): number {
    return this.#view.getUint8(this.#at++);
  }

  #float(): number {
    const value = this.#view.getFloat64(this.#at);
    this.#at += 8;
    return value;
  }

  #text(): string {
    const length = this.#float();
    const start = this.#at;
    this.#at += length;
    return decoder.decode(this.#bytes.subarray(start, this.#at));
  }

  #blob(): Uint8Array<ArrayBuffer> {
    const length = this.#float();
    const start = this.#at;
    this.#at += length;
    return this.#bytes.slice(start, this.#at);
  }
}

function makeError(
  name: string,
  message: string,
  options: ErrorOptions,
  properties: Record<string, unknown>,
): Error {
  if (name === "ExitError") return new errors.ExitError(Number(properties["code"]), options);
  if (name === "TrapError") {
    const reason = properties["reason"] as errors.TrapReason;
    return new errors.TrapError(message, {
      ...options,
      reason,
      frames: properties["frames"] as errors.Frame[],
    });
  }
  const Class = ERRORS.get(name);
  const error = new (Class ?? Error)(message, options);
  if (Class === undefined && name !== "Error") define(error, "name", name, false);
  for (const [key, value] of Object.entries(properties)) define(error, key, value);
  return error;
}

/** Sets an own property whatever its name is (`__proto__` too). */
function define(target: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

/** What can be cloned as it is, anything else as text: an error must get across whatever it holds. */
function cloneable(value: unknown): unknown {
  try {
    new Writer().value(value);
    return value;
  } catch {
    return String(value);
  }
}

/** @throws UnsupportedError for functions, symbols and objects of classes that the language doesn't know. */
export function encode(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.value(value);
  return writer.bytes;
}

/** As {@link encode}, for what was thrown: never fails. */
export function encodeThrown(thrown: unknown): Uint8Array {
  try {
    return encode(thrown);
  } catch {
    const error = new errors.WasmexError(thrown instanceof Error ? thrown.message : String(thrown));
    return encode(error);
  }
}

export function decode(bytes: Uint8Array<ArrayBuffer>): unknown {
  return new Reader(bytes).value();
}
