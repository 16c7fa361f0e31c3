const CODES = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;

/** Wraps text in a colour where the stream is a terminal and `NO_COLOR` is not set. */
export function style(colour: Colour, text: string, stream: NodeJS.WriteStream): string {
  if (!stream.isTTY || process.env["NO_COLOR"]) return text;
  return `\u001b[${CODES[colour]}m${text}\u001b[0m`;
}

export type Colour = keyof typeof CODES;

/** What stands in a table: text, coloured where the stream allows. */
export type Cell = string | { readonly text: string; readonly colour: Colour };

/** Rows of cells in columns; the last column is not padded. */
export function columns(rows: readonly (readonly Cell[])[], stream: NodeJS.WriteStream): string {
  const textOf = (cell: Cell) => (typeof cell === "string" ? cell : cell.text);
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, textOf(cell).length);
    });
  }
  let text = "";
  for (const row of rows) {
    const cells = row.map((cell, at) => {
      const padded = textOf(cell).padEnd(widths[at] ?? 0);
      return typeof cell === "string" ? padded : style(cell.colour, padded, stream);
    });
    text += `  ${cells.join("  ").trimEnd()}\n`;
  }
  return text;
}

/** Control characters, line separators and what turns the direction of writing. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

function escapeCharacter(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

/** A name from a module, fit for a terminal: no control character of it is acted on. */
export function printable(name: string): string {
  return name.replace(CONTROL, escapeCharacter);
}

/** The same for text with names in it, whose own lines and tabs stay. */
export function printableText(text: string): string {
  return text.replace(CONTROL, (character) =>
    character === "\n" || character === "\t" ? character : escapeCharacter(character),
  );
}

const WIDE =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60]/u;
const COMBINING = /\p{M}/u;

/** How many columns of a terminal a character takes, by and large. */
export function widthOf(character: string): number {
  if (COMBINING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** A size a person reads: `1.2 MB`. */
export function humanBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB"];
  let value = bytes;
  let unit = -1;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** What takes no longer than this is not worth a word, in milliseconds. */
const PATIENCE = 300;

/** Tells a waiting person what takes so long, on a terminal alone; answers how to wipe it out again. */
export function announce(text: string): () => void {
  const { stderr } = process;
  if (!stderr.isTTY) return () => undefined;
  let told = false;
  const timer = setTimeout(() => {
    told = true;
    stderr.write(style("dim", text, stderr));
  }, PATIENCE);
  return () => {
    clearTimeout(timer);
    if (told) stderr.write("\r\u001b[K");
  };
}
