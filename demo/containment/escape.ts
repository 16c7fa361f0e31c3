import * as Wasmex from "wasmex";
import { h } from "../ui/dom.js";
import { Trial } from "./trial.js";

const SOURCE = `// escape.c, in short. It calls WASI itself, around the C library.
open_at(ROOM, "note.txt");                  // its own: fine
open_at(ROOM, "../secret.txt");
open_at(ROOM, "drawer/../../secret.txt");
open_at(ROOM, "/secret.txt");
path_symlink("../secret.txt", ROOM, "door");
open_at(ROOM, "door");
path_rename(ROOM, "note.txt", ROOM, "../stolen.txt");
open_at(SHELF, "rules.txt", O_TRUNC);       // the shelf is read-only
open_at(SHELF, "new.txt", O_CREAT);
path_unlink_file(SHELF, "rules.txt");
fd_write(1, { 0xfffffff0, 4096 });          // past the end of memory
fd_read(99, ...);                           // never given
return *(volatile int *)0xfffffff0;`;

const SECRET = "nobody in there may read this";

function row(what: string, answer: string, allowed: boolean): HTMLElement {
  return h(
    "li",
    { class: "attempt", "data-state": allowed ? "allowed" : "refused" },
    h("span", {}, what),
    h("b", {}, allowed ? "allowed" : "refused"),
    h("span", { class: "quiet" }, answer),
  );
}

export function escapeAttempt(): Trial {
  return new Trial(
    {
      id: "trial-escape",
      title: "An escape attempt",
      about:
        "A C program that has a room of its own and a shelf it may only read. It tries every way to the secret beside them.",
      action: "Let it try",
      source: SOURCE,
      needsThreads: false,
    },
    async ({ stage }) => {
      const list = h("ol", { class: "attempts", "aria-label": "Attempts" });
      stage.replaceChildren(list);
      const fs = new Wasmex.VirtualFileSystem({
        "/room": { "note.txt": "a note of the guest's own", drawer: {} },
        "/shelf": { "rules.txt": "look, but don't touch" },
        "/secret.txt": SECRET,
      });
      const output = new Wasmex.Pipe();
      const process = await Wasmex.start({
        bytes: new URL("programs/escape.wasm", document.baseURI),
        name: "escape",
        wasi: {
          programName: "escape",
          fs,
          preopen: { "/room": { flags: ["read", "write", "create"] }, "/shelf": { flags: ["read"] } },
          stdin: "null",
          stdout: output,
          stderr: output,
        },
      });
      let end = "it ended by itself";
      try {
        await process.callFunction("_start", [], 10_000);
      } catch (error) {
        if (!(error instanceof Wasmex.TrapError)) throw error;
        end = `trap: ${error.reason}`;
      } finally {
        await process.stop();
      }
      const text = output.readString();
      const attempts = text.split("\n").filter(Boolean);
      for (const [index, attempt] of attempts.entries()) {
        const [what = "", answer] = attempt.split("\t");
        const isLast = index === attempts.length - 1;
        list.append(row(what, isLast && !answer ? end : (answer ?? ""), answer === "done"));
      }
      const untouched =
        fs.readFile("/secret.txt", "utf8") === SECRET &&
        !text.includes(SECRET) &&
        !fs.exists("/stolen.txt") &&
        !fs.exists("/shelf/new.txt") &&
        fs.readFile("/shelf/rules.txt", "utf8") === "look, but don't touch";
      if (!untouched) throw new Error("it got through");
      const refused = list.querySelectorAll('[data-state="refused"]').length;
      return `${refused} attempts refused, one thing allowed that was its own. The secret is unread and the shelf as it was.`;
    },
  );
}
