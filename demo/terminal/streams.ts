import { Pipe, type VirtualFileSystem } from "wasmex";

export type Write = (data: string | Uint8Array) => void;

/** What a program reads from: a pipe that is there already, or the keyboard. */
export type Input = Pipe | "keyboard";

/** What the shell gives to every program that it runs. */
export interface Job {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly fs: VirtualFileSystem;
  readonly input: Input;
  readonly output: Write;
  readonly errors: Write;
  /** Ends with Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Takes a job and answers its exit code. */
export type Runner = (job: Job) => number | Promise<number>;

export function fileAsPipe(fs: VirtualFileSystem, path: string): Pipe {
  const pipe = new Pipe();
  pipe.write(fs.readFile(path));
  pipe.end();
  return pipe;
}

/** Collects output and puts it into a file, so that one sees it grow. */
export function fileAsOutput(fs: VirtualFileSystem, path: string, append: boolean): Write {
  const kept = append && fs.exists(path) ? fs.readFile(path) : new Uint8Array(0);
  const chunks = new Pipe();
  fs.writeFile(path, kept);
  const encoder = new TextEncoder();
  let all = kept;
  return (data) => {
    chunks.write(typeof data === "string" ? encoder.encode(data) : data);
    const added = chunks.read();
    const next = new Uint8Array(all.length + added.length);
    next.set(all);
    next.set(added, all.length);
    all = next;
    fs.writeFile(path, all);
  };
}

/** An absolute path without `.` and `..`. */
export function resolvePath(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${directory}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

export const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
