import * as Wasmex from "wasmex";
import { hasThreads } from "../ui/environment.js";

export type GuestState = "none" | "starting" | "ready" | "calling" | "stopped";

const WASI = "wasi_snapshot_preview1";

export interface GuestEvents {
  onState(state: GuestState, thread: "worker" | "inline" | undefined): void;
  onPrint(text: string): void;
}

/** The imports that the visitor wrote: the body of a function. */
export function readHost(
  code: string,
  print: (text: string) => void,
): Record<string, Record<string, Wasmex.ImportValue>> {
  // The visitor's own code in the visitor's own page: what the editor is for.
  const made: unknown = new Function("Wasmex", "print", "threads", `"use strict";\n${code}`)(
    Wasmex,
    print,
    hasThreads,
  );
  if (made === null || typeof made !== "object")
    throw new TypeError("the host code must return an object of namespaces");
  return made as Record<string, Record<string, Wasmex.ImportValue>>;
}

/** The instance of the moment: made at the first call, made anew after a stop or a change of the module. */
export class Guest {
  readonly #events: GuestEvents;
  #process: Wasmex.Process | undefined;
  #starting: Promise<Wasmex.Process> | undefined;
  #module: Wasmex.Module | undefined;
  #host = "";
  #calls = 0;

  constructor(events: GuestEvents) {
    this.#events = events;
  }

  get process(): Wasmex.Process | undefined {
    return this.#process;
  }

  get module(): Wasmex.Module | undefined {
    return this.#module;
  }

  /** Takes another module or other host functions; the running instance ends. */
  async load(module: Wasmex.Module | undefined, host: string): Promise<void> {
    this.#module = module;
    this.#host = host;
    await this.stop();
  }

  async stop(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    this.#starting = undefined;
    await process?.stop();
    if (process !== undefined) this.#events.onState("stopped", undefined);
  }

  start(): Promise<Wasmex.Process> {
    this.#starting ??= this.#make().catch((error: unknown) => {
      this.#starting = undefined;
      this.#events.onState("none", undefined);
      throw error;
    });
    return this.#starting;
  }

  async #make(): Promise<Wasmex.Process> {
    const module = this.#module;
    if (module === undefined) throw new Error("There is no module yet: the text does not compile.");
    this.#events.onState("starting", undefined);
    const print = (text: unknown): void => this.#events.onPrint(String(text));
    const decoder = new TextDecoder();
    const output = (chunk: Uint8Array): void => print(decoder.decode(chunk.slice(), { stream: true }));
    const usesWasi = module.importEntries.some((entry) => entry.module === WASI);
    const process = await Wasmex.start({
      module,
      imports: readHost(this.#host, print),
      name: "playground",
      // On a plain page an endless loop would take the page with it.
      interruptible: true,
      ...(usesWasi && {
        wasi: { programName: module.name ?? "playground", stdout: output, stderr: output, stdin: "null" },
      }),
    });
    this.#process = process;
    this.#events.onState("ready", process.thread);
    void process.exited.then(() => {
      if (this.#process !== process) return;
      this.#process = undefined;
      this.#starting = undefined;
      this.#events.onState("stopped", undefined);
    });
    return process;
  }

  /** @param timeout in milliseconds */
  async call(name: string, params: Wasmex.WasmValue[], timeout: number): Promise<Wasmex.WasmValue[]> {
    const process = await this.start();
    this.#calls += 1;
    this.#events.onState("calling", process.thread);
    try {
      return await process.callFunction(name, params, timeout);
    } finally {
      this.#calls -= 1;
      if (this.#calls === 0 && this.#process === process) this.#events.onState("ready", process.thread);
    }
  }
}
