import { ByteQueue } from "../pipe-queue.js";
import { WasiExit } from "../wasi/exit.js";
import { decode, encode, encodeThrown } from "./codec.js";
import type { FunctionPlan } from "./plans.js";
import type { Channel } from "./protocol.js";
import * as records from "./records.js";
import {
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
import { type Layout, readValues, writeValues } from "./values.js";

/** A gap between two calls that is worth looking through, in milliseconds. */
const SHORT_GAP = 1;

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
  #functions: readonly Exported[] = [];
  #hostCalls = 0;
  /** Answers that came for a call further out on the stack. */
  #early: Map<number, Answer> | undefined;
  #callsClose = true;
  #answersClose = true;

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
  serve(functions: readonly Exported[]): never {
    this.#functions = functions;
    const calls = this.#calls;
    for (;;) {
      this.#callsClose = this.#wait(calls, this.#callsClose);
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
    const id = (this.#hostCalls = (this.#hostCalls + 1) | 0);
    this.#send(kind | (index << 8), id, parameters, values);
    const answers = this.#answers;
    for (;;) {
      const early = this.#early?.get(id);
      if (early !== undefined) {
        this.#early?.delete(id);
        if (early.failure !== 0) throw new HostFailure(early.failure);
        return early.values;
      }
      if (!answers.ready) this.#answersClose = this.#wait(answers, this.#answersClose);
      const at = answers.at;
      const word = this.#int32[at + KIND] as number;
      if ((word & 255) === records.NESTED_CALL) {
        this.#serveCall(answers, records.NESTED);
        continue;
      }
      const failure = (word & 255) === records.ANSWER_FAILED ? word >>> 8 : 0;
      const answered = this.#int32[at + ID] as number;
      if (answered !== id) {
        // The layout of an answer to another call is that call's matter: only the host's numbers tell it, so such
        // answers always travel as bytes or as values that are read when their turn comes.
        this.#keepEarly(answers, answered, failure);
        continue;
      }
      const received = failure === 0 ? this.#read(answers, results) : [];
      answers.release();
      if (failure !== 0) throw new HostFailure(failure);
      return received;
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

  /** Results of host calls under way, by their number: an answer may come while another is waited for. */
  readonly #layouts = new Map<number, Layout>();

  #keepEarly(answers: RingReader, id: number, failure: number): void {
    const values = failure === 0 ? this.#read(answers, this.#layouts.get(id)) : [];
    answers.release();
    this.#early ??= new Map();
    this.#early.set(id, { failure, values });
  }

  #serveCall(ring: RingReader, nested: number): void {
    const at = ring.at;
    const index = (this.#int32[at + KIND] as number) >>> 8;
    const id = this.#int32[at + ID] as number;
    const exported = this.#functions[index] as Exported;
    const values = this.#read(ring, exported.plan.parameters.layout);
    ring.release();
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
    if (layout === undefined) return this.#sendBytes(word, id, encode(values));
    writeValues(this.#words, this.#replies.at, layout, values);
    this.#publish(word, id, 0);
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

  /** Waits for a record: looks for it a while where the last one came soon, then sleeps. Answers whether this one did. */
  #wait(ring: RingReader, close: boolean): boolean {
    if (this.#spin === 0) {
      ring.sleep();
      return false;
    }
    const { now } = this.#options;
    if (ring.spin(close ? this.#spin : this.#spin / 8, now)) return true;
    const began = now();
    ring.sleep();
    return now() - began < SHORT_GAP;
  }
}

const NOTHING = new Uint8Array(0);
const NONE: readonly unknown[] = [];

/** How many results an untyped function gave, by what the engine made of them. */
function countOf(result: unknown): number {
  if (result === undefined) return 0;
  return Array.isArray(result) ? result.length : 1;
}
