import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascript } from "@codemirror/lang-javascript";
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { EditorState, type Extension, type Range, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
  WidgetType,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { freshId, h } from "./dom.js";
import { watLanguage } from "./wat-language.js";

export type Language = "wat" | "javascript" | "typescript" | "text";

/** Something wrong in the text; line and column count from 1. */
export interface Fault {
  readonly line: number | undefined;
  readonly column?: number | undefined;
  readonly message: string;
}

class FaultNote extends WidgetType {
  constructor(readonly message: string) {
    super();
  }
  override eq(other: FaultNote): boolean {
    return other.message === this.message;
  }
  toDOM(): HTMLElement {
    const note = document.createElement("div");
    note.className = "cm-fault-note";
    note.textContent = this.message;
    return note;
  }
}

const setFault = StateEffect.define<Fault | undefined>();
const setSeen = StateEffect.define<number | undefined>();

function faultMarks(state: EditorState, fault: Fault | undefined): DecorationSet {
  if (fault === undefined) return Decoration.none;
  const line = state.doc.line(Math.min(Math.max(fault.line ?? 1, 1), state.doc.lines));
  const marks: Range<Decoration>[] = [Decoration.line({ class: "cm-faulty" }).range(line.from)];
  if (fault.column !== undefined && fault.column <= line.length) {
    const from = line.from + fault.column - 1;
    const word = /^[^\s()]+|^./.exec(state.doc.sliceString(from, line.to));
    const to = from + (word?.[0].length ?? 0);
    if (to > from) marks.push(Decoration.mark({ class: "cm-faulty-mark" }).range(from, to));
  }
  marks.push(
    Decoration.widget({ widget: new FaultNote(fault.message), block: true, side: 1 }).range(line.to),
  );
  return Decoration.set(marks, true);
}

const faults = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(setFault)) next = faultMarks(transaction.state, effect.value);
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const seenLine = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = transaction.docChanged ? Decoration.none : marks;
    for (const effect of transaction.effects) {
      if (!effect.is(setSeen)) continue;
      next =
        effect.value === undefined
          ? Decoration.none
          : Decoration.set([
              Decoration.line({ class: "cm-seen" }).range(transaction.state.doc.line(effect.value).from),
            ]);
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const style = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.controlKeyword], color: "var(--syn-keyword)" },
  { tag: [tags.function(tags.variableName), tags.macroName], color: "var(--syn-instruction)" },
  { tag: tags.variableName, color: "var(--syn-name)" },
  { tag: [tags.typeName, tags.className], color: "var(--syn-keyword)", fontStyle: "italic" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--syn-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.attributeName], color: "var(--syn-number)" },
  {
    tag: [tags.comment, tags.lineComment, tags.blockComment],
    color: "var(--syn-comment)",
    fontStyle: "italic",
  },
  { tag: [tags.propertyName], color: "var(--syn-instruction)" },
]);

function languageOf(language: Language): Extension {
  if (language === "wat") return watLanguage(tags.macroName);
  if (language === "text") return [];
  return javascript({ typescript: language === "typescript" });
}

export interface EditorOptions {
  readonly label: string;
  readonly language: Language;
  readonly text?: string;
  readonly onChange?: () => void;
  /** Ctrl-Enter, or Cmd-Enter. */
  readonly onRun?: () => void;
  /** Ctrl-S, or Cmd-S. */
  readonly onSave?: () => void;
}

/** A text editor that shows faults where they are. Escape and then Tab leaves it by keyboard. */
export class Editor {
  readonly root: HTMLElement = h("div", { class: "editor" });
  readonly #hint = h("p", { class: "editor-hint", id: freshId() }, "Esc, then Tab leaves the editor.");
  readonly #options: EditorOptions;
  readonly #view: EditorView;
  #language: Language;

  constructor(options: EditorOptions) {
    this.#options = options;
    this.#language = options.language;
    this.#view = new EditorView({ parent: this.root, state: this.#state(options.text ?? "") });
    this.root.append(this.#hint);
  }

  #state(text: string): EditorState {
    const { label, onChange, onRun, onSave } = this.#options;
    const bound = (key: string, act: (() => void) | undefined) => {
      const run = (): boolean => {
        act?.();
        return true;
      };
      return act === undefined ? [] : [{ key, preventDefault: true, run }];
    };
    return EditorState.create({
      doc: text,
      extensions: [
        keymap.of([...bound("Mod-Enter", onRun), ...bound("Mod-s", onSave)]),
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("  "),
        bracketMatching(),
        highlightActiveLine(),
        syntaxHighlighting(style),
        languageOf(this.#language),
        faults,
        seenLine,
        keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
        EditorView.contentAttributes.of({
          "aria-label": label,
          "aria-describedby": this.#hint.id,
          spellcheck: "false",
          autocapitalize: "off",
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange?.();
        }),
      ],
    });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  /** Puts in another text, with a history of its own; tells nobody of a change. */
  open(text: string, language: Language = this.#language): void {
    this.#language = language;
    this.#view.setState(this.#state(text));
  }

  showFault(fault: Fault | undefined): void {
    this.#view.dispatch({ effects: setFault.of(fault) });
  }

  /** Marks the line of that text and brings it into sight; answers whether there is one. */
  reveal(pattern: RegExp): boolean {
    const at = this.text.search(pattern);
    if (at < 0) {
      this.#view.dispatch({ effects: setSeen.of(undefined) });
      return false;
    }
    const line = this.#view.state.doc.lineAt(at);
    this.#view.dispatch({
      selection: { anchor: line.from },
      effects: [setSeen.of(line.number), EditorView.scrollIntoView(line.from, { y: "center" })],
    });
    return true;
  }

  focus(): void {
    this.#view.focus();
  }
}
