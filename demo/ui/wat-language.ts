import { StreamLanguage, type StreamParser } from "@codemirror/language";

interface State {
  /** How many block comments are open: they nest. */
  comments: number;
}

const KEYWORDS = new Set(
  (
    "module func param result local type import export memory table global data elem start mut offset item declare " +
    "shared tag rec sub final struct array field ref null any eq i31 extern exn none noextern nofunc then else if block loop end"
  ).split(" "),
);

const TYPES =
  /^(?:[if](?:32|64)|v128|(?:func|extern|any|eq|i31|struct|array|exn|null)ref|funcref|externref)$/;
const NUMBER =
  /^[+-]?(?:0x[\da-f][\da-f_]*(?:\.[\da-f_]*)?(?:p[+-]?\d+)?|\d[\d_]*(?:\.[\d_]*)?(?:e[+-]?\d+)?|inf|nan(?::0x[\da-f_]+)?)$/i;

const parser: StreamParser<State> = {
  name: "wat",
  startState: () => ({ comments: 0 }),
  token(stream, state) {
    if (state.comments > 0) {
      while (!stream.eol()) {
        if (stream.match("(;")) state.comments += 1;
        else if (stream.match(";)")) {
          state.comments -= 1;
          if (state.comments === 0) return "comment";
        } else stream.next();
      }
      return "comment";
    }
    if (stream.eatSpace()) return null;
    if (stream.match(";;")) {
      stream.skipToEnd();
      return "lineComment";
    }
    if (stream.match("(;")) {
      state.comments = 1;
      return "comment";
    }
    const next = stream.next();
    if (next === "(" || next === ")") return "paren";
    if (next === '"') {
      for (let c = stream.next(); c !== undefined && c !== null && c !== '"'; c = stream.next()) {
        if (c === "\\") stream.next();
      }
      return "string";
    }
    stream.eatWhile(/[^\s()";]/);
    const word = stream.current();
    if (word.startsWith("$")) return "variableName";
    if (KEYWORDS.has(word)) return "keyword";
    if (TYPES.test(word)) return "typeName";
    if (NUMBER.test(word)) return "number";
    if (/^(?:offset|align)=/.test(word)) return "attributeName";
    return /^[a-z]/.test(word) ? "instruction" : null;
  },
  languageData: {
    commentTokens: { line: ";;", block: { open: "(;", close: ";)" } },
    closeBrackets: { brackets: ["(", '"'] },
  },
  tokenTable: {},
};

/** The WebAssembly text format. */
export const watLanguage = (instruction: import("@lezer/highlight").Tag) =>
  StreamLanguage.define({ ...parser, tokenTable: { instruction } });
