type Attribute = string | number | boolean | undefined | ((event: Event) => void);
export type Child = Node | string | number | undefined | false | readonly Child[];

function append(parent: Node, child: Child): void {
  if (child === undefined || child === false) return;
  if (typeof child === "object" && !(child instanceof Node)) {
    for (const one of child) append(parent, one);
  } else {
    parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** An element with attributes (`onclick` and its like take a listener) and children. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  append(element, children);
  return element;
}

/** An SVG element. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  append(element, children);
  return element;
}

/** A button that says what it does. */
export function button(
  label: Child,
  onPress: () => void,
  attributes: Readonly<Record<string, Attribute>> = {},
) {
  const press = (): void => {
    if (element.getAttribute("aria-disabled") !== "true") onPress();
  };
  const element = h("button", { type: "button", class: "button", ...attributes, onclick: press }, label);
  return element;
}

/** Lets a button be pressed or not. It keeps the focus meanwhile, which `disabled` would take from it. */
export function enable(element: HTMLButtonElement, enabled: boolean): void {
  if (enabled) element.removeAttribute("aria-disabled");
  else element.setAttribute("aria-disabled", "true");
}

/** A panel with a heading in its rim. */
export function panel(
  title: string,
  attributes: Readonly<Record<string, Attribute>>,
  ...children: readonly Child[]
) {
  const heading = h("h2", { class: "panel-title" }, title);
  const tools = h("div", { class: "panel-tools" });
  const body = h("div", { class: "panel-body" }, ...children);
  const { class: classes, ...rest } = attributes;
  const root = h(
    "section",
    { "aria-label": title, ...rest, class: classes === undefined ? "panel" : `panel ${String(classes)}` },
    h("div", { class: "panel-rim" }, heading, tools),
    body,
  );
  return { root, tools, body };
}

/** The one element of the page with that id, which the page's own HTML has. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

let lastId = 0;

/** An id that is used nowhere else on the page, for `for` and `aria-describedby`. */
export function freshId(): string {
  lastId += 1;
  return `x${lastId}`;
}

export const reducedMotion = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;
