import { CompileError } from "../../../src/errors.js";
import { printableText, style, widthOf } from "./terminal.js";

/** How much of a line of text is shown where the width of a terminal is unknown, in columns. */
const USUAL_WIDTH = 100;
const LEAST_WIDTH = 20;

function lastOf(text: string, count: number): string {
  // Twice as much is enough for characters of two units, and a half one at the cut is dropped with the rest.
  return Array.from(text.slice(-2 * count - 2))
    .slice(-count)
    .join("");
}

function firstOf(text: string, count: number): string {
  return Array.from(text.slice(0, 2 * count + 2))
    .slice(0, count)
    .join("");
}

/** What of a line stands around a column, and a caret below that. */
function excerpt(line: string, column: number, width: number): string {
  let before = line.slice(0, column - 1);
  let after = line.slice(column - 1);
  if (line.length > width) {
    const start = lastOf(before, width >> 1);
    const end = firstOf(after, width - (width >> 1));
    before = (start.length < before.length ? "…" : "") + start;
    after = end + (end.length < after.length ? "…" : "");
  }
  const shown = printableText(before);
  const pointer = Array.from(shown, (character) =>
    character === "\t" ? character : " ".repeat(widthOf(character)),
  ).join("");
  return `${shown}${printableText(after)}\n${pointer}^`;
}

/** What is wrong, fit for a terminal: nothing in it is acted on, and of a long line of WebAssembly text the part in question is shown. */
export function messageOf(error: Error, { columns } = process.stderr): string {
  const { message } = error;
  if (!(error instanceof CompileError) || error.column === undefined) return printableText(message);
  const lines = message.split("\n");
  const [line = ""] = lines.splice(-2);
  // A terminal may not know its width, and two columns are for what stands for the rest of the line.
  const width = Math.max((columns || USUAL_WIDTH) - 2, LEAST_WIDTH);
  return `${printableText(lines.join("\n"))}\n${excerpt(line, error.column, width)}`;
}

/** The line that tells a person what went wrong. `text` is printed as it is. */
export function failure(text: string): string {
  return `${style("red", "error:", process.stderr)} ${text}\n`;
}
