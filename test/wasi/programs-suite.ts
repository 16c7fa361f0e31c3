import { describe, expect, test } from "vitest";
import { Pipe, run, type VirtualFileSystem } from "wasmex";
import { fixture, thread } from "../support/index.js";

/** Programs of our own in C and Rust, each on a file system of that kind. */
export function programsSuite(name: string, make: () => { fs: VirtualFileSystem; directory: string }): void {
  const start = async (
    program: string,
    { args = [], env = {}, stdin }: { args?: string[]; env?: Record<string, string>; stdin?: string },
  ) => {
    const { fs, directory } = make();
    const input = new Pipe();
    input.write(stdin ?? "");
    const result = await run({
      bytes: await fixture(program),
      thread,
      wasi: {
        programName: program,
        args,
        env,
        stdin: input,
        fs,
        preopen: { [directory]: { flags: ["read", "write", "create"], alias: "/" } },
      },
    });
    return { ...result, fs, directory };
  };

  describe(name, () => {
    test("files.c makes, walks, moves and removes a tree", async () => {
      const { exitCode, stdout, fs, directory } = await start("files.wasm", { args: ["/"] });
      expect(stdout.split("\n")).toEqual([
        "mkdir one: ok",
        "mkdir one again: File exists",
        "mkdir none/x: No such file or directory",
        "mkdir one/two: ok",
        "1001 lines, the last: the end",
        "the first: line X",
        "symlink: ok",
        "symlink out: ok",
        "open out: refused",
        "link: ok",
        "unlink what is open: ok",
        "read of it: 4, seek to its end: 8898",
        "rmdir of what is full: Directory not empty",
        "rename over: ok",
        "rename a directory: ok",
        "rename into itself: Invalid argument",
        "truncate: ok",
        "pwrite: 1",
        "one/",
        "  moved/",
        "    words.txt 8898",
        "  out -> ../../../etc/passwd",
        "  words -> two/words.txt",
        "sparse 200001",
        "unlink: ok",
        "rmdir: ok",
        "",
      ]);
      expect(exitCode).toBe(0);
      expect(fs.readdir(directory).sort()).toEqual(["one", "sparse"]);
      expect(fs.stat(`${directory}/sparse`).size).toBe(200_001);
    });

    test("lines.c reads standard input line by line, and the environment", async () => {
      const { exitCode, stdout, stderr } = await start("lines.wasm", {
        args: ["", "two words", "Ünïcödé"],
        env: { PROMPT: "> ", EMPTY: "", Ö: "=" },
        stdin: "first\n\nthe third, ünïcödé\nquit\nnever read\n",
      });
      expect(stdout.split("\n")).toEqual([
        "argument 0: lines.wasm",
        "argument 1: ",
        "argument 2: two words",
        "argument 3: Ünïcödé",
        "variable: PROMPT=> ",
        "variable: EMPTY=",
        "variable: Ö==",
        "> 1: first (5 bytes)",
        "> 2:  (0 bytes)",
        "> 3: the third, ünïcödé (22 bytes)",
        "> 4: quit (4 bytes)",
        "",
      ]);
      expect(stderr).toBe("4 lines\n");
      expect(exitCode).toBe(4);
    });

    test("lines.c reads a long line, a last one without its end, and nothing", async () => {
      const long = "x".repeat(100_000);
      const { stdout, exitCode } = await start("lines.wasm", { stdin: `${long}\nlast` });
      expect(stdout).toContain(`1: ${long} (100000 bytes)\n2: last (4 bytes)\n`);
      expect(exitCode).toBe(2);
      expect((await start("lines.wasm", {})).exitCode).toBe(0);
    });

    test("time.c tells the date, sleeps, and sets the times of a file to the nanosecond", async () => {
      const { stdout, exitCode, fs, directory } = await start("time.wasm", {});
      const [now, ...rest] = stdout.split("\n");
      expect(Math.abs(Date.parse(now?.slice(4) ?? "") - Date.now())).toBeLessThan(60_000);
      expect(rest).toEqual([
        "slept long enough",
        "futimens 0",
        "accessed 1000000000123456789, modified 1700000000987654321",
        "write 1",
        "modified just now",
        "",
      ]);
      expect(exitCode).toBe(0);
      expect(fs.exists(`${directory}/stamped`)).toBe(true);
    });

    test("ledger.rs keeps its books in files", async () => {
      const { stdout, exitCode, fs, directory } = await start("ledger.wasm", {
        args: ["/books"],
        env: { CURRENCY: "CHF" },
        stdin: "rent -1200\nsalary 5000\nrent 50\nwhat is this\n\nübrig 1\n",
      });
      expect(stdout.split("\n")).toEqual([
        'not understood: "what is this"',
        'not understood: ""',
        "rent: -1150 CHF in 9 bytes",
        "salary: 5000 CHF in 5 bytes",
        "übrig: 1 CHF in 2 bytes",
        "total 3851",
        "missing: NotFound",
        "outside: true",
        "the clock runs: true",
        "",
      ]);
      expect(exitCode).toBe(0);
      expect(fs.readdir(`${directory}/books`).sort()).toEqual(["copy.txt", "report.txt"]);
      expect(fs.readFile(`${directory}/books/copy.txt`, "utf8").trimEnd()).toBe("total 3851");
    });
  });
}
