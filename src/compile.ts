/** What `Module` does in the background: sources, text, variants. Loaded when it is first needed, see `useLoading`. */

import { concat } from "./binary/cursor.js";
import { withHead } from "./binary/image.js";
import { addLoopChecks, type Checked } from "./binary/loop-checks.js";
import { type Rewriting, type RewrittenHead, rewriteHead } from "./binary/rewrite.js";
import { isBinary } from "./binary/sections.js";
import { isContainer, unpack } from "./binary/unpack.js";
import { checkSignal, orAborted } from "./deferred.js";
import { CompileError, UnsupportedError } from "./errors.js";
import type { CompileOptions, Module } from "./module.js";
import {
  bytesOf,
  type Content,
  messageOf,
  offsets,
  origins,
  plainOf,
  refusalOf,
  setPlain,
} from "./module-content.js";
import { foreignTypes } from "./module-foreign.js";
import { loadPart, platform } from "./platform.js";
import { fail, load, loaded, type ModuleSource } from "./source.js";
import { beginOf, classOf, type Image, imageOf, viewOf } from "./source-bytes.js";
import { strict } from "./text.js";
import { type ThreadVariant, threadVariant } from "./thread-variant.js";
import { describeValue } from "./values.js";
import type { WasiFactory } from "./wasi/provider.js";
import type { WasiInternals } from "./wasi/wasi.js";
import { assemble } from "./wat.js";

/** Most compiled forms of a module that are kept: a service may give every guest limits of its own. */
const MOST_VARIANTS = 4;

/** What errors call a string. */
const TEXT = "the text";

/** What is to be compiled first. */
interface Given extends ThreadVariant {
  /** What errors call it. */
  readonly what: string;
  readonly name: string | undefined;
}

/** A module that has been compiled may come of a promise. */
type Source = ModuleSource | Module;

function isCompiled(source: Source): source is Module {
  return typeof (source as Partial<Module> | undefined)?.variant === "function";
}

/** As `Module.compile` has it. Of bytes in hand there is a copy by now. */
export async function compile(
  source: Source | PromiseLike<Source>,
  copied: Image | undefined,
  options: CompileOptions,
): Promise<Content | Module> {
  const { signal } = options;
  checkSignal(signal);
  const compiling = compileSource(source, copied, options);
  return signal === undefined ? compiling : orAborted(compiling, signal);
}

async function compileSource(
  promise: Source | PromiseLike<Source>,
  copied: Image | undefined,
  { name, thread, ...options }: CompileOptions,
): Promise<Content | Module> {
  const given: Given = { what: "the module", name, ...forThread(thread) };
  let source: Source;
  try {
    source = await promise;
  } catch (error) {
    return fail("could not load the module", error);
  }
  options.signal?.throwIfAborted();
  if (typeof source === "string") return compileText(source, { ...given, what: TEXT });
  if (isCompiled(source)) return source;
  if (classOf(source) === "WebAssembly.Module") {
    const plain = source as WebAssembly.Module;
    const image = origins.get(plain);
    return { ...given, image, plain, ...(image === undefined && foreignTypes(plain)) };
  }
  const inHand = copied ?? (viewOf(source) && imageOf(source));
  const { what, image, streamed } =
    inHand === undefined ? await load(source, options, given) : loaded(inHand, given.what, options);
  let binary: Given = { ...given, what };
  if (streamed !== undefined) {
    try {
      const compiled = await streamed.compiled;
      const { shift } = streamed;
      const content: Content = { what, name, image, any: compiled };
      if (shift === undefined) setPlain(content, compiled);
      else {
        offsets.set(compiled, (offset) => offset - shift);
        content.variants = new Map([[keyOf(given), Promise.resolve(compiled)]]);
      }
      return content;
    } catch {
      // What the engine says of the bytes as they were given counts.
      binary = { ...binary, shared: false };
    }
  }
  const { bytes } = image;
  if (isBinary(bytes)) {
    // Of the eight bytes that a binary begins with the last two are its layer: 0 a core module's, 1 a component's.
    if (bytes[6] === 1) {
      throw new CompileError(
        `${what} could not be compiled: it is a component (WASI preview 2), not a core module: build it for wasm32-wasip1`,
      );
    }
    return compileBinary(image, binary);
  }
  return compileText(textOf(bytes, what), binary);
}

async function compileBinary(image: Image, { what, name, ...variant }: Given): Promise<Content> {
  const content: Content = { what, name, image };
  // Where the engine refuses the rewritten module, the module as it was given has the last word.
  await variantOf(content, variant).catch(() => variantOf(content));
  return content;
}

async function compileText(text: string, given: Given): Promise<Content> {
  const { what } = given;
  const trimmed = text.trim();
  if (trimmed === "") throw new CompileError(`${what} is empty`);
  if (/^\s*<[!?a-z]/i.test(text)) {
    throw new CompileError(
      `${what} is an HTML or XML page, not a WebAssembly module: check where it comes from`,
    );
  }
  if (what === TEXT && /^(data:|[^\s(;]*(\/|\.wasm$)[^\s(;]*$)/.test(trimmed)) {
    throw new CompileError(
      `${what} is an address, ${describeValue(trimmed)}, no WebAssembly text: load it by \`fetch\` or as a URL`,
    );
  }
  const { bytes, objection } = await assemble(text.replace(/^\uFEFF/, ""), what);
  try {
    return await compileBinary(imageOf(bytes), given);
  } catch (error) {
    throw objection ?? error;
  }
}

/** @throws CompileError for bytes that can't be text */
function textOf(bytes: Uint8Array<ArrayBuffer>, what: string): string {
  if (isContainer(bytes))
    throw new CompileError(`${what} is a serialized module: pass it to Module.deserialize`);
  try {
    const text = strict.decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // Told below.
  }
  throw new CompileError(
    `${what} is neither a WebAssembly module nor text: it begins with ${beginOf(bytes)}, not with 00 61 73 6d`,
  );
}

/** As `Module.deserialize` has it; nobody else may be able to change the container meanwhile. */
export async function restore(container: Uint8Array<ArrayBuffer>): Promise<Content> {
  const { module, name } = unpack(container);
  return compileBinary(imageOf(module), { what: "the serialized module", name, ...forThread() });
}

/** As `Module.variant` has it. */
export function variantOf(content: Content, rewriting: Rewriting = {}): Promise<WebAssembly.Module> {
  content.variants ??= new Map();
  const { variants } = content;
  const key = keyOf(rewriting);
  const known = variants.get(key);
  variants.delete(key);
  const compiling = known ?? compileVariant(content, rewriting);
  variants.set(key, compiling);
  if (known !== undefined) return known;
  // The one that was asked for least recently goes: what runs keeps its own.
  if (variants.size > MOST_VARIANTS) variants.delete(variants.keys().next().value as string);
  compiling.then(
    (compiled) => {
      content.any ??= compiled;
    },
    // A failure for want of memory may pass.
    () => variants.get(key) === compiling && variants.delete(key),
  );
  return compiling;
}

async function compileVariant(content: Content, rewriting: Rewriting): Promise<WebAssembly.Module> {
  const { what, image, plain } = content;
  const { memoryPages, tableElements, loops } = rewriting;
  // Nothing can be rewritten without the bytes: a foreign module is taken as it is, unless limits or checks are asked for.
  if (image === undefined && memoryPages === undefined && tableElements === undefined && !loops)
    return plainOf(content);
  const bytes = bytesOf(content, loops ? "interruptible" : "limits");
  const isPlain = keyOf(rewriting) === keyOf({});
  const rewritten = isPlain ? undefined : rewriteHead(bytes, rewriting);
  const checked = loops ? withChecks(what, bytes, rewritten) : undefined;
  // Where there are bytes there is an image.
  if ((rewritten ?? checked) === undefined || image === undefined) {
    if (plain !== undefined) return plain;
    if (!isPlain) return variantOf(content);
    try {
      return setPlain(content, await WebAssembly.compile(bytes));
    } catch (error) {
      throw refusalOf(content, error);
    }
  }
  try {
    const { head, length } = rewritten ?? { head: [], length: 0 };
    const shift = head.length - length;
    const compiled =
      checked || rewritten === undefined
        ? await WebAssembly.compile(checked?.bytes ?? bytes)
        : await withHead(image, rewritten, (changed) => WebAssembly.compile(changed));
    offsets.set(compiled, (offset) => (checked?.originalOffset(offset) ?? offset) - shift);
    return compiled;
  } catch (cause) {
    await variantOf(content);
    throw new UnsupportedError(
      `this engine does not compile ${what} with shared memory, limits or checks (${messageOf(cause)}): start it with thread: "inline" and without limits`,
      { cause },
    );
  }
}

/** The module with its new head, if it has one, and checks; `undefined` where there is nothing to check. */
function withChecks(
  what: string,
  bytes: Uint8Array<ArrayBuffer>,
  rewritten: RewrittenHead | undefined,
): Checked | undefined {
  const whole = rewritten === undefined ? bytes : concat([rewritten.head, bytes.subarray(rewritten.length)]);
  try {
    return addLoopChecks(whole);
  } catch (cause) {
    // What is no module at all is for the engine to refuse.
    if (!WebAssembly.validate(bytes)) return undefined;
    throw new UnsupportedError(
      `interruptible: ${what} has instructions that no checks can be put between here; start it on a thread of its own`,
      { cause },
    );
  }
}

function keyOf({ shared, memoryPages, tableElements, loops }: Rewriting): string {
  return `${shared === true},${memoryPages},${tableElements},${loops === true}`;
}

/** What a module that will be started on a thread of its own is compiled to first. */
function forThread(thread?: CompileOptions["thread"]): ThreadVariant {
  const { threads, sharedMemory } = platform().threadSupport();
  return threadVariant(threads && (thread === "worker" || (thread !== "inline" && sharedMemory)));
}

/** Loads WASI, for who has not imported it. */
export async function wasi(): Promise<WasiFactory> {
  // The export is used, not only its registration: bundlers leave out what a file does when nothing of it is used.
  const Wasi = await loadPart(async () => (await import("./wasi/wasi.js")).Wasi);
  return (options, internals) => new Wasi(options, internals as WasiInternals | undefined);
}
