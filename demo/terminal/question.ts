import { button, freshId, h } from "../ui/dom.js";
import { messageOf } from "../ui/text.js";

export interface Answer {
  readonly label: string;
  /** What is thrown is shown at the question, which then stays. */
  readonly act: (text: string) => void;
}

export interface Asked {
  readonly text: string;
  /** The first one is what Enter does. */
  readonly answers: readonly [Answer, ...Answer[]];
  /** Asks for a line of text too; this one stands in it at first. */
  readonly field?: string;
  readonly hint?: string;
}

/** A question in the page, with what may be answered. Escape takes it back. */
export class Question {
  readonly root = h("form", { class: "question", hidden: true });
  #before: Element | null = null;

  /** Where the focus goes when what had it before the question is gone. */
  constructor(readonly onLost: () => void) {
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.close();
    });
  }

  ask({ text, answers, field, hint }: Asked): void {
    // A question in the place of another one goes back to where the first one came from.
    if (this.root.hidden) this.#before = document.activeElement;
    const id = freshId();
    const fault = h("p", { class: "fault", role: "alert", id: `${id}-fault` });
    const input =
      field === undefined
        ? undefined
        : h("input", {
            class: "field",
            id,
            value: field,
            spellcheck: "false",
            autocapitalize: "off",
            autocomplete: "off",
            "aria-describedby": `${id}-fault ${id}-hint`,
          });
    const choose = (answer: Answer): void => {
      try {
        answer.act(input?.value.trim() ?? "");
      } catch (error) {
        fault.textContent = messageOf(error);
        input?.setAttribute("aria-invalid", "true");
        input?.focus();
      }
    };
    const [first, ...others] = answers;
    const press = h("button", { class: "button button-paint", type: "submit" }, first.label);
    this.root.onsubmit = (event) => {
      event.preventDefault();
      choose(first);
    };
    this.root.setAttribute("aria-label", text);
    this.root.replaceChildren(
      input === undefined ? h("p", {}, text) : h("label", { for: id }, text),
      ...(input === undefined ? [] : [input]),
      h(
        "div",
        { class: "question-answers" },
        press,
        ...others.map((answer) => button(answer.label, () => choose(answer))),
        button("Cancel", () => this.close()),
      ),
      ...(hint === undefined ? [] : [h("p", { class: "quiet", id: `${id}-hint` }, hint)]),
      fault,
    );
    this.root.hidden = false;
    (input ?? press).focus();
    // The ending is what a visitor mostly keeps.
    input?.setSelectionRange(0, Math.max(input.value.lastIndexOf("."), 0) || input.value.length);
  }

  /** Takes the question away; the focus goes back to where it was before. */
  close(): void {
    if (this.root.hidden) return;
    const hadFocus = this.root.contains(document.activeElement);
    this.root.hidden = true;
    this.root.replaceChildren();
    if (!hadFocus) return;
    if (this.#before instanceof HTMLElement && this.#before.isConnected) this.#before.focus();
    else this.onLost();
  }
}
