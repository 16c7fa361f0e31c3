/** One program with its words and redirections. */
export interface Command {
  readonly assignments: readonly (readonly [string, string])[];
  readonly words: readonly string[];
  readonly input: string | undefined;
  readonly output: { readonly path: string; readonly append: boolean } | undefined;
}

/** A part of a line, and when to run it: always, or only if the one before it succeeded or failed. */
export interface Part {
  readonly when: "always" | "success" | "failure";
  readonly text: string;
}

export class ShellSyntaxError extends Error {}

type Token = { operator: string } | { word: string };

const OPERATORS = [">>", "|", "<", ">"];
const VARIABLE = /^\$(?:\{(\w+|\?)\}|(\w+|\?))/;

function tokenize(text: string, variable: (name: string) => string): Token[] {
  const tokens: Token[] = [];
  let word: string | undefined;
  const flush = (): void => {
    if (word !== undefined) tokens.push({ word });
    word = undefined;
  };
  let at = 0;
  const expand = (): boolean => {
    const match = VARIABLE.exec(text.slice(at));
    if (match === null) return false;
    word = (word ?? "") + variable(match[1] ?? match[2] ?? "");
    at += match[0].length;
    return true;
  };
  while (at < text.length) {
    const c = text[at] ?? "";
    const operator = OPERATORS.find((one) => text.startsWith(one, at));
    if (c === " " || c === "\t") {
      flush();
      at += 1;
    } else if (c === "#" && word === undefined) {
      break;
    } else if (operator !== undefined) {
      flush();
      tokens.push({ operator });
      at += operator.length;
    } else if (c === "'") {
      const end = text.indexOf("'", at + 1);
      if (end < 0) throw new ShellSyntaxError("a quote ' is not closed");
      word = (word ?? "") + text.slice(at + 1, end);
      at = end + 1;
    } else if (c === '"') {
      word ??= "";
      at += 1;
      while (text[at] !== '"') {
        if (at >= text.length) throw new ShellSyntaxError('a quote " is not closed');
        if (text[at] === "$" && expand()) continue;
        if (text[at] === "\\" && '"\\$'.includes(text[at + 1] ?? " ")) at += 1;
        word += text[at];
        at += 1;
      }
      at += 1;
    } else if (c === "\\" && at + 1 < text.length) {
      word = (word ?? "") + text[at + 1];
      at += 2;
    } else if (!(c === "$" && expand())) {
      word = (word ?? "") + c;
      at += 1;
    }
  }
  flush();
  return tokens;
}

/** Takes a line apart at `;`, `&&` and `||`. Variables stay as they are: each part sees what the ones before it have left. */
export function split(line: string): Part[] {
  const parts: Part[] = [];
  let when: Part["when"] = "always";
  let text = "";
  let quote = "";
  const end = (next: Part["when"], operator: string): void => {
    if (text.trim() !== "") parts.push({ when, text });
    else if (operator !== ";" && operator !== "")
      throw new ShellSyntaxError(`a command is missing before ${operator}`);
    when = next;
    text = "";
  };
  for (let at = 0; at < line.length; at++) {
    const c = line[at] ?? "";
    const two = line.slice(at, at + 2);
    if (quote !== "") {
      if (c === quote) quote = "";
      text += c;
    } else if (c === "\\") {
      text += two;
      at += 1;
    } else if (c === "'" || c === '"') {
      quote = c;
      text += c;
    } else if (c === "#" && /(^|\s)$/.test(text)) {
      break;
    } else if (c === ";") {
      end("always", c);
    } else if (two === "&&" || two === "||") {
      end(two === "&&" ? "success" : "failure", two);
      at += 1;
      if (line.slice(at + 1).trim() === "") throw new ShellSyntaxError(`a command is missing after ${two}`);
    } else {
      text += c;
    }
  }
  end("always", "");
  return parts;
}

/** Reads one part as a shell does: quotes, variables, pipes and redirections. */
export function parse(text: string, variable: (name: string) => string): Command[] {
  const tokens = tokenize(text, variable);
  const commands: Command[] = [];
  let at = 0;
  const file = (): string => {
    const token = tokens[at++];
    if (token === undefined || !("word" in token)) throw new ShellSyntaxError("a redirection needs a file");
    return token.word;
  };
  do {
    const assignments: [string, string][] = [];
    const words: string[] = [];
    let input: string | undefined;
    let output: Command["output"];
    let token = tokens[at];
    for (; token !== undefined && !("operator" in token && token.operator === "|"); token = tokens[at]) {
      at += 1;
      if ("word" in token) {
        const assignment = words.length === 0 ? /^([A-Za-z_]\w*)=(.*)$/s.exec(token.word) : null;
        if (assignment !== null) assignments.push([assignment[1] ?? "", assignment[2] ?? ""]);
        else words.push(token.word);
      } else if (token.operator === "<") {
        input = file();
      } else {
        output = { path: file(), append: token.operator === ">>" };
      }
    }
    if (words.length === 0 && (assignments.length === 0 || token !== undefined || commands.length > 0)) {
      throw new ShellSyntaxError("a command is missing");
    }
    commands.push({ assignments, words, input, output });
    at += 1;
  } while (at <= tokens.length);
  return commands;
}
