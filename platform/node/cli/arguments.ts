/** The command line was not understood. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}

/** `--help` stands among a command's options. */
export class HelpAsked extends Error {
  override readonly name: string = "HelpAsked";
}

/** How an option is written: with a value, several times with values, or alone. */
export type OptionKind = "value" | "list" | "flag";

export interface Arguments {
  readonly values: ReadonlyMap<string, string>;
  readonly lists: ReadonlyMap<string, readonly string[]>;
  readonly flags: ReadonlySet<string>;
  /** What stands after the options, the first word that is none included. */
  readonly rest: readonly string[];
}

/**
 * Reads options up to the first word that is none: what follows belongs to the guest, as wasmtime has it. Both
 * `--key value` and `--key=value`; `--` ends the options.
 * @param anywhere options may also follow the first word
 * @throws UsageError naming the word; HelpAsked for `--help`
 */
export function parseArguments(
  words: readonly string[],
  options: Readonly<Record<string, OptionKind>>,
  anywhere = false,
): Arguments {
  const values = new Map<string, string>();
  const lists = new Map<string, string[]>();
  const flags = new Set<string>();
  const rest: string[] = [];
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] as string;
    if (word === "--") {
      at++;
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      if (!anywhere) break;
      rest.push(word);
      continue;
    }
    if (word === "--help" || word === "-h") throw new HelpAsked();
    const equals = word.indexOf("=");
    const key = equals < 0 ? word : word.slice(0, equals);
    const kind = Object.hasOwn(options, key) ? options[key] : undefined;
    if (kind === undefined) {
      throw new UsageError(`unknown option ${word}: known are ${Object.keys(options).join(", ")}`);
    }
    if (kind === "flag") {
      if (equals >= 0) throw new UsageError(`${key} takes no value`);
      flags.add(key);
      continue;
    }
    const value = equals < 0 ? words[++at] : word.slice(equals + 1);
    if (value === undefined) throw new UsageError(`${key} needs a value`);
    if (kind === "list") lists.set(key, [...(lists.get(key) ?? []), value]);
    else values.set(key, value);
  }
  rest.push(...words.slice(at));
  return { values, lists, flags, rest };
}

/** The one file that a command works on. */
export function soleFile(rest: readonly string[], command: string): string {
  const [file, extra] = rest;
  if (file === undefined) throw new UsageError(`wasmex ${command} needs a file ("-" is standard input)`);
  if (extra !== undefined)
    throw new UsageError(`wasmex ${command} takes one file; ${JSON.stringify(extra)} is too much`);
  return file;
}
