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
/** Rounds before those that count: engines compile anew what is used often. */
const WARM_UP = 3;
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
    // The better of two: one alone may have been interrupted, and so seem to be long enough.
    while (Math.min(await time(way, count), await time(way, count)) < ROUND / 2 && count < 1e8) count *= 2;
    times.push(count);
  }
  const rounds: number[][] = ways.map(() => []);
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const [index, way] of ways.entries()) {
      const count = times[index] ?? 1;
      const nanoseconds = ((await time(way, count)) * 1e6) / count;
      if (round >= 0) rounds[index]?.push(nanoseconds);
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
  // Every way has a loop of its own: one that is shared would be compiled for all of them together, and be slow for each.
  onDone(
    await compare("One call of sum(a, b) on this thread", [
      {
        label: "bare export",
        base: true,
        run: (times) => {
          let total = 0;
          for (let index = 0; index < times; index++) total = sum(total, index);
          return total;
        },
      },
      {
        label: 'function("sum")',
        run: (times) => {
          let total = 0;
          for (let index = 0; index < times; index++) total = bound(total, index);
          return total;
        },
      },
      {
        label: "callFunction",
        run: (times) => {
          let total = 0;
          for (let index = 0; index < times; index++) {
            total = instance.callFunction("sum", [total, index])[0] as number;
          }
          return total;
        },
      },
    ]),
  );

  const bytes = new Uint8Array(bare.memory.buffer);
  const memory = instance.memory("uint8");
  onDone(
    await compare("Reading one byte of memory", [
      {
        label: "bare Uint8Array",
        base: true,
        run: (times) => {
          let total = 0;
          for (let index = 0; index < times; index++) total = (total + (bytes[index & 8191] ?? 0)) | 0;
          return total;
        },
      },
      {
        label: "memory.get",
        run: (times) => {
          let total = 0;
          for (let index = 0; index < times; index++) total = (total + memory.get(index & 8191)) | 0;
          return total;
        },
      },
    ]),
  );

  const decoder = new TextDecoder();
  onDone(
    await compare("Reading a string of 13 bytes", [
      {
        label: "TextDecoder",
        base: true,
        run: (times) => {
          let total = 0;
          for (let index = 0; index < times; index++) total += decoder.decode(bytes.subarray(0, 13)).length;
          return total;
        },
      },
      {
        label: "readString",
        run: (times) => {
          let total = 0;
          for (let index = 0; index < times; index++) total += memory.readString(0, 13).length;
          return total;
        },
      },
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
