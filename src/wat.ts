import { CompileError } from "./errors.js";
import { platform } from "./platform.js";

interface WabtModule {
  validate(features?: object): void;
  toBinary(options: object): { buffer: Uint8Array };
  destroy(): void;
}
interface Wabt {
  parseWat(file: string, text: Uint8Array, features: object): WabtModule;
  readonly FEATURES?: Readonly<Record<string, boolean>>;
}

let loading: Promise<Wabt> | undefined;

async function loadWabt(): Promise<Wabt> {
  let loaded = await platform().loadWabt();
  // A CommonJS package arrives wrapped once or twice, by the bundler's or the runtime's manner.
  for (
    let depth = 0;
    depth < 2 && typeof loaded === "object" && loaded !== null && "default" in loaded;
    depth++
  ) {
    loaded = loaded.default;
  }
  return (typeof loaded === "function" ? await loaded() : loaded) as Wabt;
}

export interface Assembled {
  readonly bytes: Uint8Array;
  /** What the text's own checker objects to. The engine decides, but this knows the line. */
  readonly objection: CompileError | undefined;
}

/**
 * Turns WebAssembly text into a binary module, names included.
 * @param what names the input in errors
 * @throws CompileError with line, column and the offending line
 */
export async function assemble(text: string, what: string): Promise<Assembled> {
  loading ??= loadWabt();
  let wabt: Wabt;
  try {
    wabt = await loading;
  } catch (cause) {
    loading = undefined;
    throw new CompileError(
      `${what} is WebAssembly text, and its parser could not be loaded: ${(cause as Error).message}; or pass a binary module`,
      { cause },
    );
  }
  const features: Record<string, boolean> = {};
  for (const name in wabt.FEATURES) features[name] = true;
  let module: WabtModule | undefined;
  try {
    module = wabt.parseWat("wat", new TextEncoder().encode(text), features);
    let objection: CompileError | undefined;
    try {
      module.validate(features);
    } catch (error) {
      objection = textError(error, text, what);
    }
    // The buffer is the parser's own memory.
    return { bytes: module.toBinary({ write_debug_names: true }).buffer.slice(), objection };
  } catch (error) {
    const failure = textError(error, text, what);
    // A parser that broke down rather than objected is not used again.
    if (failure.line === undefined) loading = undefined;
    throw failure;
  } finally {
    module?.destroy();
  }
}

/** The parser's first complaint: `wat:line:column: error: message`, columns counted in bytes. */
function textError(error: unknown, text: string, what: string): CompileError {
  const message = error instanceof Error ? error.message : String(error);
  const found = /^wat:(\d+):(\d+): error: (.*)$/m.exec(message);
  if (found === null)
    return new CompileError(`${what} could not be parsed as WebAssembly text: ${message}`, { cause: error });
  const line = Number(found[1]);
  const source = text.split("\n")[line - 1]?.replace(/\r$/, "") ?? "";
  const before = new TextEncoder().encode(source).slice(0, Number(found[2]) - 1);
  const column = new TextDecoder().decode(before).length + 1;
  const pointer = source.slice(0, column - 1).replace(/[^\t]/g, " ");
  return new CompileError(`${what}, line ${line}, column ${column}: ${found[3]}\n${source}\n${pointer}^`, {
    cause: error,
    line,
    column,
  });
}
