import assert from "node:assert/strict";

/** @param {import("./cases.mjs").Visit} visit */
async function open({ person, base }) {
  await person.visit(`${base}/#containment`);
  await person.seeElement("#trial-loop");
}

/** Presses a trial's button and waits for its verdict. @param {import("./person.mjs").Person} person @param {string} id @returns {Promise<string>} */
async function press(person, id) {
  await person.click(`#${id} .button-paint`);
  await person.see(
    `a verdict on ${id}`,
    `["held", "failed"].includes(document.getElementById("${id}").dataset.state)`,
  );
  const verdict = await person.textOf(`#${id} .verdict`);
  assert.equal(await person.evaluate(`document.getElementById("${id}").dataset.state`), "held", verdict);
  return verdict;
}

/** Notes the longest rest between two turns of the page's own loop. */
const WATCH = `(() => {
  globalThis.longest = 0;
  let last = performance.now();
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    setTimeout(turn);
  };
  turn();
})()`;

/** @type {import("./cases.mjs").Case[]} */
export const containment = [
  {
    name: "Containment: an endless loop and a fork of timeouts are stopped, the page goes on",
    isolated: true,
    async run(visit) {
      const { person } = visit;
      await open(visit);
      await person.see("a frame rate", "Number(document.querySelector('#frame-rate').textContent) > 0");
      await person.evaluate(WATCH);
      const loop = await press(person, "trial-loop");
      assert.match(loop, /^Stopped .* in turn [1-9].* \d+ frames a second meanwhile, \d+ before\.$/);
      // No part of the guest runs on the page's thread: nothing there may take as long as its deadline.
      assert.ok((await person.evaluate("longest")) < 900, "the page stood still");
      assert.match(await press(person, "trial-fork"), /All of them stopped/);
    },
  },
  {
    name: "Containment: a runaway memory is held at its limit",
    async run(visit) {
      await open(visit);
      assert.match(await press(visit.person, "trial-memory"), /said no at 256 pages/);
    },
  },
  {
    name: "Containment: every way out is refused",
    async run(visit) {
      const { person } = visit;
      await open(visit);
      assert.match(await press(person, "trial-escape"), /^11 attempts refused, one thing allowed/);
      await person.read(".attempts", "trap: out_of_bounds_memory");
    },
  },
  {
    name: "Containment: a supervised process comes back until it fails too often",
    isolated: true,
    async run(visit) {
      const { person } = visit;
      await open(visit);
      await person.click("#trial-supervised .button-paint");
      await person.see("a beat", "Number(document.querySelector('.pulse-beats').textContent) >= 2");
      await person.click("#trial-supervised .trial-controls button:nth-child(4)");
      await person.read("#trial-supervised .verdict", "the guest lives on");
      await person.click("#trial-supervised .trial-controls button:nth-child(2)");
      await person.read(".lives", "life 2, back after");
      await person.click("#trial-supervised .trial-controls button:nth-child(3)");
      await person.read(".lives", "life 3, back after");
      await person.see(
        "the supervisor giving up",
        `(() => {
          const hang = document.querySelector("#trial-supervised .trial-controls button:nth-child(3)");
          if (!hang.disabled) hang.click();
          return document.querySelector("#trial-supervised").dataset.state === "stopped";
        })()`,
      );
      await person.read("#trial-supervised .verdict", "gave up");
    },
  },
  {
    name: "Containment: on a plain page what needs a thread says so and can't be pressed",
    isolated: false,
    async run(visit) {
      const { person } = visit;
      await open(visit);
      for (const id of ["trial-loop", "trial-fork", "trial-supervised"]) {
        assert.equal(await person.evaluate(`document.querySelector("#${id} .button-paint").disabled`), true);
        await person.read(`#${id}`, "Not on this page");
      }
    },
  },
];

/** @type {import("./cases.mjs").Case[]} */
export const hood = [
  {
    name: "Under the hood: capabilities, sizes and a benchmark that is drawn",
    async run({ person, base }) {
      await person.visit(`${base}/#hood`);
      const isolated = await person.evaluate(
        "crossOriginIsolated && typeof SharedArrayBuffer !== 'undefined'",
      );
      await person.read(".facts", isolated ? "on a thread of their own" : "on the page's thread");
      await person.read(".sizes", "wasmex.global.js");
      await person.click(".benchmark .button");
      await person.read(".benchmark [role='status']", "Done", 90_000);
      assert.equal(
        await person.evaluate("document.querySelectorAll('.benchmark .chart').length"),
        isolated ? 4 : 3,
      );
      assert.match(await person.textOf(".benchmark"), /callFunction/);
    },
  },
];
