import { pack } from "./binary/container.js";
import { Cursor } from "./binary/cursor.js";
import type { Image } from "./binary/image.js";
import { type ModuleInterface, readInterface } from "./binary/interface.js";
import { NameSection } from "./binary/names.js";
import type { Rewriting } from "./binary/rewrite.js";
import { isBinary } from "./binary/sections.js";
import { orAborted } from "./deferred.js";
import { CompileError, UnsupportedError, WasmexError } from "./errors.js";
import { isInstantiated } from "./instantiated.js";
import { FOREIGN, isEngineModule, kindsOf, messageOf, shifts, textOf } from "./module-input.js";
import { platform } from "./platform.js";
import type { ExternKind, ExternType, ImportEntry, ModuleData, ShapeType } from "./shape.js";
import type { LoadOptions, ModuleSource } from "./source.js";
import { imageOf, inHand, viewOf } from "./source-bytes.js";
import { describeValue } from "./values.js";

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

interface Given {
  /** What errors call it. */
  readonly what: string;
  readonly name: string | undefined;
  /** Whether the variant with shared memory is compiled first. */
  shared: boolean;
}

/** Where the engine modules that were handed out come from. */
const origins = new WeakMap<WebAssembly.Module, Image>();

/**
 * A compiled module: stateless, instantiated as often as you like.
 *
 * @example
 * const module = await Wasmex.Module.compile(fetch("sum.wasm"));
 * module.exports.sum; // { kind: "function", parameters: ["i32", "i32"], results: ["i32"] }
 */
export class Module {
  /** The bytes; none for a `WebAssembly.Module` that was compiled elsewhere. */
  readonly #image: Image | undefined;
  /** What errors call it. */
  readonly #what: string;
  /** The module as it was given, compiled. */
  #plain: WebAssembly.Module | undefined;
  /** Whatever the engine compiled first: custom sections are the same in all. */
  #any: WebAssembly.Module | undefined;
  readonly #variants = new Map<string, Promise<WebAssembly.Module>>();
  #name: string | undefined;
  #names: NameSection | undefined;
  #interface: ModuleInterface | undefined;
  #exports: Readonly<Record<string, ExternType>> | undefined;
  #imports: Readonly<Record<string, Readonly<Record<string, ExternType>>>> | undefined;

  private constructor({ what, name }: Given, image: Image | undefined, plain?: WebAssembly.Module) {
    this.#what = what;
    this.#image = image;
    this.#name = name;
    if (plain !== undefined) this.#setPlain(plain);
  }

  /**
   * Compiles a module. Bytes that do not begin with `\0asm` are WebAssembly text in UTF-8; so is every string. A
   * response is compiled while it arrives.
   *
   * @throws {CompileError} (rejects) for what is no valid module or could not be loaded; the message names the input, and for
   * text the line. Where `options.signal` aborts, rejects with its reason.
   */
  static async compile(
    source: ModuleSource | PromiseLike<ModuleSource>,
    options: CompileOptions = {},
  ): Promise<Module> {
    const { signal } = options;
    const compiling = Module.#compile(source, options);
    return signal === undefined ? compiling : orAborted(compiling, signal);
  }

  static async #compile(
    promise: ModuleSource | PromiseLike<ModuleSource>,
    { name, thread, ...options }: CompileOptions,
  ): Promise<Module> {
    const given: Given = { what: "the module", name, shared: sharesMemory(thread) };
    let source: ModuleSource;
    try {
      source = await promise;
    } catch (error) {
      return (await import("./loading.js")).fail("could not load the module", error);
    }
    options.signal?.throwIfAborted();
    if (typeof source === "string") return Module.#compileText(source, { ...given, what: "the text" });
    if (isEngineModule(source)) return new Module(given, origins.get(source), source);
    const view = viewOf(source);
    const { what, image, streamed } =
      view === undefined
        ? await (await import("./loading.js")).load(source, options, given)
        : inHand(view, given.what, options);
    const loaded: Given = { ...given, what };
    if (streamed !== undefined) {
      try {
        const compiled = await streamed.compiled;
        const { shift } = streamed;
        const module = new Module(loaded, image, shift === undefined ? compiled : undefined);
        if (shift !== undefined) {
          shifts.set(compiled, shift);
          module.#variants.set(keyOf(given), Promise.resolve(compiled));
        }
        module.#any = compiled;
        return module;
      } catch {
        // What the engine says of the bytes as they were given counts.
        loaded.shared = false;
      }
    }
    const { bytes } = image;
    if (isBinary(bytes)) return Module.#compileBinary(image, loaded);
    return Module.#compileText(textOf(bytes, what), loaded);
  }

  static async #compileBinary(image: Image, given: Given): Promise<Module> {
    const module = new Module(given, image);
    // Where the engine refuses the rewritten module, the module as it was given has the last word.
    await module.variant({ shared: given.shared }).catch(() => module.variant({}));
    return module;
  }

  static async #compileText(text: string, given: Given): Promise<Module> {
    const { what } = given;
    if (text.trim() === "") throw new CompileError(`${what} is empty`);
    if (/^\s*<[!?a-z]/i.test(text)) {
      throw new CompileError(
        `${what} is an HTML or XML page, not a WebAssembly module: check where it comes from`,
      );
    }
    const { bytes, objection } = await (await import("./loading.js")).assemble(text, what);
    try {
      return await Module.#compileBinary(imageOf(bytes), given);
    } catch (error) {
      throw objection ?? error;
    }
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
    if (!isBinary(image.bytes)) {
      const isBlank = textOf(image.bytes, what) === "";
      throw new CompileError(`${what} is ${isBlank ? "empty" : "text, which takes Module.compile"}`);
    }
    const module = new Module({ what, name: undefined, shared: false }, image);
    module.compiled;
    return module;
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
    const { unpack } = await import("./loading.js");
    const { module, name } = unpack(copy);
    const given = { what: "the serialized module", name, shared: sharesMemory() };
    return Module.#compileBinary(imageOf(module), given);
  }

  /** The module's bytes and name in a container of its own, with a checksum. */
  serialize(): Uint8Array<ArrayBuffer> {
    return pack([this.#bytes("serialize")], this.name);
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
      for (const [name, type] of this.#types().exports) exports[name] = type;
      this.#exports = Object.freeze(exports);
    }
    return this.#exports;
  }

  /** Every import's type by namespace and name; of duplicates the last. Otherwise as `exports`. */
  get imports(): Readonly<Record<string, Readonly<Record<string, ExternType>>>> {
    if (this.#imports === undefined) {
      const imports: Record<string, Record<string, ExternType>> = Object.create(null);
      for (const { module, name, type } of this.#types().imports) {
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
    return this.#types().imports;
  }

  /** The name that was set, else the name section's module name. */
  get name(): string | undefined {
    return this.#name ?? this.#nameSection().moduleName;
  }

  /** @throws {WasmexError} once an instance of the module exists */
  setName(name: string): void {
    if (typeof name !== "string") throw new WasmexError(`setName: pass a string, not ${describeValue(name)}`);
    if (isInstantiated(this)) {
      throw new WasmexError("Could not change module name. Maybe it is already instantiated?");
    }
    this.#name = name;
  }

  /** Copies of the contents of every custom section of that name, in order. */
  customSections(name: string): ArrayBuffer[] {
    return WebAssembly.Module.customSections(this.#any ?? this.compiled, name);
  }

  /** Size of the binary module in bytes. */
  get byteLength(): number {
    return this.#bytes("byteLength").length;
  }

  /**
   * The engine's module, as it was given. Compiled when first asked for, where what was compiled so far is meant for a thread.
   * @throws {UnsupportedError} where the engine compiles modules of that size in the background alone (Chromium's main thread)
   */
  get compiled(): WebAssembly.Module {
    if (this.#plain !== undefined) return this.#plain;
    try {
      return this.#setPlain(new WebAssembly.Module(this.#bytes("compiled")));
    } catch (error) {
      throw this.#engineError(error);
    }
  }

  /**
   * The engine's module with its limits rewritten; compiled once.
   * @throws {CompileError} (rejects) where the module is invalid or needs more than the limits allow
   * @throws {UnsupportedError} (rejects) where the bytes are unknown, or the engine refuses the rewritten module alone
   * @internal
   */
  variant(rewriting: Rewriting): Promise<WebAssembly.Module> {
    const key = keyOf(rewriting);
    const known = this.#variants.get(key);
    if (known !== undefined) return known;
    const compiling = this.#compileVariant(rewriting);
    this.#variants.set(key, compiling);
    compiling.then(
      (compiled) => {
        this.#any ??= compiled;
      },
      // A failure for want of memory may pass.
      () => this.#variants.delete(key),
    );
    return compiling;
  }

  async #compileVariant(rewriting: Rewriting): Promise<WebAssembly.Module> {
    const { memoryPages, tableElements } = rewriting;
    // Nothing can be rewritten without the bytes: a foreign module is taken as it is, unless limits are asked for.
    if (this.#image === undefined && memoryPages === undefined && tableElements === undefined)
      return this.compiled;
    const bytes = this.#bytes("limits");
    const isPlain = keyOf(rewriting) === keyOf({});
    const rewritten = isPlain ? undefined : (await import("./loading.js")).rewriteHead(bytes, rewriting);
    if (rewritten === undefined) {
      if (this.#plain !== undefined) return this.#plain;
      if (!isPlain) return this.variant({});
      try {
        return this.#setPlain(await WebAssembly.compile(bytes));
      } catch (error) {
        throw this.#engineError(error);
      }
    }
    try {
      // Where there are bytes there is an image.
      const compiled = await (this.#image as Image).withHead(rewritten, (changed) =>
        WebAssembly.compile(changed),
      );
      shifts.set(compiled, rewritten.head.length - rewritten.length);
      return compiled;
    } catch (cause) {
      await this.variant({});
      throw new UnsupportedError(
        `this engine does not compile ${this.#what} with shared memory or limits (${messageOf(cause)}): start it with thread: "inline" and without limits`,
        { cause },
      );
    }
  }

  /**
   * What an instance on any thread needs to know, as plain data.
   * @param compiled the variant to instantiate
   * @internal
   */
  shape(compiled: WebAssembly.Module = this.compiled): ModuleData {
    if (this.#image !== undefined) {
      const { exports, imports } = this.#types();
      return { compiled, exports, importEntries: imports };
    }
    const untyped = (of: ExternKind): ShapeType => ({ kind: "untyped", of });
    return {
      compiled,
      exports: new Map(WebAssembly.Module.exports(compiled).map(({ name, kind }) => [name, untyped(kind)])),
      importEntries: WebAssembly.Module.imports(compiled).map(({ module, name, kind }) => ({
        module,
        name,
        type: untyped(kind),
      })),
    };
  }

  /**
   * The name section's name of a function, by its index with the imports counted.
   * @internal
   */
  functionName(index: number): string | undefined {
    return this.#nameSection().functionName(index);
  }

  /** The module's byte at that offset; `undefined` where the bytes are unknown. @internal */
  byteAt(offset: number): number | undefined {
    return this.#image?.bytes[offset];
  }

  #nameSection(): NameSection {
    this.#names ??=
      this.#image === undefined
        ? new NameSection(
            new Cursor(new Uint8Array(this.customSections("name").at(-1) ?? new ArrayBuffer(0))),
          )
        : NameSection.ofModule(this.#image.bytes);
    return this.#names;
  }

  #types(): ModuleInterface {
    this.#interface ??= this.#image === undefined ? kindsOf(this.compiled) : readInterface(this.#image.bytes);
    return this.#interface;
  }

  #bytes(wanted: string): Uint8Array<ArrayBuffer> {
    if (this.#image === undefined) throw new UnsupportedError(`${wanted}: ${FOREIGN}`);
    return this.#image.bytes;
  }

  #setPlain(plain: WebAssembly.Module): WebAssembly.Module {
    this.#plain = plain;
    if (this.#image !== undefined) origins.set(plain, this.#image);
    return plain;
  }

  #engineError(error: unknown): unknown {
    if (error instanceof WasmexError) return error;
    const message = messageOf(error);
    // Chromium's main thread compiles no more than 8 MB at once.
    if (error instanceof RangeError && /main thread/.test(message)) {
      return new UnsupportedError(
        `${this.#what} is too large to compile at once on this thread: use Module.compile(source, { thread: "inline" })`,
        { cause: error },
      );
    }
    return new CompileError(`${this.#what} could not be compiled: ${message}`, { cause: error });
  }
}

function keyOf({ shared, memoryPages, tableElements }: Rewriting): string {
  return `${shared === true},${memoryPages},${tableElements}`;
}

function sharesMemory(thread?: CompileOptions["thread"]): boolean {
  const { threads, sharedMemory } = platform().threadSupport();
  return thread !== "inline" && threads && sharedMemory;
}
