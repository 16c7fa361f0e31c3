/** One program with its words and redirections. */
export interface Command {
  readonly assignments: readonly (readonly [string, string])[];
  readonly words: readonly string[];
  readonly input: string | undefined;
  readonly output: { readonly path: string; readonly append: boolean } | undefined;
}

/** Commands joined by pipes, and when to run them: always, or only if the one before them succeeded or failed. */
export interface Pipeline {
  readonly when: "always" | "success" | "failure";
  readonly commands: readonly Command[];
}

export class ShellSyntaxError extends Error {}

type Token = { operator: string } | { word: string; quoted: boolean };

const OPERATORS = ["&&", "||", ">>", "|", ";", "<", ">"];
const VARIABLE = /^\$(?:\{(\w+|\?)\}|(\w+|\?))/;

function tokenize(text: string, variable: (name: string) => string): Token[] {
  const tokens: Token[] = [];
  let word: string | undefined;
  let quoted = false;
  const flush = (): void => {
    if (word !== undefined) tokens.push({ word, quoted });
    word = undefined;
    quoted = false;
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
      quoted = true;
      at = end + 1;
    } else if (c === '"') {
      word ??= "";
      quoted = true;
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

/** Reads a line as a shell does: quotes, variables, pipes, redirections, `;`, `&&` and `||`. */
export function parse(text: string, variable: (name: string) => string): Pipeline[] {
  const tokens = tokenize(text, variable);
  const pipelines: Pipeline[] = [];
  let commands: Command[] = [];
  let when: Pipeline["when"] = "always";
  let at = 0;
  const endPipeline = (): void => {
    if (commands.length > 0) pipelines.push({ when, commands });
    commands = [];
  };
  const file = (): string => {
    const token = tokens[at++];
    if (token === undefined || !("word" in token)) throw new ShellSyntaxError("a redirection needs a file");
    return token.word;
  };
  while (at < tokens.length) {
    const assignments: [string, string][] = [];
    const words: string[] = [];
    let input: string | undefined;
    let output: Command["output"];
    for (let token = tokens[at]; token !== undefined; token = tokens[at]) {
      if ("word" in token) {
        at += 1;
        const assignment = words.length === 0 ? /^([A-Za-z_]\w*)=(.*)$/s.exec(token.word) : null;
        if (assignment !== null) assignments.push([assignment[1] ?? "", assignment[2] ?? ""]);
        else words.push(token.word);
      } else if (token.operator === "<") {
        at += 1;
        input = file();
      } else if (token.operator === ">" || token.operator === ">>") {
        at += 1;
        output = { path: file(), append: token.operator === ">>" };
      } else break;
    }
    const nothing = words.length === 0 && assignments.length === 0;
    const operator = tokens[at];
    if (nothing && (operator !== undefined || commands.length > 0))
      throw new ShellSyntaxError("a command is missing");
    commands.push({ assignments, words, input, output });
    if (operator === undefined || !("operator" in operator)) break;
    at += 1;
    if (operator.operator === "|") {
      if (at === tokens.length) throw new ShellSyntaxError("a command is missing after |");
      continue;
    }
    endPipeline();
    when = operator.operator === "&&" ? "success" : operator.operator === "||" ? "failure" : "always";
    if (when !== "always" && at === tokens.length)
      throw new ShellSyntaxError(`a command is missing after ${operator.operator}`);
  }
  endPipeline();
  return pipelines;
}
