import { digits } from "../ui/text.js";
import { baseName, type Job, type Runner, resolvePath } from "./streams.js";

/** What the shell itself can do. `cd`, `export` and their like change the shell and are its own. */
export const BUILTINS: Readonly<Record<string, { readonly about: string; readonly run: Runner }>> = {
  cat: {
    about: "show files, or what is piped in",
    run: async (job) => {
      if (job.args.length === 0) {
        if (job.input === "keyboard") return fail(job, "name a file, or pipe something in");
        for await (const chunk of job.input) job.output(chunk);
      }
      return each(job, (path) => job.output(job.fs.readFile(path)));
    },
  },
  cp: {
    about: "copy a file",
    run: (job) => transfer(job, (from, to) => job.fs.writeFile(to, job.fs.readFile(from))),
  },
  echo: {
    about: "say something",
    run: (job) => {
      job.output(`${job.args.join(" ")}\n`);
      return 0;
    },
  },
  ls: { about: "list files", run: list },
  mkdir: {
    about: "make directories",
    run: (job) => each(job, (path) => job.fs.mkdir(path, { recursive: true })),
  },
  mv: { about: "move or rename", run: (job) => transfer(job, (from, to) => job.fs.rename(from, to)) },
  rm: {
    about: "remove files; -r directories too",
    run: (job) => {
      const recursive = job.args.some((arg) => /^-\w*r/.test(arg));
      return each(job, (path) => job.fs.remove(path, { recursive }));
    },
  },
  touch: {
    about: "make empty files",
    run: (job) => each(job, (path) => job.fs.exists(path) || job.fs.writeFile(path, "")),
  },
  wc: {
    about: "count lines, words and bytes",
    run: async (job) => {
      const count = (text: string, name: string): void => {
        const lines = text.split("\n").length - 1;
        const words = text.split(/\s+/).filter(Boolean).length;
        job.output(
          `${[lines, words, new TextEncoder().encode(text).length].map(digits).join("  ")}  ${name}\n`,
        );
      };
      if (job.args.length > 0) return each(job, (path, arg) => count(job.fs.readFile(path, "utf8"), arg));
      if (job.input === "keyboard") return fail(job, "name a file, or pipe something in");
      const decoder = new TextDecoder();
      let text = "";
      for await (const chunk of job.input) text += decoder.decode(chunk, { stream: true });
      count(text, "");
      return 0;
    },
  },
};

function fail(job: Job, message: string): number {
  job.errors(`${job.name}: ${message}\n`);
  return 1;
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function each(job: Job, work: (path: string, argument: string) => unknown): number {
  let code = 0;
  for (const argument of job.args) {
    if (argument.startsWith("-")) continue;
    try {
      work(resolvePath(job.directory, argument), argument);
    } catch (error) {
      code = fail(job, reason(error));
    }
  }
  return code;
}

function transfer(job: Job, work: (from: string, to: string) => void): number {
  const [from, to] = job.args.filter((argument) => !argument.startsWith("-"));
  if (from === undefined || to === undefined) return fail(job, "needs two paths");
  try {
    const source = resolvePath(job.directory, from);
    const target = resolvePath(job.directory, to);
    const isDirectory = job.fs.exists(target) && job.fs.stat(target).kind === "directory";
    work(source, isDirectory ? `${target}/${baseName(source)}` : target);
    return 0;
  } catch (error) {
    return fail(job, reason(error));
  }
}

function list(job: Job): number {
  const long = job.args.some((argument) => /^-\w*l/.test(argument));
  const paths = job.args.filter((argument) => !argument.startsWith("-"));
  const { fs } = job;
  const show = (path: string, name: string): string => {
    const stat = fs.stat(path, { followSymlinks: false });
    const shown =
      stat.kind === "directory"
        ? `\x1b[1;34m${name}/\x1b[0m`
        : name.endsWith(".wasm")
          ? `\x1b[32m${name}\x1b[0m`
          : name;
    if (!long) return shown;
    const time = new Date(Number(stat.modified / 1_000_000n)).toISOString().slice(0, 19).replace("T", " ");
    return `${digits(stat.size).padStart(11)}  ${time}  ${shown}`;
  };
  return each({ ...job, args: paths.length === 0 ? ["."] : paths }, (path) => {
    const isDirectory = fs.stat(path).kind === "directory";
    const shown = isDirectory
      ? fs.readdir(path).map((name) => show(resolvePath(path, name), name))
      : [show(path, baseName(path))];
    if (shown.length > 0) job.output(`${shown.join(long ? "\n" : "  ")}\n`);
  });
}
