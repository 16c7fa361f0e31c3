import type * as Wasmex from "wasmex";
import { button, freshId, h } from "../ui/dom.js";
import { parseValue, showType } from "./values.js";

/** Calls an export; resolves with the text of its result, rejects with the package's error. */
export type Call = (name: string, params: Wasmex.WasmValue[]) => Promise<string>;

const ARGUMENT = /argument #(\d+)/;

function functionRow(
  name: string,
  type: Wasmex.FunctionType,
  params: readonly string[],
  call: Call,
): HTMLElement {
  const id = freshId();
  const fault = h("p", { class: "fault", id: `${id}-fault`, role: "alert" });
  const answer = h("output", { class: "answer", "aria-label": `Result of ${name}` });
  const fields = type.parameters.map((parameter, index) =>
    h("input", {
      class: "field",
      id: `${id}-${index}`,
      value: params[index] ?? (parameter === "externref" ? "" : "0"),
      inputmode: parameter.startsWith("i") ? "numeric" : "text",
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": `${name}, parameter ${index + 1}, ${parameter}`,
      "aria-describedby": `${id}-fault`,
      oninput: (event) => {
        (event.currentTarget as HTMLElement).removeAttribute("aria-invalid");
        fault.textContent = "";
      },
    }),
  );

  const run = async (): Promise<void> => {
    for (const field of fields) field.removeAttribute("aria-invalid");
    fault.textContent = "";
    answer.textContent = "";
    form.dataset["state"] = "running";
    try {
      answer.textContent = await call(
        name,
        fields.map((field, index) => parseValue(field.value, type.parameters[index] ?? "i32")),
      );
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const at = ARGUMENT.exec(message)?.[1];
      const field = at === undefined ? undefined : fields[Number(at) - 1];
      field?.setAttribute("aria-invalid", "true");
      field?.focus();
      fault.textContent = message;
    } finally {
      delete form.dataset["state"];
    }
  };

  const form = h(
    "form",
    {
      class: "call",
      "data-export": name,
      onsubmit: (event) => {
        event.preventDefault();
        void run();
      },
    },
    h(
      "div",
      { class: "call-line" },
      h("button", { type: "submit", class: "button button-call", "aria-label": `Call ${name}` }, name),
      h("span", { class: "paren", "aria-hidden": "true" }, "("),
      fields.map((field, index) =>
        h(
          "label",
          { class: "parameter" },
          h("span", { "aria-hidden": "true" }, type.parameters[index]),
          field,
        ),
      ),
      h("span", { class: "paren", "aria-hidden": "true" }, ")"),
      h("span", { class: "call-results" }, type.results.length === 0 ? "" : `→ ${type.results.join(", ")}`),
      answer,
    ),
    fault,
  );
  return form;
}

/** What a module exports and imports; a form for each function of it. */
export class Manifest {
  readonly root = h("div", { class: "manifest" });
  readonly #call: Call;
  /** What the forms were made from. */
  #shape = "";

  constructor(call: Call) {
    this.#call = call;
    this.clear("Compiling");
  }

  clear(why: string): void {
    this.#shape = "";
    this.root.replaceChildren(h("p", { class: "quiet" }, why));
  }

  show(module: Wasmex.Module, params: Readonly<Record<string, readonly string[]>>): void {
    const shape = [
      ...Object.entries(module.exports).map(([name, type]) => `${name} ${showType(type)}`),
      ...module.importEntries.map((entry) => `${entry.module}.${entry.name} ${showType(entry.type)}`),
    ].join("\n");
    if (shape === this.#shape) {
      // The forms fit still: made anew they would take the focus from whoever is at one of them.
      for (const answer of this.root.querySelectorAll(".answer")) answer.textContent = "";
      return;
    }
    this.#shape = shape;
    const kept = this.#typed();
    const functions: HTMLElement[] = [];
    const others: HTMLElement[] = [];
    for (const [name, type] of Object.entries(module.exports)) {
      if (type.kind === "function")
        functions.push(functionRow(name, type, kept.get(name) ?? params[name] ?? [], this.#call));
      else others.push(h("li", {}, h("code", {}, name), " ", h("span", { class: "quiet" }, showType(type))));
    }
    const imports = module.importEntries.map((entry) =>
      h(
        "li",
        {},
        h("code", {}, `${entry.module}.${entry.name}`),
        " ",
        h("span", { class: "quiet" }, showType(entry.type)),
      ),
    );
    this.root.replaceChildren(
      h("h3", {}, "Exports"),
      functions.length + others.length === 0 ? h("p", { class: "quiet" }, "None.") : "",
      ...functions,
      h("ul", { class: "manifest-list", "aria-label": "Other exports" }, others),
      h("h3", {}, "Imports"),
      imports.length === 0
        ? h("p", { class: "quiet" }, "None.")
        : h("ul", { class: "manifest-list", "aria-label": "Imports" }, imports),
    );
  }

  /** What is in the fields, so that an edit of the module does not take it away. */
  #typed(): Map<string, string[]> {
    const typed = new Map<string, string[]>();
    for (const form of this.root.querySelectorAll<HTMLFormElement>("form[data-export]")) {
      const values = Array.from(form.querySelectorAll("input"), (input) => input.value);
      typed.set(form.dataset["export"] ?? "", values);
    }
    return typed;
  }

  forget(): void {
    this.#shape = "";
    this.root.replaceChildren();
  }
}

/** The buttons of a trap's frames. */
export function framesOf(trap: Wasmex.TrapError, reveal: (name: string) => void): HTMLElement {
  return h(
    "ol",
    { class: "frames", "aria-label": "Frames, innermost first" },
    trap.frames.slice(0, 6).map((frame) => {
      const name = frame.name;
      return h(
        "li",
        {},
        name === undefined
          ? h("code", {}, `function ${frame.index}`)
          : button(`$${name}`, () => reveal(name), { class: "frame", title: "Show it in the source" }),
      );
    }),
    trap.frames.length > 6 && h("li", { class: "quiet" }, `and ${trap.frames.length - 6} more`),
  );
}
