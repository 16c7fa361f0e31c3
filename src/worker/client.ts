import { ByteQueue } from "../pipe-queue.js";
import type { ValueType } from "../shape.js";
import { toEngine, type WasmValue } from "../values.js";
import type { Caller, Pending } from "./caller.js";
import { type Answer, type ClientHost, engineValues, NOTHING, type Queued } from "./client-parts.js";
import { decode, encode } from "./codec.js";
import type { Deadlines } from "./deadlines.js";
import type { FunctionPlan } from "./plans.js";
import type { Channel } from "./protocol.js";
import * as records from "./records.js";
import {
  ANSWER_WINDOW,
  ANSWERS_TAKEN,
  BELL,
  CALL_WINDOW,
  EXTRA,
  HOST_SLEEPS,
  ID,
  KIND,
  RINGS,
  RingReader,
  RingWriter,
  WORKER_SLEEPS,
  type Words,
  wordsOf,
} from "./ring.js";
import { Spinner } from "./spin.js";
import { type Layout, readValues, writeValue, writeValues } from "./values.js";

/** How long the host looks for a reply before it lets its event loop go on, in milliseconds. */
const HOST_SPIN = 0.012;
/** How long calls in a row may keep the host from its event loop, in milliseconds. */
const SLICE = 1;
/** Misses in a row after which one wait in this many still looks. */
const MOST_SKIPS = 16;

/** The host's end of the channel: sends calls in order and delivers what comes back. */
export class Client implements Caller {
  readonly #words: Words;
  readonly #int32: Int32Array;
  readonly #host: ClientHost;
  readonly #deadlines: Deadlines;
  readonly #calls: RingWriter;
  readonly #answers: RingWriter;
  readonly #replies: RingReader;
  readonly #toWorker: ByteQueue;
  readonly #toHost: ByteQueue;
  readonly #byMessage: boolean;
  readonly #maySpin: boolean;

  /** Calls that the worker has, oldest first, from `#head` on. */
  #pending: Pending[] = [];
  #head = 0;
  #backlog: Queued[] = [];
  readonly #nested = new Map<number, Pending>();
  /** Answers for which there is no room in their ring, in order; how many were sent and, at least, taken. */
  readonly #answersLeft: Answer[] = [];
  #answersSent = 0;
  #answersTaken = 0;
  #nestedId = 0;
  /** Whether the worker starts: it may call host functions before any call. */
  #starting = true;
  #ended = false;
  #scheduled = false;
  #armed = false;
  #asleep = false;
  #alive = false;
  #sliceBegan = 0;
  readonly #spinner = new Spinner(MOST_SKIPS);

  constructor(channel: Channel, host: ClientHost, deadlines: Deadlines) {
    const words = wordsOf(channel.words);
    this.#words = words;
    this.#int32 = words.int32;
    this.#host = host;
    this.#deadlines = deadlines;
    this.#calls = new RingWriter(words, ...RINGS.calls);
    this.#answers = new RingWriter(words, ...RINGS.answers);
    this.#replies = new RingReader(words, ...RINGS.replies);
    this.#toWorker = ByteQueue.attach(channel.toWorker);
    this.#toHost = ByteQueue.attach(channel.toHost);
    this.#byMessage = channel.bell === "message";
    this.#maySpin = channel.spin > 0;
    this.#sleep();
  }

  get #waiting(): number {
    return this.#pending.length - this.#head;
  }

  get #busy(): boolean {
    return this.#starting || this.#waiting > 0 || this.#nested.size > 0;
  }

  /** The worker is ready for calls. */
  started(): void {
    this.#starting = false;
    if (!this.#busy) this.#idle();
  }

  /** Sends a call, or keeps it until there is room. Throws where the params don't fit. */
  call(plan: FunctionPlan, params: readonly unknown[], pending: Pending): void {
    const { layout, types } = plan.parameters;
    if (layout === undefined || this.#waiting >= CALL_WINDOW || this.#backlog.length > 0) {
      this.#backlog.push({ pending, values: engineValues(types, params) });
      this.#refill();
    } else {
      const at = this.#calls.at;
      for (let index = 0; index < layout.length; index++) {
        const value = toEngine(params[index], types[index] as ValueType, index + 1);
        writeValue(this.#words, at, layout[index] as number, index, value);
      }
      this.#send(this.#calls, records.CALL | (plan.index << 8), 0, 0);
      this.#pending.push(pending);
    }
    this.#deadlines.add(pending.deadline);
    this.#schedule();
  }

  /** Sends a call from inside a host function, which the worker serves while it waits for that function. */
  nested(plan: FunctionPlan, params: readonly unknown[], pending: Pending): void {
    const { layout, types } = plan.parameters;
    const values = engineValues(types, params);
    const id = this.#nestedId;
    this.#nestedId = (id + 1) | 0;
    this.#nested.set(id, pending);
    this.#deadlines.add(pending.deadline);
    try {
      this.#sendAnswer({ kind: records.NESTED_CALL | (plan.index << 8), id, layout, values });
    } catch (error) {
      this.#nested.delete(id);
      throw error;
    }
  }

  /** Sends the result of a host function or of a file operation; `layout` is that of the results. */
  answer(id: number, layout: Layout, values: readonly unknown[]): void {
    this.#sendAnswer({ kind: records.ANSWER, id, layout, values });
  }

  answerFailed(id: number, errorId: number): void {
    this.#sendAnswer({ kind: records.ANSWER_FAILED | (errorId << 8), id, layout: NOTHING, values: [] });
  }

  get words(): Words {
    return this.#words;
  }

  /** Takes the bytes that came with a record. */
  extra(at: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#int32[at + EXTRA] as number);
    this.#toHost.read(bytes, 0, bytes.length);
    return bytes;
  }

  get calls(): Iterable<Pending> {
    return this.#all();
  }

  /** Ends the channel: every call is handed to `settle`. */
  end(settle: (pending: Pending) => void): void {
    if (this.#ended) return;
    this.#ended = true;
    const all = [...this.#all()];
    this.#pending = [];
    this.#head = 0;
    this.#backlog = [];
    this.#nested.clear();
    // Lets go of the promise that still waits for the bell.
    this.#ring();
    for (const pending of all) settle(pending);
    this.#host.keepAlive(false);
  }

  /** The bell where it comes by message. */
  readonly wake = (): void => {
    this.#armed = false;
    if (this.#ended) return;
    this.#awake();
    this.#host.drain();
    this.#sliceBegan = this.#host.now();
    this.#pump();
  };

  *#all(): Generator<Pending> {
    for (let index = this.#head; index < this.#pending.length; index++) yield this.#pending[index] as Pending;
    for (const { pending } of this.#backlog) yield pending;
    yield* this.#nested.values();
  }

  #send(ring: RingWriter, kind: number, id: number, extra: number): void {
    const int32 = this.#int32;
    const at = ring.at;
    int32[at + KIND] = kind;
    int32[at + ID] = id;
    int32[at + EXTRA] = extra;
    ring.publish();
    if (Atomics.load(int32, WORKER_SLEEPS) === 1) Atomics.notify(int32, at);
  }

  #sendValues(
    ring: RingWriter,
    kind: number,
    id: number,
    layout: Layout,
    values: readonly unknown[],
    encoded?: Uint8Array,
  ): void {
    let extra = 0;
    if (layout === undefined) {
      const bytes = encoded ?? encode(values);
      extra = bytes.length;
      if (this.#toWorker.write(bytes, 0, extra) !== extra) {
        throw new RangeError(`out of memory: ${extra} bytes could not be sent to the thread`);
      }
    } else writeValues(this.#words, ring.at, layout, values);
    this.#send(ring, kind, id, extra);
    this.#schedule();
  }

  #sendAnswer(answer: Answer): void {
    if (this.#ended) return;
    if (this.#answersLeft.length > 0 || !this.#hasRoomForAnswer()) {
      // What can't cross is told now, to whoever sends it.
      const bytes = answer.layout === undefined ? encode(answer.values) : undefined;
      this.#answersLeft.push({ ...answer, bytes });
    } else {
      this.#sendValues(this.#answers, answer.kind, answer.id, answer.layout, answer.values);
      this.#answersSent = (this.#answersSent + 1) | 0;
    }
  }

  #hasRoomForAnswer(): boolean {
    if (((this.#answersSent - this.#answersTaken) | 0) < ANSWER_WINDOW) return true;
    this.#answersTaken = Atomics.load(this.#int32, ANSWERS_TAKEN);
    return ((this.#answersSent - this.#answersTaken) | 0) < ANSWER_WINDOW;
  }

  /** Sends answers that were left. Only calls can pile up, and the reply to each of those leads here. */
  #flushAnswers(): void {
    while (this.#answersLeft.length > 0 && this.#hasRoomForAnswer()) {
      const { kind, id, layout, values, bytes } = this.#answersLeft.shift() as Answer;
      this.#sendValues(this.#answers, kind, id, layout, values, bytes);
      this.#answersSent = (this.#answersSent + 1) | 0;
    }
  }

  /**
   * Moves calls from the backlog to the worker. One whose values travel as bytes goes alone, so that the bytes of answers
   * to host calls, which overtake waiting calls, never get between.
   */
  #refill(): void {
    while (this.#backlog.length > 0) {
      const [{ pending, values }] = this.#backlog as [Queued];
      const { index, parameters } = pending.plan;
      if (this.#waiting >= (parameters.layout === undefined ? 1 : CALL_WINDOW)) return;
      this.#backlog.shift();
      try {
        this.#sendValues(this.#calls, records.CALL | (index << 8), 0, parameters.layout, values);
        this.#pending.push(pending);
      } catch (error) {
        pending.reject(error);
      }
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#ended) return;
    this.#scheduled = true;
    queueMicrotask(this.#run);
  }

  readonly #run = (): void => {
    this.#scheduled = false;
    if (!this.#ended) this.#pump();
  };

  #pump(): void {
    const replies = this.#replies;
    if (!replies.ready && !this.#look()) {
      if (this.#busy) this.#sleep();
      else this.#idle();
      return;
    }
    this.#awake();
    const now = this.#host.now();
    while (replies.ready && !this.#ended) this.#take();
    if (this.#ended) return;
    if (this.#backlog.length > 0) this.#refill();
    if (this.#answersLeft.length > 0) this.#flushAnswers();
    if (!this.#busy) this.#idle();
    else if (now - this.#sliceBegan > SLICE) this.#yield();
    else this.#schedule();
  }

  /** Looks for a reply for a little while, where one is likely to come soon. */
  #look(): boolean {
    const { now } = this.#host;
    if (!this.#busy || !this.#maySpin || now() - this.#sliceBegan > SLICE || !this.#spinner.worthwhile)
      return false;
    this.#awake();
    const found = this.#replies.spin(HOST_SPIN, now);
    if (found) this.#spinner.hit();
    else this.#spinner.miss();
    return found;
  }

  #take(): void {
    const at = this.#replies.at;
    const word = this.#int32[at + KIND] as number;
    const kind = word & 255;
    if (kind < records.REPLY) {
      this.#host.serve(kind, word >>> 8, at);
      return;
    }
    const pending = (kind & records.NESTED) !== 0 ? this.#takeNested(at) : this.#takePending();
    this.#host.drain();
    this.#deliver(kind & ~records.NESTED, word >>> 8, at, pending);
  }

  /** Gives the record that `serve` has read back to the worker. */
  release(): void {
    this.#replies.release();
  }

  #takePending(): Pending | undefined {
    const pending = this.#pending[this.#head++];
    if (this.#head === this.#pending.length) {
      this.#pending.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1024) {
      this.#pending.splice(0, this.#head);
      this.#head = 0;
    }
    this.#host.replied();
    return pending;
  }

  #takeNested(at: number): Pending | undefined {
    const id = this.#int32[at + ID] as number;
    const pending = this.#nested.get(id);
    this.#nested.delete(id);
    return pending;
  }

  #deliver(kind: number, errorId: number, at: number, pending: Pending | undefined): void {
    const { layout } = pending?.plan.results ?? { layout: undefined };
    const extra = (this.#int32[at + EXTRA] as number) > 0 ? this.extra(at) : undefined;
    let values: WasmValue[] = [];
    if (kind === records.REPLY && layout !== undefined) values = readValues(this.#words, at, layout);
    this.#replies.release();
    if (pending === undefined) return;
    switch (kind) {
      case records.REPLY:
        pending.resolve(extra === undefined ? values : (decode(extra) as WasmValue[]));
        break;
      case records.REPLY_EXIT:
        pending.resolve(values);
        break;
      case records.REPLY_HOST_ERROR:
        pending.reject(this.#host.hostError(errorId));
        break;
      default:
        pending.reject(this.#host.guestError(extra === undefined ? undefined : decode(extra)));
    }
  }

  #idle(): void {
    this.#awake();
    if (this.#alive) {
      this.#alive = false;
      this.#host.keepAlive(false);
    }
    this.#deadlines.rest();
    this.#host.settled();
  }

  #awake(): void {
    if (this.#asleep) {
      this.#asleep = false;
      Atomics.store(this.#int32, HOST_SLEEPS, 0);
    }
  }

  /** Lets the event loop go on until the worker rings. */
  #sleep(): void {
    if (!this.#alive) {
      this.#alive = true;
      this.#host.keepAlive(true);
    }
    this.#deadlines.arm();
    this.#asleep = true;
    this.#arm();
    Atomics.store(this.#int32, HOST_SLEEPS, 1);
    // What came before the flag was up rang no bell.
    this.#host.drain();
    if (this.#replies.ready) this.#ring();
  }

  /** Lets the event loop go round once. */
  #yield(): void {
    this.#sleep();
    this.#ring();
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    if (this.#byMessage) return;
    const waiting = Atomics.waitAsync(this.#int32, BELL, Atomics.load(this.#int32, BELL));
    if (waiting.async) void waiting.value.then(this.wake);
    else queueMicrotask(this.wake);
  }

  #ring(): void {
    if (this.#byMessage) {
      setTimeout(this.wake, 0);
      return;
    }
    Atomics.add(this.#int32, BELL, 1);
    Atomics.notify(this.#int32, BELL);
  }
}
