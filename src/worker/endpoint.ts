import { ByteQueue } from "../pipe-queue.js";
import { WasiExit } from "../wasi/exit.js";
import { decode, encode, encodeThrown } from "./codec.js";
import type { FunctionPlan } from "./plans.js";
import type { Channel } from "./protocol.js";
import * as records from "./records.js";
import {
  ANSWERS_TAKEN,
  BELL,
  EXTRA,
  HOST_SLEEPS,
  ID,
  KIND,
  RINGS,
  RingReader,
  RingWriter,
  type Words,
  wordsOf,
} from "./ring.js";
import { Spinner } from "./spin.js";
import { type Layout, readValues, writeValues } from "./values.js";

/** Misses in a row after which one wait in this many still looks. */
const MOST_SKIPS = 32;

/** Unwinds the guest to its caller after a host function has failed; the error itself is the host's. No stack is taken. */
export class HostFailure {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

export interface Exported {
  readonly plan: FunctionPlan;
  readonly call: (...values: unknown[]) => unknown;
}

/** The exported function of that place. */
export type Functions = (index: number) => Exported;

export interface EndpointOptions {
  readonly channel: Channel;
  readonly now: () => number;
  /** The bell by message, where the host can't wait on shared memory. */
  readonly ringByMessage: () => void;
  /** Turns what a guest threw into the error for the caller. */
  readonly toError: (thrown: unknown, exported: Exported, values: readonly unknown[]) => unknown;
}

interface Answer {
  readonly failure: number;
  readonly values: readonly unknown[];
}

/** The worker's end of the channel: serves calls one after the other and waits for the host's functions. */
export class Endpoint {
  readonly #words: Words;
  readonly #int32: Int32Array;
  readonly #calls: RingReader;
  readonly #answers: RingReader;
  readonly #replies: RingWriter;
  readonly #toWorker: ByteQueue;
  readonly #toHost: ByteQueue;
  readonly #options: EndpointOptions;
  readonly #spin: number;
  #functions: Functions | undefined;
  #hostCalls = 0;
  #taken = 0;
  /** Layouts of the results of host calls further out on the stack, and answers that came for them early. */
  readonly #waiting = new Map<number, Layout>();
  readonly #early = new Map<number, Answer>();
  readonly #callSpinner = new Spinner(MOST_SKIPS);
  readonly #answerSpinner = new Spinner(MOST_SKIPS);

  constructor(options: EndpointOptions) {
    const { channel } = options;
    const words = wordsOf(channel.words);
    this.#options = options;
    this.#words = words;
    this.#int32 = words.int32;
    this.#calls = new RingReader(words, ...RINGS.calls);
    this.#answers = new RingReader(words, ...RINGS.answers);
    this.#replies = new RingWriter(words, ...RINGS.replies);
    this.#toWorker = ByteQueue.attach(channel.toWorker);
    this.#toHost = ByteQueue.attach(channel.toHost);
    this.#spin = channel.spin;
  }

  /** Serves calls of these functions for as long as the thread lives. */
  serve(functions: Functions): never {
    this.#functions = functions;
    const calls = this.#calls;
    for (;;) {
      if (!calls.ready) this.#wait(calls, this.#callSpinner);
      this.#serveCall(calls, 0);
    }
  }

  /** Has the host do something and waits for the answer, serving calls that the host makes meanwhile. */
  ask(
    kind: number,
    index: number,
    parameters: Layout,
    values: readonly unknown[],
    results: Layout,
  ): readonly unknown[] {
    const id = (this.#hostCalls + 1) | 0;
    this.#hostCalls = id;
    this.#send(kind | (index << 8), id, parameters, values);
    const answers = this.#answers;
    for (;;) {
      if (!answers.ready) this.#wait(answers, this.#answerSpinner);
      const word = this.#int32[answers.at + KIND] as number;
      if ((word & 255) === records.NESTED_CALL) {
        this.#waiting.set(id, results);
        this.#serveCall(answers, records.NESTED);
        this.#waiting.delete(id);
        // While that call waited for a host function in its turn, the answer to this one may have come.
        const early = this.#early.get(id);
        if (early === undefined) continue;
        this.#early.delete(id);
        return settled(early);
      }
      const failure = (word & 255) === records.ANSWER_FAILED ? word >>> 8 : 0;
      const answered = this.#int32[answers.at + ID] as number;
      const layout = answered === id ? results : this.#waiting.get(answered);
      const answer = { failure, values: failure === 0 ? this.#read(answers, layout) : NONE };
      this.#release(answers);
      if (answered === id) return settled(answer);
      this.#early.set(answered, answer);
    }
  }

  /** Tells the host something that needs no answer. */
  tell(kind: number, index: number): void {
    this.#send(kind | (index << 8), 0, NOTHING, []);
  }

  /** Wakes the host, should it sleep. */
  ring(): void {
    const int32 = this.#int32;
    if (Atomics.load(int32, HOST_SLEEPS) === 0 || Atomics.exchange(int32, HOST_SLEEPS, 0) === 0) return;
    if (this.#options.channel.bell === "message") {
      this.#options.ringByMessage();
    } else {
      Atomics.add(int32, BELL, 1);
      Atomics.notify(int32, BELL);
    }
  }

  #release(ring: RingReader): void {
    ring.release();
    if (ring === this.#answers) {
      this.#taken = (this.#taken + 1) | 0;
      Atomics.store(this.#int32, ANSWERS_TAKEN, this.#taken);
    }
  }

  #serveCall(ring: RingReader, nested: number): void {
    const at = ring.at;
    const index = (this.#int32[at + KIND] as number) >>> 8;
    const id = this.#int32[at + ID] as number;
    const exported = this.#functions?.(index) as Exported;
    const values = this.#read(ring, exported.plan.parameters.layout);
    this.#release(ring);
    let result: unknown;
    try {
      result = exported.call(...values);
    } catch (thrown) {
      this.#replyThrown(thrown, exported, values, nested, id);
      return;
    }
    const { types, layout } = exported.plan.results;
    const count = exported.plan.type === undefined ? countOf(result) : types.length;
    const results = count === 1 ? [result] : count === 0 ? NONE : (result as unknown[]);
    try {
      this.#send(records.REPLY | nested, id, layout, results);
    } catch (error) {
      this.#sendBytes(records.REPLY_ERROR | nested, id, encodeThrown(error));
    }
  }

  #replyThrown(
    thrown: unknown,
    exported: Exported,
    values: readonly unknown[],
    nested: number,
    id: number,
  ): void {
    if (thrown instanceof HostFailure) {
      this.#send(records.REPLY_HOST_ERROR | nested | (thrown.id << 8), id, NOTHING, NONE);
    } else if (thrown instanceof WasiExit && thrown.code === 0) {
      this.#send(records.REPLY_EXIT | nested, id, NOTHING, NONE);
    } else {
      const error = this.#options.toError(thrown, exported, values);
      this.#sendBytes(records.REPLY_ERROR | nested, id, encodeThrown(error));
    }
  }

  #read(ring: RingReader, layout: Layout): readonly unknown[] {
    if (layout !== undefined) return layout.length === 0 ? NONE : readValues(this.#words, ring.at, layout);
    const bytes = new Uint8Array(this.#int32[ring.at + EXTRA] as number);
    this.#toWorker.read(bytes, 0, bytes.length);
    return decode(bytes) as unknown[];
  }

  #send(word: number, id: number, layout: Layout, values: readonly unknown[]): void {
    if (layout === undefined) {
      this.#sendBytes(word, id, encode(values));
    } else {
      writeValues(this.#words, this.#replies.at, layout, values);
      this.#publish(word, id, 0);
    }
  }

  #sendBytes(word: number, id: number, bytes: Uint8Array): void {
    if (this.#toHost.write(bytes, 0, bytes.length) !== bytes.length) {
      throw new RangeError(`out of memory: ${bytes.length} bytes could not be sent to the host`);
    }
    this.#publish(word, id, bytes.length);
  }

  #publish(word: number, id: number, extra: number): void {
    const at = this.#replies.at;
    this.#int32[at + KIND] = word;
    this.#int32[at + ID] = id;
    this.#int32[at + EXTRA] = extra;
    this.#replies.publish();
    this.ring();
  }

  /** Waits for a record: looks for it a while where that has paid, then sleeps. */
  #wait(ring: RingReader, spinner: Spinner): void {
    if (this.#spin > 0 && spinner.worthwhile) {
      if (ring.spin(this.#spin, this.#options.now)) {
        spinner.hit();
        return;
      }
      spinner.miss();
    }
    ring.sleep();
  }
}

/** @throws HostFailure where the host's function failed */
function settled({ failure, values }: Answer): readonly unknown[] {
  if (failure !== 0) throw new HostFailure(failure);
  return values;
}

const NOTHING = new Uint8Array(0);
const NONE: readonly unknown[] = [];

/** How many results an untyped function gave, by what the engine made of them. */
function countOf(result: unknown): number {
  if (result === undefined) return 0;
  return Array.isArray(result) ? result.length : 1;
}
