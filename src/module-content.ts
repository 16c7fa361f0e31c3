import { type ModuleInterface, readInterface } from "./binary/interface.js";
import { type Names, readNames } from "./binary/names.js";
import { CompileError, UnsupportedError, WasmexError } from "./errors.js";
import type { ModuleShape } from "./shape.js";
import type { Image } from "./source-bytes.js";

interface Untyped {
  readonly exports: ModuleShape["exports"];
  readonly imports: ModuleShape["importEntries"];
  readonly probe?: undefined;
}

/** What a module is made from and what came of it so far; `compile.ts` has a hand in it. */
export interface Content {
  /** What errors call it. */
  readonly what: string;
  name?: string | undefined;
  /** The bytes; none for a `WebAssembly.Module` that was compiled elsewhere. */
  readonly image?: Image | undefined;
  /** The module as it was given, compiled. */
  plain?: WebAssembly.Module | undefined;
  /** Whatever the engine compiled first: custom sections are the same in all. */
  any?: WebAssembly.Module | undefined;
  variants?: Map<string, Promise<WebAssembly.Module>>;
  types?: Omit<ModuleInterface, "probe"> & Partial<ModuleInterface>;
  /** What instances see in place of the types, where these are unknown. */
  readonly untyped?: Untyped;
  /** Refuses to tell what is unknown where there are no bytes. */
  readonly foreign?: (wanted: string) => never;
  names?: Names | undefined;
  /** Whether there is an instance. */
  instantiated?: boolean;
}

/** Where the engine modules that were handed out come from. */
export const origins = new WeakMap<WebAssembly.Module, Image>();

/** Where in the module that was given lies what stands at an offset of a rewritten one's code. */
export const offsets = new WeakMap<WebAssembly.Module, (offset: number) => number>();

/** @throws UnsupportedError where the bytes are unknown */
export function bytesOf({ image, foreign }: Content, wanted: string): Uint8Array<ArrayBuffer> {
  // One of the two is there.
  return (image?.bytes ?? foreign?.(wanted)) as Uint8Array<ArrayBuffer>;
}

/** What the engine objects to, without its prefix. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^WebAssembly\.[\w.]+(\(\))?: /, "") : String(error);
}

export function setPlain(content: Content, plain: WebAssembly.Module): WebAssembly.Module {
  content.plain = plain;
  if (content.image !== undefined) origins.set(plain, content.image);
  return plain;
}

/** The error for what the engine says of a module as it was given. */
export function refusalOf({ what }: Content, error: unknown): unknown {
  if (error instanceof WasmexError) return error;
  const message = messageOf(error);
  // Chromium's main thread compiles no more than 8 MB at once.
  if (error instanceof RangeError && /main thread/.test(message)) {
    return new UnsupportedError(
      `${what} is too large to compile at once on this thread: use Module.compile(source, { thread: "inline" })`,
      { cause: error },
    );
  }
  return new CompileError(`${what} could not be compiled: ${message}`, { cause: error });
}

/** The module as it was given, compiled now where it hasn't been. */
export function plainOf(content: Content): WebAssembly.Module {
  try {
    return content.plain ?? setPlain(content, new WebAssembly.Module(bytesOf(content, "compiled")));
  } catch (error) {
    throw refusalOf(content, error);
  }
}

export function typesOf(content: Content): NonNullable<Content["types"]> {
  content.types ??= readInterface(bytesOf(content, "types"));
  return content.types;
}

export function customSections(content: Content, name: string): ArrayBuffer[] {
  return WebAssembly.Module.customSections(content.any ?? plainOf(content), name);
}

export function namesOf(content: Content): Names {
  content.names ??= readNames(customSections(content, "name").at(-1));
  return content.names;
}

/** What an instance needs to know of the module, of which `compiled` is a variant. */
export function shapeOf(content: Content, compiled: WebAssembly.Module): ModuleShape {
  const { exports, imports, probe } = content.untyped ?? typesOf(content);
  return {
    compiled,
    exports,
    importEntries: imports,
    probe,
    functionName: (index) => namesOf(content).functionName(index),
    byteAt: (offset) => content.image?.bytes[offset],
    originalOffset: offsets.get(compiled),
  };
}
