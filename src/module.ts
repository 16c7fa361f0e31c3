import { isContainer, pack, unpack } from "./binary/container.js";
import { Cursor, decodeUtf8 } from "./binary/cursor.js";
import { type Image, ImageBuilder } from "./binary/image.js";
import { type ModuleInterface, readInterface } from "./binary/interface.js";
import { NameSection } from "./binary/names.js";
import { type Rewriting, rewriteHead } from "./binary/rewrite.js";
import { isBinary } from "./binary/sections.js";
import { CompileError, UnsupportedError, WasmexError } from "./errors.js";
import { platform } from "./platform.js";
import type { ExternType, ImportEntry, ModuleData, ShapeImport, ShapeType } from "./shape.js";
import { classOf, fail, type LoadOptions, load, type ModuleSource, viewOf } from "./source.js";
import { assemble } from "./wat.js";

export interface CompileOptions extends LoadOptions {
  /** Takes the place of the module's own name. */
  readonly name?: string | undefined;
  /**
   * On which thread the module will be started, as `start` has it (default `"auto"`). Either works whatever is said here: it
   * decides what is compiled now and what when it is first needed.
   */
  readonly thread?: "auto" | "worker" | "inline" | undefined;
}

/** Where the engine modules that were handed out come from. */
const origins = new WeakMap<WebAssembly.Module, Image>();

let mark: (module: Module) => void;

/**
 * Tells a module that it has an instance: its name is fixed from now on.
 * @internal
 */
export function markInstantiated(module: Module): void {
  mark(module);
}

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
  #instantiated = false;
  #name: string | undefined;
  #names: NameSection | undefined;
  #interface: ModuleInterface | undefined;
  #exports: Readonly<Record<string, ExternType>> | undefined;
  #imports: Readonly<Record<string, Readonly<Record<string, ExternType>>>> | undefined;

  static {
    mark = (module) => {
      module.#instantiated = true;
    };
  }

  private constructor(
    what: string,
    image: Image | undefined,
    name: string | undefined,
    plain?: WebAssembly.Module,
  ) {
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
    if (signal === undefined) return Module.#compile(source, options);
    let onAbort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort);
    });
    try {
      return await Promise.race([aborted, Module.#compile(source, options)]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  static async #compile(
    promise: ModuleSource | PromiseLike<ModuleSource>,
    options: CompileOptions,
  ): Promise<Module> {
    let source: ModuleSource;
    try {
      source = await promise;
    } catch (error) {
      return fail("could not load the module", error);
    }
    options.signal?.throwIfAborted();
    const { name } = options;
    const shared = sharesMemory(options.thread);
    if (typeof source === "string") return Module.#compileText(source, "the text", name, shared);
    if (isEngineModule(source)) return new Module("the module", origins.get(source), name, source);
    const { what, image, streamed } = await load(source, options, { shared });
    if (streamed === undefined) return Module.#compileImage(image, what, name, shared);
    try {
      const compiled = await streamed.compiled;
      const module = new Module(what, image, name, streamed.changed ? undefined : compiled);
      if (streamed.changed) module.#variants.set(keyOf({ shared }), Promise.resolve(compiled));
      module.#any = compiled;
      return module;
    } catch {
      // What the engine says of the bytes as they were given counts.
      return Module.#compileImage(image, what, name, false);
    }
  }

  static async #compileImage(
    image: Image,
    what: string,
    name: string | undefined,
    shared: boolean,
  ): Promise<Module> {
    const { bytes } = image;
    if (isBinary(bytes)) return Module.#compileBinary(image, what, name, shared);
    if (bytes.length === 0) throw new CompileError(`${what} is empty`);
    if (isContainer(bytes))
      throw new CompileError(`${what} is a serialized module: pass it to Module.deserialize`);
    return Module.#compileText(textOf(bytes, what), what, name, shared);
  }

  static async #compileBinary(
    image: Image,
    what: string,
    name: string | undefined,
    shared: boolean,
  ): Promise<Module> {
    const module = new Module(what, image, name);
    if (shared) {
      try {
        await module.variant({ shared });
        return module;
      } catch {
        // As above: the module as it was given has the last word.
      }
    }
    await module.variant({});
    return module;
  }

  static async #compileText(
    text: string,
    what: string,
    name: string | undefined,
    shared: boolean,
  ): Promise<Module> {
    if (text.trim() === "") throw new CompileError(`${what} is empty`);
    if (/^\s*<[!?a-z]/i.test(text)) {
      throw new CompileError(
        `${what} is an HTML or XML page, not a WebAssembly module: check where it comes from`,
      );
    }
    const { bytes, objection } = await assemble(text, what);
    try {
      return await Module.#compileBinary(imageOf(bytes), what, name, shared);
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
    const image = imageOf(viewOf(bytes) ?? new Uint8Array(0));
    const what = "the module";
    if (image.bytes.length === 0) throw new CompileError(`${what} is empty`);
    if (!isBinary(image.bytes)) {
      textOf(image.bytes, what);
      throw new CompileError(`${what} does not begin with "\\0asm"; WebAssembly text takes Module.compile`);
    }
    const module = new Module(what, image, undefined);
    module.compiled;
    return module;
  }

  /** Whether the engine would compile these bytes. Text is no module here. */
  static validate(bytes: ArrayBuffer | SharedArrayBuffer | ArrayBufferView): boolean {
    const view = viewOf(bytes);
    return view !== undefined && view.length > 0 && WebAssembly.validate(imageOf(view).bytes);
  }

  /**
   * Restores what `serialize` made.
   * @throws {CompileError} (rejects) for a container that was cut, altered in any bit or is none
   */
  static async deserialize(bytes: ArrayBuffer | SharedArrayBuffer | ArrayBufferView): Promise<Module> {
    const { module, name } = unpack(imageOf(viewOf(bytes) ?? new Uint8Array(0)).bytes);
    return Module.#compileBinary(imageOf(module), "the serialized module", name, sharesMemory(undefined));
  }

  /** The module's bytes and name in a container of its own, with a checksum. */
  serialize(): Uint8Array<ArrayBuffer> {
    return pack(this.#bytes("serialize"), this.name);
  }

  /**
   * Every export's type by name, in the module's order (names that are whole numbers come first, as in every JavaScript
   * object). Read when first asked for.
   * @throws {UnsupportedError} for a `WebAssembly.Module` compiled elsewhere, where the engine does not tell types
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
    if (this.#instantiated) {
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
    if (this.#plain === undefined) {
      try {
        this.#setPlain(new WebAssembly.Module(this.#bytes("compiled")));
      } catch (error) {
        throw this.#engineError(error);
      }
    }
    return this.#plain as WebAssembly.Module;
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
    if (this.#image === undefined && memoryPages === undefined && tableElements === undefined)
      return this.compiled;
    const bytes = this.#bytes("limits") as Uint8Array<ArrayBuffer>;
    const rewritten = rewriteHead(bytes, rewriting);
    if (rewritten !== undefined) {
      const compiling = (this.#image as Image).withHead(rewritten, (changed) => WebAssembly.compile(changed));
      return compiling.catch(async (cause: unknown) => {
        await this.variant({});
        throw new UnsupportedError(
          `this engine does not compile ${this.#what} with shared memory or other limits (${messageOf(cause)}): start it with thread: "inline" and without limits`,
          { cause },
        );
      });
    }
    if (keyOf(rewriting) !== keyOf({})) return this.variant({});
    if (this.#plain === undefined) {
      try {
        this.#setPlain(await WebAssembly.compile(bytes));
      } catch (error) {
        throw this.#engineError(error);
      }
    }
    return this.#plain as WebAssembly.Module;
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
    const exports = WebAssembly.Module.exports(compiled).map(
      (descriptor) => [descriptor.name, reflectedType(descriptor)] as const,
    );
    return { compiled, exports: new Map(exports), importEntries: reflectedImports(compiled) };
  }

  /** Whether the bytes are at hand: types, limits and shared memories need them. @internal */
  get hasBytes(): boolean {
    return this.#image !== undefined;
  }

  /**
   * The name section's name of a function, by its index with the imports counted.
   * @internal
   */
  functionName(index: number): string | undefined {
    return this.#nameSection().functionName(index);
  }

  #nameSection(): NameSection {
    if (this.#names === undefined) {
      if (this.#image !== undefined) {
        this.#names = NameSection.ofModule(this.#image.bytes);
      } else {
        const sections = WebAssembly.Module.customSections(this.compiled, "name");
        this.#names = new NameSection(new Cursor(new Uint8Array(sections.at(-1) ?? new ArrayBuffer(0))));
      }
    }
    return this.#names;
  }

  #types(): ModuleInterface {
    if (this.#interface === undefined) {
      this.#interface = this.#image === undefined ? this.#reflected() : readInterface(this.#image.bytes);
    }
    return this.#interface;
  }

  #reflected(): ModuleInterface {
    const { exports, importEntries } = this.shape();
    const isTyped = [...exports.values(), ...importEntries.map((entry) => entry.type)].every(
      (type) => type.kind !== "untyped",
    );
    if (!isTyped) this.#bytes("types");
    return { exports, imports: importEntries } as ModuleInterface;
  }

  #bytes(wanted: string): Uint8Array<ArrayBuffer> {
    if (this.#image === undefined) {
      throw new UnsupportedError(
        `${wanted}: the bytes of a WebAssembly.Module that was compiled elsewhere can't be read: pass the bytes to Module.compile`,
      );
    }
    return this.#image.bytes;
  }

  #setPlain(plain: WebAssembly.Module): void {
    this.#plain = plain;
    if (this.#image !== undefined) origins.set(plain, this.#image);
  }

  #engineError(error: unknown): WasmexError {
    if (error instanceof WasmexError) return error;
    // Chromium's main thread compiles no more than 8 MB at once.
    if (error instanceof RangeError && /main thread/.test(error.message)) {
      return new UnsupportedError(
        `${this.#what} is too large to be compiled at once on this thread: use await Module.compile(source, { thread: "inline" })`,
        { cause: error },
      );
    }
    return new CompileError(`${this.#what} could not be compiled: ${messageOf(error)}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^WebAssembly\.[\w.]+(\(\))?: /, "") : String(error);
}

function keyOf({ shared, memoryPages, tableElements }: Rewriting): string {
  return `${shared === true},${memoryPages},${tableElements}`;
}

function sharesMemory(thread: CompileOptions["thread"]): boolean {
  if (thread === "inline") return false;
  const { threads, sharedMemory } = platform().threadSupport();
  return threads && sharedMemory;
}

function imageOf(bytes: Uint8Array): Image {
  const builder = new ImageBuilder(bytes.length);
  builder.push(bytes);
  return builder.finish();
}

function isEngineModule(source: unknown): source is WebAssembly.Module {
  return classOf(source) === "WebAssembly.Module";
}

/** @throws CompileError for bytes that can't be text */
function textOf(bytes: Uint8Array<ArrayBuffer>, what: string): string {
  let text: string | undefined;
  try {
    text = decodeUtf8(bytes);
  } catch {
    // Told below.
  }
  if (text !== undefined && !text.includes("\0")) return text.replace(/^\uFEFF/, "");
  const first = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  throw new CompileError(
    `${what} is neither a WebAssembly module nor text: it begins with ${first}, not with 00 61 73 6d ("\\0asm")`,
  );
}

/** An import's or export's type where the engine has the type-reflection proposal. */
function reflectedType(descriptor: { kind: ExternType["kind"] }): ShapeType {
  const { kind, type } = descriptor as { kind: ExternType["kind"]; type?: object };
  if (type === undefined) return { kind: "untyped", of: kind };
  return { kind, ...(kind === "memory" && { shared: false }), ...type } as ExternType;
}

function reflectedImports(compiled: WebAssembly.Module): ShapeImport[] {
  return WebAssembly.Module.imports(compiled).map((descriptor) => ({
    module: descriptor.module,
    name: descriptor.name,
    type: reflectedType(descriptor),
  }));
}
