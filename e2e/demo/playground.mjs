import assert from "node:assert/strict";

const EXAMPLE = "select[aria-label='Example']";

/** @param {import("./cases.mjs").Visit} visit @param {string} id @param {string} name of one of its exports */
async function open({ person, base }, id, name) {
  await person.visit(`${base}/#playground`);
  await person.seeElement("form[data-export='sum']");
  if (id !== "sum") await person.choose(EXAMPLE, id);
  await person.seeElement(`form[data-export='${name}']`);
  await person.see(
    "a started instance",
    "/ready/.test(document.querySelector('.panel-foot .chip').textContent)",
  );
}

/** @type {import("./cases.mjs").Case[]} */
export const playground = [
  {
    name: "Playground: an export is called through its form, what does not fit is said at its field",
    async run(visit) {
      const { person } = visit;
      await open(visit, "sum", "sum");
      await person.click("[data-export='sum'] button");
      await person.read("[data-export='sum'] .answer", "[42]");
      await person.fill("[data-export='sum'] label:last-of-type input", "1.5");
      await person.click("[data-export='sum'] button");
      await person.read(
        "[data-export='sum'] .fault",
        "Cannot convert argument #2 to a WebAssembly i32 value.",
      );
      assert.equal(
        await person.evaluate(
          "document.querySelector(\"[data-export='sum'] [aria-invalid]\") === document.activeElement",
        ),
        true,
      );
    },
  },
  {
    name: "Playground: the memory shows text, changes are marked, typed views read it",
    async run(visit) {
      const { person } = visit;
      await open(visit, "sum", "shout");
      await person.read(".memory-grid", "hello,");
      await person.evaluate(
        "globalThis.marked = 0, new MutationObserver(() => { marked = Math.max(marked, document.querySelectorAll('.cell.changed').length); }).observe(document.querySelector('.memory-grid'), { attributes: true, subtree: true })",
      );
      await person.click("[data-export='shout'] button");
      await person.read(".memory-grid", "HELLO,");
      await person.see("five marked bytes", "marked === 5");
      await person.choose(".memory-tools select", "uint32");
      await person.fill(".memory-address", "0x2c");
      await person.click(".memory-go button");
      // "LLO," from byte 44 on, little-endian.
      await person.read(".memory-grid", String(0x2c4f4c4c));
    },
  },
  {
    name: "Playground: a compile error stands at its line, and goes with it",
    async run(visit) {
      const { person } = visit;
      await open(visit, "values", "divmod");
      await person.click(".source .cm-content");
      await person.press("Control+Home");
      await person.type("(modul");
      await person.read(".cm-fault-note", 'unexpected token "modul"');
      await person.read(".compiled", "line 1");
      for (let count = 0; count < 6; count++) await person.press("Backspace");
      await person.see("no fault", "document.querySelector('.cm-fault-note') === null");
      await person.click("[data-export='divmod'] button");
      await person.read("[data-export='divmod'] .answer", "[-900719925474099n, -3n]");
    },
  },
  {
    name: "Playground: a trap has its reason and frames that lead to the source",
    async run(visit) {
      const { person } = visit;
      await open(visit, "traps", "outer");
      await person.click("[data-export='outer'] button");
      await person.read(".log", "TrapError: unreachable");
      await person.read(".frames", "$innermost");
      await person.click(".frames .frame");
      await person.read(".cm-seen", "(func $innermost");
      await person.click("[data-export='divide'] button");
      await person.read(".log", "integer_divide_by_zero");
    },
  },
  {
    name: "Playground: an endless call is stopped at its deadline, with its memory live until then",
    isolated: true,
    async run(visit) {
      const { person } = visit;
      await open(visit, "traps", "forever");
      await person.choose("select[aria-label='Deadline of a call']", "1000");
      await person.click("[data-export='forever'] button");
      await person.see(
        "a running call",
        "document.querySelector('.panel-foot .chip').dataset.state === 'busy'",
      );
      await person.see("marked cells", "document.querySelector('.cell.changed') !== null");
      await person.read(".log", "TimeoutError");
      await person.click("[data-export='divide'] button");
      await person.read(".log", "integer_divide_by_zero");
    },
  },
  {
    name: "Playground: an endless call is stopped at its deadline on a plain page, too",
    isolated: false,
    async run(visit) {
      const { person } = visit;
      await open(visit, "traps", "forever");
      await person.choose("select[aria-label='Deadline of a call']", "1000");
      await person.click("[data-export='forever'] button");
      await person.read(".log", "TimeoutError");
      await person.click("[data-export='divide'] button");
      await person.read(".log", "integer_divide_by_zero");
    },
  },
  {
    name: "Playground: host functions are JavaScript that is linked, and faults of it are shown at it",
    async run(visit) {
      const { person } = visit;
      await open(visit, "host", "dice");
      await person.click("[data-export='dice'] button");
      await person.read(".log", "rolling the dice");
      await person.read("[data-export='dice'] .answer", "[");
      await person.click("[role='tab']:last-child");
      await person.click(".tab-body:not([hidden]) .cm-content");
      await person.press("Control+Home");
      await person.type("return { env: {} };\n");
      await person.click(".panel-foot .button-paint");
      await person.read(".tab-body:not([hidden]) .cm-fault-note", "roll");
    },
  },
  {
    name: "Playground: the picture of a memory follows the guest",
    async run(visit) {
      const { person } = visit;
      await open(visit, "life", "run");
      await person.fill("[data-export='run'] input", "300");
      await person.click("[data-export='run'] button");
      await person.see(
        "living cells",
        "/\\[[1-9]\\d*\\]/.test(document.querySelector(\"[data-export='run'] .answer\").innerText)",
      );
      // Before it was drawn the canvas may have the memory of the module before, which has more shades, or nothing.
      await person.see(
        "cells of two shades",
        `(() => {
          const canvas = document.querySelector(".memory-picture canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return new Set(new Uint32Array(data.buffer)).size === 2;
        })()`,
      );
    },
  },
  {
    name: "Playground: Run starts a WASI program and shows what it writes",
    async run(visit) {
      const { person } = visit;
      await open(visit, "wasi", "_start");
      await person.click(".panel-foot .button-paint");
      await person.read(".log", "hello from a WASI program");
    },
  },
];
