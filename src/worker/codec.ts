/**
 * Values as bytes: what structured clone accepts of the language's own types. A thread that sleeps on shared memory gets no
 * messages, so its values have to travel there too.
 *
 * The bytes are the length of a JSON text (32 bits), the text, and the contents of all buffers one after the other. The text is the
 * value and a list of the objects in it. JSON's own values stand for themselves; an array stands for what JSON has no word for:
 * `[]` for `undefined`, `[5]` for the object at place 5 (so cycles and identity hold within one message), `["NaN"]` for a number,
 * `["12", 0]` for a bigint. An object is its class and its parts.
 */
import * as errors from "../errors.js";
import { classOf } from "../source-bytes.js";
import { decodeText, encodeText } from "../text.js";

type ErrorClass = new (message: never, options: never) => Error;
type Parts = readonly unknown[];
type Bytes = Uint8Array<ArrayBuffer>;

/** By name: those of this package's classes don't survive minifying. */
const ERRORS = /* @__PURE__ */ new Map(
  /* @__PURE__ */ Object.entries<ErrorClass>({
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    EvalError,
    URIError,
    RuntimeError: WebAssembly.RuntimeError,
    WasmexError: errors.WasmexError,
    CompileError: errors.CompileError,
    LinkError: errors.LinkError,
    CallError: errors.CallError,
    TrapError: errors.TrapError,
    HostFunctionError: errors.HostFunctionError,
    TimeoutError: errors.TimeoutError,
    ExitError: errors.ExitError,
    StoppedError: errors.StoppedError,
    UnsupportedError: errors.UnsupportedError,
  }),
);

/** Sets an own property whatever its name is (`__proto__` too). */
function define(target: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}

function defineAll(target: object, parts: Parts): void {
  for (let index = 0; index < parts.length; index += 2) {
    define(target, parts[index] as string, parts[index + 1]);
  }
}

/** Parts: name, message, stack and its own properties. None of them may refer back to it. */
function makeError([name, message, stack, ...parts]: Parts): Error {
  const options: Record<string, unknown> = {};
  defineAll(options, parts);
  const Class = ERRORS.get(name as string) ?? (Error as ErrorClass);
  const isAggregate = name === "AggregateError";
  const error = isAggregate
    ? new AggregateError([], message as string, options)
    : new Class((name === "ExitError" ? options["code"] : message) as never, options as never);
  const set = error as unknown as Record<string, unknown>;
  if (set["name"] !== name) define(error, "name", name, false);
  // Most of them the constructor has set.
  for (const key in options) {
    if (set[key] !== options[key]) define(error, key, options[key], !isAggregate || key !== "errors");
  }
  define(error, "stack", stack, false);
  return error;
}

function errorParts(error: Error): unknown[] {
  const properties = Object.entries(error).filter(([key]) => key !== "name");
  if (error.cause !== undefined) properties.push(["cause", error.cause]);
  const { errors: several } = error as AggregateError;
  if (several !== undefined) properties.push(["errors", several]);
  // Read from the stack when they are asked for, so no property of its own.
  if (error instanceof errors.TrapError) properties.push(["frames", error.frames]);
  return [error.name, error.message, error.stack, ...properties.flat()];
}

/** How the objects of one class travel. */
type Kind<T> = readonly [
  /** The values that one is made of, `undefined` where they can't be told; `store` keeps bytes aside and answers where they are. */
  parts: (value: T, store: (bytes: Uint8Array) => Parts, name: string) => Parts | undefined,
  /** Makes it of its parts; an empty one where there is the next function. */
  make: (parts: Parts, load: (start: number, end: number) => Bytes) => T,
  /** Puts parts into one: they may refer to it. */
  fill?: (target: T, parts: Parts) => void,
];

const kind = <T>(name: string | number, ...each: Kind<T>) => [name, each as unknown as Kind<object>] as const;

// Kinds that the language tells for certain: a number is no name that an object gives itself.
const ERROR = 0;
const DOM_EXCEPTION = 1;
const ARRAY = 2;
const VIEW = 3;

/** A view brings its buffer along, so that others of the same message see the same bytes, unless that has more than so much beside it. */
const BESIDE = 65_536;

const classes = globalThis as unknown as Record<string, new (...parts: Parts) => object>;

/** Whether it is no object of the guest's own (WebAssembly GC): these look like empty ones that nothing can be added to. */
function isPlain(object: object): boolean {
  try {
    if (!Object.isExtensible(object)) structuredClone(object);
    return true;
  } catch {
    return false;
  }
}

/** By number, or by what `Object.prototype.toString` calls them. */
const KINDS: ReadonlyMap<string | number, Kind<object>> = new Map([
  kind<unknown[]>(
    ARRAY,
    (array) => {
      const last = array.length - 1;
      const keys = Object.keys(array);
      // As many keys as places, the last of them the last place: no holes, and nothing but places.
      return keys[last] === `${last}` && keys.length === last + 1
        ? [-1, ...Object.values(array)]
        : [last + 1, ...Object.entries(array).flat()];
    },
    () => [],
    (array, [length, ...parts]) => {
      if ((length as number) < 0) for (const part of parts) array.push(part);
      else {
        array.length = length as number;
        defineAll(array, parts);
      }
    },
  ),
  kind<object>(
    "Object",
    (object) => {
      const entries = Object.entries(object);
      return entries.length > 0 || isPlain(object) ? entries.flat() : undefined;
    },
    () => ({}),
    defineAll,
  ),
  kind<Map<unknown, unknown>>(
    "Map",
    (map) => [...map].flat(),
    () => new Map(),
    (map, parts) => {
      for (let index = 0; index < parts.length; index += 2) map.set(parts[index], parts[index + 1]);
    },
  ),
  kind<Set<unknown>>(
    "Set",
    (set) => [...set],
    () => new Set(),
    (set, parts) => {
      for (const part of parts) set.add(part);
    },
  ),
  kind<Date>(
    "Date",
    (date) => [date.getTime()],
    ([time]) => new Date(time as number),
  ),
  kind<RegExp>(
    "RegExp",
    ({ source, flags }) => [source, flags],
    ([source, flags]) => new RegExp(source as string, flags as string),
  ),
  ...["Number", "String", "Boolean", "BigInt"].map((name) =>
    kind<object>(
      name,
      (boxed) => [classes[name]?.prototype.valueOf.call(boxed)],
      ([primitive]) => Object(primitive),
    ),
  ),
  kind<Error>(ERROR, errorParts, makeError),
  kind<Error>(DOM_EXCEPTION, errorParts, ([name, message, stack]) => {
    const error = new (classes["DOMException"] as ErrorClass)(message as never, name as never);
    define(error, "stack", stack, false);
    return error;
  }),
  kind<ArrayBuffer>(
    "ArrayBuffer",
    // A view is refused of what only says that it is a buffer.
    (buffer, store) => [
      buffer.resizable ? buffer.maxByteLength : undefined,
      ...store(new Uint8Array(new DataView(buffer).buffer)),
    ],
    ([maxByteLength, start, end], load) => {
      const bytes = load(start as number, end as number);
      const buffer = new ArrayBuffer(bytes.length, { maxByteLength } as { maxByteLength: number });
      new Uint8Array(buffer).set(bytes);
      return buffer;
    },
  ),
  kind<ArrayBufferView & { length?: number }>(
    VIEW,
    ({ buffer, byteOffset, byteLength, length = byteLength }, _store, name) =>
      // Shared memory comes as a copy too: the guest's own is nothing else, and only its bytes can be kept.
      buffer.byteLength - byteLength > BESIDE || classOf(buffer) !== "ArrayBuffer"
        ? [name, new Uint8Array(buffer, byteOffset, byteLength).slice().buffer, 0, length]
        : [name, buffer, byteOffset, length],
    ([name, ...parts]) =>
      new (classes[name as string] as (typeof classes)[string])(...parts) as ArrayBufferView,
  ),
]);

/**
 * @param lenient whether what can't be cloned travels as its text: so it does in errors, which must get across whatever they hold
 * @throws UnsupportedError for functions, symbols and objects of classes that the language doesn't know.
 */
export function encode(root: unknown, lenient = false): Bytes {
  const objects: unknown[] = [];
  const places = new Map<unknown, number>();
  const stored: Uint8Array[] = [];
  let length = 0;
  const store = (bytes: Uint8Array): Parts => {
    const start = length;
    stored.push(bytes);
    length += bytes.length;
    return [start, length];
  };
  const put = (value: unknown, asText: boolean): unknown => {
    const type = typeof value;
    if (type === "undefined") return [];
    if (type === "bigint") return [`${value}`, 0];
    if (type === "number" && !Number.isFinite(value)) return [`${value}`];
    if (Object.is(value, -0)) return ["-0"];
    if (value === null || type === "number" || type === "string" || type === "boolean") return value;
    let place = places.get(value);
    if (place === undefined) {
      const name = classOf(value);
      const isException = name === "DOMException";
      // Those of another realm (a frame, `node:vm`) are told by their name, as structured clone takes them too.
      const isError =
        value instanceof Error ||
        ((name === "Error" || isException) && typeof (value as Error).message === "string");
      let known: string | number = name;
      if (isError) known = isException ? DOM_EXCEPTION : ERROR;
      else if (Array.isArray(value)) known = ARRAY;
      else if (ArrayBuffer.isView(value)) known = VIEW;
      let parts: Parts | undefined;
      try {
        parts = KINDS.get(known)?.[0](value as object, store, name);
      } catch (error) {
        // What only says that it is of a class that has parts is refused.
        if (known === "Object" || !(error instanceof TypeError)) throw error;
      }
      if (parts === undefined) {
        if (asText) return String(value);
        const what = known === "Object" ? "WebAssembly GC" : name;
        throw new errors.UnsupportedError(
          `a ${type === "object" ? `value of ${what}` : type} cannot cross to another thread: start the module with thread: "inline"`,
        );
      }
      place = objects.push(0) - 1;
      places.set(value, place);
      objects[place] = [known, ...parts.map((part) => put(part, asText || isError))];
    }
    return [place];
  };
  const text = encodeText(JSON.stringify([put(root, lenient), objects]));
  const bytes = new Uint8Array(4 + text.length + length);
  new DataView(bytes.buffer).setUint32(0, text.length);
  bytes.set(text, 4);
  length = 4 + text.length;
  for (const each of stored) {
    bytes.set(each, length);
    length += each.length;
  }
  return bytes;
}

/** Posts values; where structured clone refuses them the error is that of {@link encode}. */
export function postValues(values: readonly unknown[], post: () => void): void {
  try {
    post();
  } catch (error) {
    encode(values);
    throw error;
  }
}

/** As {@link encode}, for what was thrown: never fails. */
export function encodeThrown(thrown: unknown): Bytes {
  try {
    return encode(thrown, true);
  } catch {
    return encode(new errors.WasmexError(thrown instanceof Error ? thrown.message : String(thrown)));
  }
}

export function decode(bytes: Bytes): unknown {
  const end = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const [root, objects] = JSON.parse(decodeText(bytes, 4, end));
  const made: object[] = [];
  const load = (from: number, to: number): Bytes => bytes.subarray(end + from, end + to);
  const get = (value: unknown): unknown => {
    if (!Array.isArray(value)) return value;
    const [first] = value as [number | string | undefined];
    if (typeof first === "string") return value.length > 1 ? BigInt(first) : Number(first);
    if (first !== undefined && made[first] === undefined) {
      const [name, ...parts] = objects[first];
      const [, make, fill] = KINDS.get(name) as Kind<object>;
      // An error's parts find this in its place.
      made[first] = {};
      made[first] = make(fill === undefined ? parts.map(get) : [], load);
      fill?.(made[first], parts.map(get));
    }
    return first === undefined ? first : made[first];
  };
  return get(root);
}
