// Nobody's hand on a mouse: every page is walked by Tab alone.
import assert from "node:assert/strict";

/**
 * What has the focus: its place among all that can have it, its name, and whether it is seen to have it.
 * @typedef {{ key: string, name: string, seen: boolean, inside: boolean }} Focus
 */
const FOCUS = `(async () => {
  // The editor marks itself a moment later.
  await new Promise((resolve) => setTimeout(resolve, 40));
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  const labels = [...(element.labels ?? [])].map((label) => label.innerText).join(" ");
  const name = element.getAttribute("aria-label") || labels || element.innerText || "";
  // A terminal and an editor show it around themselves.
  let seen = false;
  for (let one = element, up = 0; one !== null && up < 7 && !seen; one = one.parentElement, up++) {
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    seen = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  }
  const { top, bottom } = element.getBoundingClientRect();
  globalThis.keys ??= new WeakMap();
  globalThis.lastKey ??= 0;
  if (!keys.has(element)) keys.set(element, String(++lastKey));
  return { key: keys.get(element), name: name.trim(), seen, inside: bottom > 0 && top < innerHeight };
})()`;

const UNNAMED = `[...document.querySelectorAll("a, button, input, select, textarea, summary, [tabindex='0'], [role='tree'], [role='img']")]
  .filter((e) => e.id !== "main" && !e.closest("[hidden]"))
  .filter((e) => {
    const labels = [...(e.labels ?? [])].map((label) => label.innerText).join("");
    return (e.getAttribute("aria-label") || labels || e.innerText || "").trim() === "";
  })
  .map((e) => e.outerHTML.slice(0, 120))`;

/** What stands at the foot of every page. */
const LAST = "The same from one plain script tag";

/**
 * Goes from the top of the page to its end.
 * @param {import("./person.mjs").Person} person
 * @param {string} page
 */
async function walk(person, page) {
  /** @type {string[]} */
  const names = [];
  const visited = new Set();
  let last = "";
  for (let step = 0; step < 80; step++) {
    await person.press("Tab");
    /** @type {Focus | null} */
    let focus = await person.evaluate(FOCUS);
    if (focus !== null && focus.key === last) {
      // Tab means something in an editor; the way out is told there.
      assert.match(
        await person.evaluate(DESCRIPTION),
        /Esc, then Tab leaves/,
        `${page}: caught at ${focus.name}`,
      );
      await person.press("Escape");
      await person.press("Tab");
      focus = await person.evaluate(FOCUS);
      assert.notEqual(focus?.key, last, `${page}: Escape and Tab did not leave ${focus?.name}`);
    }
    if (focus === null || visited.has(focus.key))
      throw new Error(`${page}: the walk was lost after ${names.join(", ")}`);
    assert.ok(focus.name !== "", `${page}: what follows ${names.at(-1)} has no name`);
    assert.ok(focus.seen, `${page}: the focus on ${focus.name} is not to be seen`);
    assert.ok(focus.inside, `${page}: ${focus.name} has the focus out of sight`);
    visited.add(focus.key);
    last = focus.key;
    names.push(focus.name.split("\n")[0] ?? "");
    // One step further are the engine's own bars, and its window may lose the focus to them.
    if (focus.name === LAST) return names;
  }
  throw new Error(`${page}: no end after ${names.join(", ")}`);
}

const DESCRIPTION = `document.getElementById(document.activeElement.getAttribute("aria-describedby"))?.textContent ?? ""`;

/** What a walk has to come by, in this order. @type {[page: string, element: string, stops: string[]][]} */
const PAGES = [
  [
    "playground",
    "form[data-export='sum']",
    [
      "Example",
      "module.wat",
      "Module, WebAssembly text",
      "Run",
      "Call sum",
      "Clear",
      "Address",
      "On one screen",
    ],
  ],
  ["terminal", ".xterm-rows", ["yard", "Terminal", "Ctrl-C", "New", "Upload", "Download", "home"]],
  ["containment", "#trial-loop", ["Let it grow", "Let it try", "The guest"]],
  ["hood", ".lamps", ["Run the benchmark"]],
];

/** @type {import("./cases.mjs").Case[]} */
export const keyboard = [
  {
    name: "Keyboard: every page is walked by Tab, all has a name and shows the focus, nothing holds it",
    async run({ person, base }) {
      for (const [page, element, stops] of PAGES) {
        await person.visit(`${base}/#${page}`);
        await person.seeElement(element);
        await person.see("the page at rest", "document.querySelector('main[aria-busy]') === null");
        assert.deepEqual(await person.evaluate(UNNAMED), [], `without a name on ${page}`);
        const names = await walk(person, page);
        let at = -1;
        for (const stop of stops) {
          const next = names.findIndex((name, index) => index > at && name.startsWith(stop));
          assert.ok(next > at, `${page}: ${stop} does not come in its turn: ${names.join(" → ")}`);
          at = next;
        }
      }
    },
  },
  {
    name: "Keyboard: a running program and an unfinished line are left by Shift-Tab, as it is told",
    async run({ person, base }) {
      await person.visit(`${base}/#terminal`);
      await person.read(".xterm-rows", "~ $");
      await person.evaluate("document.querySelector('.xterm-helper-textarea').focus()");
      assert.match(await person.evaluate(DESCRIPTION), /Shift-Tab at any time/);
      await person.type("echo unfin");
      await person.press("Tab");
      const isThere = "document.activeElement.matches('.xterm-helper-textarea')";
      assert.equal(await person.evaluate(isThere), true);
      await person.press("Shift+Tab");
      assert.equal(await person.evaluate(isThere), false);
      assert.equal(await person.evaluate("document.activeElement.innerText"), "help");
    },
  },
];
