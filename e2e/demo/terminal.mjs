import assert from "node:assert/strict";

const ROWS = ".xterm-rows";

/** @param {import("./cases.mjs").Visit} visit */
async function open({ person, base }) {
  await person.visit(`${base}/#terminal`);
  await person.read(ROWS, "~ $");
  await person.click(".xterm-screen");
}

/** Types a command and waits for how it ended. @param {import("./person.mjs").Person} person @param {string} command @param {string} end */
async function run(person, command, end) {
  await person.type(`${command}\n`);
  await person.read(".last-exit", end, 120_000);
}

/** @type {import("./cases.mjs").Case[]} */
export const terminal = [
  {
    name: "Terminal: the shell edits and recalls lines, pipes, redirects and tells exit codes",
    async run(visit) {
      const { person } = visit;
      await open(visit);
      await person.type("echo one two > a.txt && cat a.txt | wc\n");
      await person.read(ROWS, "1  2  8");
      await person.type("cat a.tx");
      await person.press("Tab");
      await person.type("\n");
      await person.read(ROWS, "one two\n");
      await person.press("ArrowUp");
      await person.press("ArrowUp");
      await person.press("Home");
      await person.type("true && ");
      await person.press("Control+c");
      await person.read(ROWS, "true && echo one two > a.txt && cat a.txt | wc^C");
      await person.type("nonsense; echo code $?\n");
      await person.read(ROWS, "code 127");
      await person.read(".tree", "a.txt");
    },
  },
  {
    name: "Terminal: a program asks, waits, writes files that show at once, and ends with its exit code",
    isolated: true,
    async run(visit) {
      const { person } = visit;
      await open(visit);
      await person.type("USER=Ada yard\n");
      await person.read(ROWS, "yard>");
      await person.read(".terminal .chip", "yard is running");
      await person.type("move a b\n");
      await person.type("save\n");
      await person.read(ROWS, "Written to yard.save");
      await person.read(".tree", "yard.save");
      // The other way round: the visitor writes while the program waits.
      await person.click("[data-path='/home/yard.save']");
      await person.read(".open-name", "/home/yard.save");
      await person.click(".file-editor .cm-content");
      await person.press("Control+a");
      await person.type("a 6 5 4\nb 3 2 1\nc\n");
      await person.click(".file-editor .button-paint");
      await person.read(".open-title", "saved");
      await person.click(".xterm-screen");
      await person.type("restore\n");
      for (const stack of ["b", "b", "b", "a", "a", "a"]) await person.type(`ship ${stack}\n`);
      await person.read(ROWS, "All aboard");
      await person.read(".last-exit", "exit code 0");
      await run(person, "yard --seed 3 --nonsense", "exit code 64");
    },
  },
  {
    name: "Terminal: Ctrl-C stops a program, Ctrl-D ends its input",
    isolated: true,
    async run(visit) {
      const { person } = visit;
      await open(visit);
      await person.type("yard\n");
      await person.read(ROWS, "yard>");
      await person.press("Control+c");
      await person.read(".last-exit", "exit code 130");
      await person.type("yard\n");
      await person.read(".terminal .chip", "yard is running");
      await person.press("Control+d");
      await person.read(".last-exit", "exit code 1 ");
      await person.read(ROWS, "The lights go out.");
    },
  },
  {
    name: "Terminal: esbuild bundles TypeScript, with its bytes counted while it loads",
    async run(visit) {
      const { person } = visit;
      await open(visit);
      await person.evaluate(
        "globalThis.seen = [], new MutationObserver(() => seen.push(document.querySelector('.tty-progress').textContent)).observe(document.querySelector('.tty-progress'), { childList: true, characterData: true, subtree: true })",
      );
      await run(person, "esbuild app.ts --bundle --outfile=out.js", "exit code 0");
      assert.match(
        String(await person.evaluate("seen.join('\\n')")),
        /Loading esbuild: \d+\.\d MB of 19\.9 MB|esbuild: 19\.9 MB here/,
      );
      await person.type("clear\n");
      await person.type("cat out.js\n");
      await person.read(ROWS, "var guest = {");
      if (await person.evaluate("crossOriginIsolated")) {
        await run(person, "cat greet.ts | esbuild --loader=ts --minify > m.js", "exit code 0");
        await person.type("clear\n");
        await person.type("cat m.js\n");
        await person.read(ROWS, "export const greet=");
      }
    },
  },
  {
    name: "Terminal: Ruby runs files and a prompt",
    isolated: true,
    async run(visit) {
      const { person } = visit;
      await open(visit);
      await run(person, "ruby hello.rb Ada", "exit code 0");
      await person.read(ROWS, "Hello, Ada!");
      await person.read(".tree", "visitors.txt");
      await person.type("ruby\n");
      await person.read(ROWS, "ruby>", 60_000);
      await person.type("6 * 7\n");
      await person.read(ROWS, "=> 42");
      await person.type("exit 5\n");
      await person.read(".last-exit", "exit code 5");
    },
  },
  {
    name: "Terminal: a .wasm that is dropped on the page runs",
    async run(visit) {
      const { person, base } = visit;
      await open(visit);
      await person.drop(".terminal", `${base}/programs/escape.wasm`, "dropped.wasm");
      await person.read(".tree", "dropped.wasm");
      await person.read(".last-exit", "./dropped.wasm: exit code 134");
      await person.read(ROWS, "trapped: out_of_bounds_memory");
    },
  },
  {
    name: "Terminal: on a plain page a program gets its input before it starts",
    isolated: false,
    async run(visit) {
      const { person } = visit;
      await open(visit);
      await person.type("yard\n");
      await person.read(ROWS, "type all of the input first");
      await person.type("look\nquit\n");
      await person.press("Control+d");
      await person.read(".last-exit", "exit code 3");
      await person.read(ROWS, "The ship leaves with 0 of 6 boxes.");
    },
  },
];
