const CODES = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;

/** Wraps text in a colour where the stream is a terminal and `NO_COLOR` is not set. */
export function style(colour: keyof typeof CODES, text: string, stream: NodeJS.WriteStream): string {
  if (!stream.isTTY || process.env["NO_COLOR"]) return text;
  return `\u001b[${CODES[colour]}m${text}\u001b[0m`;
}

/** Rows of cells in columns; the last column is not padded. */
export function columns(rows: readonly (readonly string[])[], indent = "  "): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) => {
      const cells = row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)));
      return `${indent}${cells.join("  ")}\n`;
    })
    .join("");
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A name from a module, fit for a terminal: no control character of it is acted on. */
export function printable(name: string): string {
  return name.replace(CONTROL, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
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
