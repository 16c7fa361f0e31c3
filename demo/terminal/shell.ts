import { Module, Pipe, type VirtualFileSystem } from "wasmex";
import { hasThreads } from "../ui/environment.js";
import { messageOf } from "../ui/text.js";
import { BUILTINS } from "./builtins.js";
import { type Execute, executeCommand, INTERRUPTED } from "./execute.js";
import { loadProgram, PROGRAMS } from "./programs.js";
import {
  baseName,
  fileAsOutput,
  fileAsPipe,
  type Input,
  type Job,
  resolvePath,
  type Write,
} from "./streams.js";
import { type Command, parse, ShellSyntaxError, split } from "./syntax.js";
import type { Tty } from "./tty.js";

export interface ShellEvents {
  /** A program is being fetched; `undefined` when it is there. */
  onProgress(name: string, progress: { loaded: number; total: number | undefined } | undefined): void;
  /** What runs now; `undefined` for nothing. */
  onJob(name: string | undefined): void;
  onExit(name: string, code: number, milliseconds: number): void;
}

/** A small shell: lines in, programs run, exit codes out. */
export class Shell {
  readonly #tty: Tty;
  readonly #fs: VirtualFileSystem;
  readonly #events: ShellEvents;
  readonly #env = new Map([
    ["USER", "visitor"],
    ["HOME", "/home"],
    ["TERM", "xterm-256color"],
  ]);
  readonly #history: string[] = [];
  readonly #typedToPrograms: string[] = [];
  #directory = "/home";
  #code = 0;
  #interrupt: AbortController | undefined;

  constructor(tty: Tty, fs: VirtualFileSystem, events: ShellEvents) {
    this.#tty = tty;
    this.#fs = fs;
    this.#events = events;
    tty.onInterrupt = () => this.interrupt();
  }

  get directory(): string {
    return this.#directory;
  }

  get isBusy(): boolean {
    return this.#interrupt !== undefined;
  }

  /** What Ctrl-C does while a program runs. */
  interrupt(): void {
    this.#interrupt?.abort();
  }

  async loop(): Promise<never> {
    for (;;) {
      const shown = this.#directory.replace(/^\/home(?=\/|$)/, "~");
      const code = this.#code === 0 ? "" : `\x1b[31m[${this.#code}]\x1b[0m `;
      const typed = await this.#tty.readLine({
        prompt: `${code}\x1b[1;32m${shown}\x1b[0m $ `,
        history: this.#history,
        complete: (before) => this.#complete(before),
      });
      if (typed.kind === "interrupt") this.#code = INTERRUPTED;
      else if (typed.kind === "end")
        this.#tty.write("Close the page to leave; everything in here is gone then.\n");
      else await this.#runLine(typed.text);
    }
  }

  async #runLine(line: string): Promise<void> {
    this.#interrupt = new AbortController();
    try {
      for (const { when, text } of split(line)) {
        if (when === "success" && this.#code !== 0) continue;
        if (when === "failure" && this.#code === 0) continue;
        const commands = parse(text, (name) =>
          name === "?" ? String(this.#code) : (this.#env.get(name) ?? ""),
        );
        this.#code = await this.#runPipeline(commands, this.#interrupt.signal);
        if (this.#interrupt.signal.aborted) break;
      }
    } catch (error) {
      this.#code = 2;
      this.#tty.write(
        `\x1b[31m${error instanceof ShellSyntaxError ? "syntax: " : ""}${messageOf(error)}\x1b[0m\n`,
      );
    } finally {
      this.#interrupt = undefined;
      this.#events.onJob(undefined);
    }
  }

  async #runPipeline(commands: readonly Command[], signal: AbortSignal): Promise<number> {
    const last = commands.length - 1;
    // Where programs have threads they run side by side; else one after the other, each on all that the one before left.
    const pipes = commands.slice(0, last).map(() => new Pipe({ blocking: hasThreads }));
    const runs: Promise<number>[] = [];
    for (const [index, command] of commands.entries()) {
      const between = pipes[index];
      const input =
        command.input === undefined
          ? (pipes[index - 1] ?? "keyboard")
          : fileAsPipe(this.#fs, this.#path(command.input));
      let output: Write = (data) => this.#tty.write(data);
      if (command.output !== undefined) {
        output = fileAsOutput(this.#fs, this.#path(command.output.path), command.output.append);
      } else if (between !== undefined) {
        output = (data) => void between.write(data);
      }
      const run = this.#runCommand(command, input, output, signal).finally(() => between?.end());
      runs.push(run);
      if (!hasThreads) await run;
    }
    const codes = await Promise.all(runs);
    return codes[last] ?? 0;
  }

  async #runCommand(command: Command, input: Input, output: Write, signal: AbortSignal): Promise<number> {
    const [name, ...args] = command.words;
    if (name === undefined) {
      for (const [key, value] of command.assignments) this.#env.set(key, value);
      return 0;
    }
    const job: Job = {
      name,
      args,
      env: Object.fromEntries([...this.#env, ...command.assignments]),
      directory: this.#directory,
      fs: this.#fs,
      input,
      output,
      errors: (data) => this.#tty.write(data),
      signal,
    };
    const own = this.#own(job);
    if (own !== undefined) return own;
    const builtin = Object.hasOwn(BUILTINS, name) ? BUILTINS[name] : undefined;
    if (builtin !== undefined) return builtin.run(job);
    const begun = performance.now();
    const code = await this.#runProgram(job);
    this.#events.onExit(name, code, performance.now() - begun);
    return code;
  }

  /** What changes the shell itself. */
  #own(job: Job): number | undefined {
    const { args, output } = job;
    switch (job.name) {
      case "cd": {
        const path = resolvePath(this.#directory, args[0] ?? "/home");
        if (!this.#fs.exists(path) || this.#fs.stat(path).kind !== "directory") {
          job.errors(`cd: ${path} is no directory\n`);
          return 1;
        }
        this.#directory = path;
        return 0;
      }
      case "pwd":
        output(`${this.#directory}\n`);
        return 0;
      case "env":
        output(
          Object.entries(job.env)
            .map(([key, value]) => `${key}=${value}\n`)
            .join(""),
        );
        return 0;
      case "export":
      case "unset":
        for (const argument of args) {
          const at = argument.indexOf("=");
          if (job.name === "unset") this.#env.delete(argument);
          else if (at > 0) this.#env.set(argument.slice(0, at), argument.slice(at + 1));
        }
        return 0;
      case "clear":
        this.#tty.clear();
        return 0;
      case "true":
        return 0;
      case "false":
        return 1;
      case "help":
        output(this.#help());
        return 0;
      default:
        return undefined;
    }
  }

  #help(): string {
    const line = (name: string, about: string): string => `  \x1b[32m${name.padEnd(9)}\x1b[0m ${about}\n`;
    const programs = Object.entries(PROGRAMS).map(([name, { about }]) => line(name, about));
    const own = Object.entries(BUILTINS).map(([name, { about }]) => line(name, about));
    return [
      "WebAssembly programs:\n",
      ...programs,
      line("./x.wasm", "any WASI program in the file system: drop one on the page"),
      "\nIn the shell:\n",
      ...own,
      line("cd pwd", "where you are"),
      line("env", "the environment; export NAME=value sets, NAME=value program sets for one"),
      "\n  | < > >> && || ; work, $? is the last exit code.\n  Ctrl-C stops a program, Ctrl-D ends its input.\n",
    ].join("");
  }

  async #runProgram(job: Job): Promise<number> {
    const known = Object.hasOwn(PROGRAMS, job.name) ? PROGRAMS[job.name] : undefined;
    let module: Module;
    try {
      if (known !== undefined) {
        module = await loadProgram(known.url, (loaded, total) =>
          this.#events.onProgress(job.name, { loaded, total }),
        );
      } else {
        const path = [job.name, `${job.name}.wasm`]
          .map((name) => this.#path(name))
          .find((one) => this.#fs.exists(one) && this.#fs.stat(one).kind === "file");
        if (path === undefined) {
          job.errors(`${job.name}: no such command. \x1b[32mhelp\x1b[0m lists what there is.\n`);
          return 127;
        }
        module = await Module.compile(this.#fs.readFile(path), { name: baseName(path) });
      }
    } catch (error) {
      job.errors(`\x1b[31m${job.name}: ${messageOf(error)}\x1b[0m\n`);
      return 126;
    } finally {
      this.#events.onProgress(job.name, undefined);
    }
    if (job.signal.aborted) return INTERRUPTED;
    this.#events.onJob(job.name);
    const execute = known?.execute ?? executeCommand;
    if (job.input !== "keyboard") return execute(module, job, job.input);
    return hasThreads
      ? this.#withLiveInput(execute, module, job)
      : this.#withInputFirst(execute, module, job);
  }

  /** The keyboard feeds the program while it runs. */
  async #withLiveInput(execute: Execute, module: Module, job: Job): Promise<number> {
    const stdin = new Pipe({ blocking: true });
    let running = true;
    const feed = async (): Promise<void> => {
      while (running) {
        const typed = await this.#tty.readLine({ history: this.#typedToPrograms });
        if (!running) return;
        if (typed.kind === "line") stdin.write(`${typed.text}\n`);
        else if (typed.kind === "end") return stdin.end();
        else return this.interrupt();
      }
    };
    const fed = feed();
    const code = await execute(module, job, stdin);
    running = false;
    this.#tty.cancelRead();
    await fed;
    return code;
  }

  /** On a plain page nobody can type to a running program: it gets its input whole, before. */
  async #withInputFirst(execute: Execute, module: Module, job: Job): Promise<number> {
    const stdin = new Pipe();
    if (job.name === "yard" || (job.name === "ruby" && job.args.length === 0)) {
      this.#tty.write(
        "\x1b[33mThis page has no threads: type all of the input first, then Ctrl-D on an empty line.\x1b[0m\n",
      );
      for (;;) {
        const typed = await this.#tty.readLine({ prompt: "input: ", history: this.#typedToPrograms });
        if (typed.kind === "interrupt") return INTERRUPTED;
        if (typed.kind === "end") break;
        stdin.write(`${typed.text}\n`);
      }
    }
    stdin.end();
    return execute(module, job, stdin);
  }

  #path(path: string): string {
    return resolvePath(this.#directory, path);
  }

  #complete(before: string): readonly string[] {
    const word = /[^\s|<>;&]*$/.exec(before)?.[0] ?? "";
    const isCommand = /(^|[|;&])\s*$/.test(before.slice(0, before.length - word.length));
    const commands = [
      "cd",
      "clear",
      "env",
      "export",
      "help",
      "pwd",
      ...Object.keys(BUILTINS),
      ...Object.keys(PROGRAMS),
    ];
    if (isCommand && !word.includes("/")) return commands.filter((name) => name.startsWith(word)).sort();
    const slash = word.lastIndexOf("/") + 1;
    const directory = this.#path(word.slice(0, slash) || ".");
    if (!this.#fs.exists(directory) || this.#fs.stat(directory).kind !== "directory") return [];
    return this.#fs
      .readdir(directory)
      .filter((name) => name.startsWith(word.slice(slash)))
      .map((name) => {
        const isDirectory =
          this.#fs.stat(resolvePath(directory, name), { followSymlinks: false }).kind === "directory";
        return word.slice(0, slash) + name + (isDirectory ? "/" : "");
      });
  }
}
