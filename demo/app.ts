import { byId, h } from "./ui/dom.js";
import { showEnvironment } from "./ui/environment.js";
import { messageOf } from "./ui/text.js";
import { setUpTheme } from "./ui/theme.js";

/** A page of the demo: made when it is first visited and kept, so that a program goes on running while one looks elsewhere. */
export interface Page {
  readonly root: HTMLElement;
  /** Told when the page comes into sight and goes out of it. */
  show?(): void;
  hide?(): void;
}

const pages = new Map<string, { title: string; load: () => Promise<Page> }>([
  [
    "playground",
    { title: "Playground", load: async () => (await import("./playground/page.js")).createPlayground() },
  ],
  [
    "terminal",
    { title: "Terminal", load: async () => (await import("./terminal/page.js")).createTerminal() },
  ],
  [
    "containment",
    { title: "Containment", load: async () => (await import("./containment/page.js")).createContainment() },
  ],
  ["hood", { title: "Under the hood", load: async () => (await import("./hood/page.js")).createHood() }],
]);

const made = new Map<string, Promise<Page>>();
const main = byId("main");
let current: Page | undefined;
let visits = 0;

function nameOfPage(): string {
  const name = location.hash.slice(1);
  return pages.has(name) ? name : "playground";
}

function pageOf(name: string): Promise<Page> {
  const known = made.get(name);
  if (known !== undefined) return known;
  const entry = pages.get(name);
  const page = entry === undefined ? Promise.reject(new Error(`no page ${name}`)) : entry.load();
  made.set(name, page);
  // A failed load (a lost connection) must not be what every later visit sees.
  page.catch(() => made.delete(name));
  return page;
}

async function visit(): Promise<void> {
  visits += 1;
  const mine = visits;
  const name = nameOfPage();
  document.documentElement.dataset["page"] = name;
  document.title = `${pages.get(name)?.title} – wasmex`;
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".stack a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  main.setAttribute("aria-busy", "true");
  try {
    const page = await pageOf(name);
    if (mine !== visits) return;
    current?.hide?.();
    main.replaceChildren(page.root);
    current = page;
    page.show?.();
  } catch (error) {
    if (mine === visits) {
      main.replaceChildren(
        h("p", { class: "lead", role: "alert" }, `This page could not be loaded: ${messageOf(error)}`),
      );
    }
  } finally {
    if (mine === visits) main.removeAttribute("aria-busy");
  }
}

addEventListener("hashchange", () => {
  if (location.hash !== "#main") void visit();
});
document.querySelector(".skip")?.addEventListener("click", (event) => {
  // The address names the page that is shown; the link may not change it.
  event.preventDefault();
  main.focus();
});
setUpTheme(byId("theme"));
showEnvironment();
void visit();
