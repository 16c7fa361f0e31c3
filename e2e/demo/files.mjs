// The file tree beside the terminal, as a person uses it.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROWS = ".xterm-rows";
/** A button of the panel by its words. @param {string} label */
const tool = (label) => `.files > .panel-rim button[data-tool='${label}']`;

/** @param {import("./cases.mjs").Visit} visit */
async function open({ person, base }) {
  await person.visit(`${base}/#terminal`);
  await person.read(ROWS, "~ $");
}

/** @type {import("./cases.mjs").Case[]} */
export const files = [
  {
    name: "Files: a new file is made, edited, saved, read by the shell, and deleted",
    async run(visit) {
      const { person } = visit;
      await open(visit);
      await person.click(tool("new"));
      await person.fill(".question input", "readme.txt");
      await person.press("Enter");
      await person.read(".question .fault", "/home/readme.txt is there already.");
      await person.fill(".question input", "poem.txt");
      await person.press("Enter");
      await person.read(".open-name", "/home/poem.txt");
      // The focus is in the editor already.
      await person.type("roses\nviolets\n");
      await person.read(".open-title", "edited");
      await person.press("Control+s");
      await person.read(".open-title", "saved");
      await person.click(".xterm-screen");
      await person.type("wc poem.txt\n");
      await person.read(ROWS, "2  2  14");
      // Edits are not lost by a look at another file.
      await person.click(".file-editor .cm-content");
      await person.press("Control+End");
      await person.type("and more");
      await person.click("[data-path='/home/greet.ts']");
      await person.read(".question", "/home/poem.txt has edits that are not saved.");
      await person.click(".question .button-paint");
      await person.read(".open-name", "/home/greet.ts");
      await person.click("[data-path='/home/poem.txt']");
      await person.read(".file-editor .cm-content", "and more");
      await person.click(tool("delete"));
      await person.read(".question", "Delete /home/poem.txt?");
      await person.press("Escape");
      await person.see("no question", "document.querySelector('.question').hidden");
      await person.click(tool("delete"));
      await person.press("Enter");
      await person.read(".files-note", "/home/poem.txt is gone.");
      assert.equal(await person.evaluate("document.querySelector(\"[data-path='/home/poem.txt']\")"), null);
      assert.equal(await person.evaluate("document.querySelector('.file-editor').hidden"), true);
      assert.equal(await person.evaluate("document.activeElement.dataset.path"), "/home");
    },
  },
  {
    name: "Files: what is uploaded can be downloaded again, a directory as an archive; what is no text says so",
    async run(visit) {
      const { person } = visit;
      await open(visit);
      const folder = await mkdtemp(join(tmpdir(), "wasmex-upload-"));
      try {
        const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
        await writeFile(join(folder, "bytes.bin"), bytes);
        await person.upload(tool("upload"), ".files input[type='file']", join(folder, "bytes.bin"));
        await person.read(".files-note", "Put bytes.bin into /home, 300 B.");
        await person.click("[data-path='/home/bytes.bin']");
        await person.read(".files-note", "/home/bytes.bin is not text (300 B), so it can't be edited.");
        const file = await person.download(tool("download"));
        assert.equal(file.name, "bytes.bin");
        assert.deepEqual(file.bytes, bytes);
        await person.click("[data-path='/home']");
        const archive = await person.download(tool("download"));
        assert.equal(archive.name, "home.tar");
        const text = new TextDecoder("latin1").decode(archive.bytes);
        assert.equal(archive.bytes.length % 512, 0);
        assert.equal(text.slice(257, 262), "ustar");
        for (const name of ["home/app.ts", "home/bytes.bin"]) assert.ok(text.includes(`${name}\0`), name);
        assert.ok(text.includes('import { greet } from "./greet";'));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  },
];
