import { pack } from "./binary/container.js";
import type { Rewriting } from "./binary/rewrite.js";
import { isBinary } from "./binary/sections.js";
import { CompileError, WasmexError } from "./errors.js";
import {
  bytesOf,
  type Content,
  customSections,
  namesOf,
  plainOf,
  shapeOf,
  typesOf,
} from "./module-content.js";
import { loading } from "./platform.js";
import type { ExternType, ImportEntry, ModuleShape } from "./shape.js";
import type { LoadOptions, ModuleSource } from "./source.js";
import { beginOf, imageOf, viewOf } from "./source-bytes.js";
import { describeValue } from "./values.js";

/** What `loading` answers, once it has. */
let background: Awaited<ReturnType<typeof loading>> | undefined;

/** How a module is compiled. */
export interface CompileOptions extends LoadOptions {
  /** Takes the place of the module's own name. */
  readonly name?: string | undefined;
  /**
   * On which thread the module will be started, as `start` has it (default `"auto"`). Either works whatever is said here: it
   * decides what is compiled now and what when it is first needed.
   */
  readonly thread?: "auto" | "worker" | "inline" | undefined;
}

/**
 * A compiled module: stateless, instantiated as often as you like.
 *
 * @example
 * const module = await Wasmex.Module.compile(fetch("sum.wasm"));
 * module.exports.sum; // { kind: "function", parameters: ["i32", "i32"], results: ["i32"] }
 */
export class Module {
  readonly #content: Content;
  #exports: Readonly<Record<string, ExternType>> | undefined;
  #imports: Readonly<Record<string, Readonly<Record<string, ExternType>>>> | undefined;

  private constructor(content: Content) {
    // JavaScript may call it as the engine's own is called.
    if (content?.what === undefined)
      throw new WasmexError("new Module: use Module.compile or Module.compileSync");
    this.#content = content;
  }

  /** Has frameworks that wrap plain objects in proxies (Vue, Alpine) leave it as it is: through one its private fields can't be reached. @internal */
  get [Symbol.toStringTag](): string {
    return "Module";
  }

  /**
   * Compiles a module. Bytes that do not begin with `\0asm` are WebAssembly text in UTF-8; so is every string. A
   * response is compiled while it arrives. A `Module`, or a promise of one, is answered as it is. Of a `WebAssembly.Module` that was
   * compiled elsewhere the types are unknown: its functions take what the engine takes, which makes `1` of `1.5` and `0` of `"7abc"`.
   *
   * @throws {CompileError} (rejects) for what is no valid module or could not be loaded; the message names the input, and for
   * text the line. Where `options.signal` aborts, rejects with its reason.
   */
  static async compile(
    source: ModuleSource | Module | PromiseLike<ModuleSource | Module>,
    options: CompileOptions = {},
  ): Promise<Module> {
    // Bytes in hand are copied before anybody can change them.
    const copied = viewOf(source) && imageOf(source);
    let given = source;
    if (background === undefined) {
      // A promise could fail before there is anybody to hear of it.
      const early = Promise.resolve(source);
      early.catch(() => undefined);
      given = early;
      background = await loading();
    }
    const compiled = await background.compile(given, copied, options);
    return "variant" in compiled ? compiled : new Module(compiled);
  }

  /**
   * Compiles bytes in hand at once. Text is refused: it takes `Module.compile`.
   * @throws {CompileError} for what is no valid module
   * @throws {UnsupportedError} where the engine compiles modules of that size in the background alone (Chromium's main thread)
   */
  static compileSync(bytes: ArrayBuffer | SharedArrayBuffer | ArrayBufferView): Module {
    const what = "the module";
    if (viewOf(bytes) === undefined) {
      throw new CompileError(
        `${what}: pass bytes, not ${describeValue(bytes)}; all else takes Module.compile`,
      );
    }
    const image = imageOf(bytes);
    if (!isBinary(image.bytes)) throw new CompileError(`${what} ${isNoBinary(image.bytes)}`);
    const content = { what, image };
    plainOf(content);
    return new Module(content);
  }

  /** Whether the engine would compile these bytes. Text is no module here. */
  static validate(bytes: ArrayBuffer | SharedArrayBuffer | ArrayBufferView): boolean {
    try {
      return WebAssembly.validate(imageOf(bytes).bytes);
    } catch {
      // Firefox throws "out of memory" for some modules that break off.
      return false;
    }
  }

  /**
   * Restores what `serialize` made.
   * @throws {CompileError} (rejects) for a container that was cut, altered in any bit or is none
   */
  static async deserialize(bytes: ArrayBuffer | SharedArrayBuffer | ArrayBufferView): Promise<Module> {
    const copy = imageOf(bytes).bytes;
    return new Module(await (await loading()).restore(copy));
  }

  /**
   * The module's bytes and name in a container of its own, with a checksum.
   * @throws {UnsupportedError} for a `WebAssembly.Module` that was compiled elsewhere
   */
  serialize(): Uint8Array<ArrayBuffer> {
    return pack([bytesOf(this.#content, "serialize")], this.name);
  }

  /**
   * Every export's type by name, in the module's order (names that are whole numbers come first, as in every JavaScript
   * object). Read when first asked for.
   * Of a `WebAssembly.Module` that was compiled elsewhere the engine tells names and kinds alone: asking a type for more throws
   * an `UnsupportedError`.
   */
  get exports(): Readonly<Record<string, ExternType>> {
    if (this.#exports === undefined) {
      const exports: Record<string, ExternType> = Object.create(null);
      for (const [name, type] of typesOf(this.#content).exports) exports[name] = type;
      this.#exports = Object.freeze(exports);
    }
    return this.#exports;
  }

  /** Every import's type by namespace and name; of duplicates the last. Otherwise as `exports`. */
  get imports(): Readonly<Record<string, Readonly<Record<string, ExternType>>>> {
    if (this.#imports === undefined) {
      const imports: Record<string, Record<string, ExternType>> = Object.create(null);
      for (const { module, name, type } of typesOf(this.#content).imports) {
        imports[module] ??= Object.create(null) as Record<string, ExternType>;
        imports[module][name] = type;
      }
      for (const namespace in imports) Object.freeze(imports[namespace]);
      this.#imports = Object.freeze(imports);
    }
    return this.#imports;
  }

  /** Every import in order, duplicates included. Otherwise as `exports`. */
  get importEntries(): readonly ImportEntry[] {
    return typesOf(this.#content).imports;
  }

  /** The name that was set, else the name section's module name. */
  get name(): string | undefined {
    return this.#content.name ?? namesOf(this.#content).moduleName;
  }

  /** @throws {WasmexError} once an instance of the module exists */
  setName(name: string): void {
    if (typeof name !== "string") throw new WasmexError(`setName: pass a string, not ${describeValue(name)}`);
    if (this.#content.instantiated) {
      throw new WasmexError("Could not change module name. Maybe it is already instantiated?");
    }
    this.#content.name = name;
  }

  /** Copies of the contents of every custom section of that name, in order. */
  customSections(name: string): ArrayBuffer[] {
    return customSections(this.#content, name);
  }

  /**
   * Size of the binary module in bytes.
   * @throws {UnsupportedError} for a `WebAssembly.Module` that was compiled elsewhere
   */
  get byteLength(): number {
    return bytesOf(this.#content, "byteLength").length;
  }

  /**
   * The engine's module, as it was given. Compiled when first asked for, where what was compiled so far is meant for a thread.
   * @throws {UnsupportedError} where the engine compiles modules of that size in the background alone (Chromium's main thread)
   */
  get compiled(): WebAssembly.Module {
    return plainOf(this.#content);
  }

  /**
   * The engine's module with its limits rewritten; compiled once.
   * @throws {CompileError} (rejects) where the module is invalid or needs more than the limits allow
   * @throws {UnsupportedError} (rejects) where the bytes are unknown, or the engine refuses the rewritten module alone
   * @internal
   */
  async variant(rewriting?: Rewriting): Promise<WebAssembly.Module> {
    const { plain } = this.#content;
    if (plain !== undefined && rewriting === undefined) return plain;
    return (await loading()).variantOf(this.#content, rewriting);
  }

  /**
   * What an instance on any thread needs to know, for the variant that it is made from.
   * @internal
   */
  shape(compiled: WebAssembly.Module = this.compiled): ModuleShape {
    return shapeOf(this.#content, compiled);
  }

  /** Tells that there is an instance: the name is fixed from now on. @internal */
  markInstantiated(): void {
    this.#content.instantiated = true;
  }
}

function isNoBinary(bytes: Uint8Array): string {
  if (bytes.length === 0) return "is empty";
  return `is no binary module, it begins with ${beginOf(bytes)}: text takes Module.compile`;
}
