// What a visitor does on the demo's pages, and what must be seen then.
import assert from "node:assert/strict";
import { containment, hood } from "./containment.mjs";
import { files } from "./files.mjs";
import { keyboard } from "./keyboard.mjs";
import { playground } from "./playground.mjs";
import { terminal } from "./terminal.mjs";

/**
 * @typedef {object} Visit
 * @property {import("./person.mjs").Person} person
 * @property {string} base address of the demo
 * @property {import("../support/engines.mjs").EngineName} engine
 *
 * @typedef {object} Case
 * @property {string} name
 * @property {boolean} [isolated] only on isolated pages (true) or plain ones (false)
 * @property {(visit: Visit) => Promise<void>} run
 * @property {(engine: import("../support/engines.mjs").EngineName) => string | undefined} [skip] why not in this engine
 */

/** @type {Case[]} */
const page = [
  {
    name: "every page comes up without an error and fits a phone",
    async run({ person, base }) {
      for (const [name, element] of [
        ["playground", "form[data-export='sum']"],
        ["terminal", ".xterm-rows"],
        ["containment", "#trial-loop"],
        ["hood", ".lamps"],
      ]) {
        await person.visit(`${base}/#${name}`);
        await person.seeElement(String(element));
        assert.equal(await person.evaluate("document.querySelectorAll('h1').length"), 1);
        // A page that is wider than the window scrolls sideways: on a phone that is a fault.
        await person.evaluate("document.body.style.width = '360px'");
        const widest = await person.evaluate(`(() => {
          const over = [...document.querySelectorAll("main > * > *")].filter((e) => e.getBoundingClientRect().width > 362);
          return over.map((e) => e.className).join(", ");
        })()`);
        assert.equal(widest, "", `wider than a phone on ${name}: ${widest}`);
      }
    },
  },
  {
    name: "the theme goes from the system's to light and dark and is kept",
    async run({ person, base }) {
      await person.visit(`${base}/#hood`);
      const ground = () => person.evaluate("getComputedStyle(document.documentElement).backgroundColor");
      await person.seeElement("#theme svg");
      await person.click("#theme");
      const light = await ground();
      await person.click("#theme");
      const dark = await ground();
      assert.notEqual(light, dark);
      await person.visit(`${base}/#hood`);
      assert.equal(await ground(), dark);
      await person.click("#theme");
    },
  },
  {
    name: "the script-tag page runs WebAssembly text and shows output, exports and memory",
    async run({ person, base }) {
      await person.visit(`${base}/tag.html`);
      await person.click("#run");
      await person.read("#status", "Done");
      const output = await person.evaluate("document.querySelector('#output').value");
      assert.match(String(output), /Hello from WebAssembly text!\nmain\(\) = \[42\]/);
      assert.match(await person.textOf("#exports"), /sum \(i32, i32\) → \[i32\]/);
      assert.match(await person.evaluate("document.querySelector('#memory').value"), /000000 {2}2a 00 00 00/);
      await person.fill("#source", '(module (func (export "main") (unreachable)))');
      await person.click("#run");
      await person.see("the trap", "document.querySelector('#output').value.includes('TrapError')");
    },
  },
  {
    name: "the script-tag page sends TypeScript through esbuild and counts the bytes",
    async run({ person, base }) {
      await person.visit(`${base}/tag.html`);
      await person.choose("#language", "ts");
      await person.evaluate(
        "globalThis.seen = [], new MutationObserver(() => seen.push(document.querySelector('#status').textContent)).observe(document.querySelector('#status'), { childList: true, characterData: true, subtree: true })",
      );
      await person.click("#run");
      await person.read("#status", "Done", 120_000);
      assert.match(
        await person.evaluate("document.querySelector('#output').value"),
        /const greet = \(\{ name, threads = 1 \}\)/,
      );
      assert.match(String(await person.evaluate("seen.join('\\n')")), /esbuild: (\d+\.\d of|all) 19\.9 MB/);
    },
  },
  {
    name: "a plain page says what is missing and can isolate itself",
    isolated: false,
    async run({ person, base, engine }) {
      await person.visit(`${base}/#terminal`);
      await person.read("#lamp-text", "plain page");
      await person.read(".missing", "not cross-origin isolated");
      // WebKitGTK has its shared memory behind a switch of the whole browser, which is off for plain pages.
      if (engine === "webkit") return;
      await person.click(".missing .button");
      await person.read("#lamp-text", "isolated", 60_000);
      assert.equal(await person.evaluate("crossOriginIsolated"), true);
      // As a visitor would take it off again; the cases after this one want a plain page.
      await person.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.unregister())");
      await person.visit(`${base}/#terminal`);
      await person.read("#lamp-text", "plain page");
    },
  },
];

export const CASES = [...page, ...keyboard, ...playground, ...terminal, ...files, ...containment, ...hood];
