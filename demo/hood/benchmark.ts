import * as Wasmex from "wasmex";
import { hasThreads } from "../ui/environment.js";

/** Nanoseconds for each way of doing one thing. */
export interface Measured {
  readonly title: string;
  readonly ways: readonly { readonly label: string; readonly nanoseconds: number; readonly base: boolean }[];
}

const GUEST = `(module
  (memory (export "memory") 1)
  (data (i32.const 0) "hello, world!")
  (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))`;

const ROUNDS = 7;
/** Milliseconds that one round of one way takes about. */
const ROUND = 12;

interface Way {
  readonly label: string;
  readonly base?: boolean;
  /** Does the thing so often; answers something of it, so that no engine leaves it out. */
  readonly run: (times: number) => number | Promise<number>;
}

let sink = 0;

async function time(way: Way, times: number): Promise<number> {
  const begun = performance.now();
  sink += await way.run(times);
  return performance.now() - begun;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Measures the ways in turns, so that what else the machine does meets all of them alike. */
async function compare(title: string, ways: readonly Way[]): Promise<Measured> {
  const times: number[] = [];
  for (const way of ways) {
    let count = 8;
    while ((await time(way, count)) < ROUND / 2 && count < 1e7) count *= 2;
    times.push(count);
  }
  const rounds: number[][] = ways.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, way] of ways.entries()) {
      const count = times[index] ?? 1;
      rounds[index]?.push(((await time(way, count)) * 1e6) / count);
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
  return {
    title,
    ways: ways.map(({ label, base = false }, index) => ({
      label,
      base,
      nanoseconds: median(rounds[index] ?? []),
    })),
  };
}

/** Runs all comparisons; tells of each as it is done. */
export async function runBenchmark(onDone: (measured: Measured) => void): Promise<number> {
  const module = await Wasmex.Module.compile(GUEST);
  const instance = await Wasmex.Instance.create(module);
  const bare = new WebAssembly.Instance(module.compiled).exports as {
    sum: (a: number, b: number) => number;
    memory: WebAssembly.Memory;
  };
  const { sum } = bare;
  const bound = instance.function("sum") as (a: number, b: number) => number;
  const repeat =
    (step: (index: number) => number) =>
    (times: number): number => {
      let total = 0;
      for (let index = 0; index < times; index++) total = (total + step(index)) | 0;
      return total;
    };

  onDone(
    await compare("One call of sum(a, b) on this thread", [
      { label: "bare export", base: true, run: repeat((index) => sum(index, 1)) },
      { label: 'function("sum")', run: repeat((index) => bound(index, 1)) },
      {
        label: "callFunction",
        run: repeat((index) => instance.callFunction("sum", [index, 1])[0] as number),
      },
    ]),
  );

  const bytes = new Uint8Array(bare.memory.buffer);
  const memory = instance.memory("uint8");
  onDone(
    await compare("Reading one byte of memory", [
      { label: "bare Uint8Array", base: true, run: repeat((index) => bytes[index & 8191] ?? 0) },
      { label: "memory.get", run: repeat((index) => memory.get(index & 8191)) },
    ]),
  );

  const decoder = new TextDecoder();
  onDone(
    await compare("Reading a string of 13 bytes", [
      { label: "TextDecoder", base: true, run: repeat(() => decoder.decode(bytes.subarray(0, 13)).length) },
      { label: "readString", run: repeat(() => memory.readString(0, 13).length) },
    ]),
  );

  if (hasThreads) {
    const process = await Wasmex.start({ module });
    const channel = await echoWorker();
    onDone(
      await compare("One call to another thread and back", [
        { label: "postMessage echo", base: true, run: (times) => channel.echo(times) },
        {
          label: "process.callFunction",
          run: async (times) => {
            let total = 0;
            for (let index = 0; index < times; index++)
              total += Number((await process.callFunction("sum", [index, 1]))[0]);
            return total;
          },
        },
      ]),
    );
    channel.end();
    await process.stop();
  }
  return sink;
}

/** The bare way to another thread: a worker that adds two numbers and posts them back. */
async function echoWorker(): Promise<{ echo: (times: number) => Promise<number>; end: () => void }> {
  const url = URL.createObjectURL(
    new Blob(["onmessage = ({ data }) => postMessage(data[0] + data[1]);"], { type: "text/javascript" }),
  );
  const worker = new Worker(url);
  const ask = (index: number): Promise<number> =>
    new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage([index, 1]);
    });
  await ask(0);
  URL.revokeObjectURL(url);
  return {
    echo: async (times) => {
      let total = 0;
      for (let index = 0; index < times; index++) total += await ask(index);
      return total;
    },
    end: () => worker.terminate(),
  };
}
