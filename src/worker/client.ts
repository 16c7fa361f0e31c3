import type { ExitReason, Pending } from "../engine.js";
import { memoryName } from "../exported-globals.js";
import type { Context } from "../imports.js";
import { Memory } from "../memory.js";
import type { Thread } from "../platform.js";
import type { FunctionType, ValueType } from "../shape.js";
import { toEngine, type WasmValue } from "../values.js";
import { encode } from "./codec.js";
import { WorkerEngine, type WorkerParts } from "./host.js";
import { type Layout, writeValue } from "./layout.js";
import { engineValues } from "./plans.js";
import type { Channel, WorkerMessage } from "./protocol.js";
import {
  ANSWER_WINDOW,
  ANSWERS_TAKEN,
  BELL,
  CALL_WINDOW,
  EXTRA,
  HOST_SLEEPS,
  ID,
  KIND,
  STOPPED,
  WORKER_SLEEPS,
} from "./record.js";
import * as records from "./records.js";
import { ChannelEnd, NOTHING, type Ring, unpack, type Values } from "./ring.js";
import { Spinner } from "./spin.js";

/** How long the host looks for a reply before it lets its event loop go on, in milliseconds. */
const HOST_SPIN = 0.012;
/** How long calls in a row may keep the host from its event loop, in milliseconds. */
const SLICE = 1;
/** Misses in a row after which one wait in this many still looks. */
const MOST_SKIPS = 16;

/** Taken once: what fakes time in tests fakes this, too. */
const enqueue = queueMicrotask;

/** A record for a guest that waits in a host call. */
type Answer = readonly [word: number, id: number, layout: Layout, values: Values];

/** Values that may have to wait, out of reach of whoever changes them meanwhile. */
function packed(layout: Layout, values: readonly unknown[]): Values {
  return layout === undefined ? encode(values) : values;
}

/** The host's end of the channel: sends calls in order and delivers what comes back. */
export class SharedEngine extends WorkerEngine {
  readonly #end: ChannelEnd;
  readonly #int32: Int32Array;
  readonly #channel: Channel;
  readonly #context: Context;

  /** Calls that the worker has, oldest first. */
  #pending: Pending[] = [];
  #backlog: { readonly pending: Pending; readonly values: Values }[] = [];
  readonly #nested = new Map<number, Pending>();
  /** Answers for which there is no room in their ring, in order; how many were sent. */
  readonly #answersLeft: Answer[] = [];
  #answersSent = 0;
  #nestedId = 0;
  /** Whether the worker starts: it may call host functions before any call. */
  #starting = true;
  #scheduled = false;
  #armed = false;
  #asleep = false;
  #alive = false;
  #sliceBegan = 0;
  /** Whether a host function has run, however long, since the deadlines were looked at. */
  #served = false;
  readonly #spinner = new Spinner(MOST_SKIPS);

  constructor(thread: Thread, parts: WorkerParts, channel: Channel) {
    super(thread, parts);
    this.#end = new ChannelEnd(channel, true);
    this.#int32 = this.#end.int32;
    this.#channel = channel;
    const engine = this;
    let memory: Memory<"uint8"> | undefined;
    this.#context = {
      get memory() {
        memory ??= new Memory(engine.memory(memoryName(parts.shape)), "uint8", 0);
        return memory;
      },
      callFunction: (name, params = []) => engine.#callNested(name, params),
      get signal() {
        return engine.signal;
      },
    };
    this.#sleep();
  }

  get #busy(): boolean {
    return this.#starting || this.#pending.length > 0 || this.#nested.size > 0;
  }

  protected started(): void {
    this.#starting = false;
    if (!this.#busy) this.#rest();
  }

  /** Sends a call, or keeps it until there is room. Throws where the params don't fit. */
  protected send(pending: Pending): void {
    const { plan, params, deadline } = pending;
    const { parameters: layout, index: place } = plan;
    if (layout === undefined || this.#pending.length >= CALL_WINDOW || this.#backlog.length > 0) {
      this.#backlog.push({ pending, values: packed(layout, engineValues(plan, params)) });
      this.#refill();
    } else {
      const end = this.#end;
      const { calls } = end;
      const types = (plan.type as FunctionType).parameters;
      for (let index = 0; index < layout.length; index++) {
        const value = toEngine(params[index], types[index] as ValueType, index + 1);
        writeValue(end, calls.at, layout[index] as number, index, value);
      }
      this.#wakeFor(end.publish(calls, records.CALL | (place << 8), 0, 0));
      this.#pending.push(pending);
    }
    this.deadlines.add(deadline);
    this.#schedule();
  }

  /** A call from inside a host function, which the worker serves while it waits for that function. */
  async #callNested(name: string, params: readonly unknown[]): Promise<WasmValue[]> {
    const plan = this.parts.plans.for(name, params);
    // A host function that calls when it has answered already stands in line like anybody else.
    if (!this.parts.functions.guestWaits || this.reason !== undefined) {
      return this.call(plan, params, Number.POSITIVE_INFINITY);
    }
    // Throws as long as there are no exports to call.
    void this.reached;
    const values = engineValues(plan, params);
    return new Promise((resolve, reject) => {
      this.#nestedId = (this.#nestedId + 1) | 0;
      const id = this.#nestedId;
      const deadline = Number.POSITIVE_INFINITY;
      this.#answer(records.NESTED_CALL | (plan.index << 8), id, plan.parameters, values);
      const failed = (error: unknown): void => {
        this.parts.functions.own.add(error as object);
        reject(error);
      };
      this.#nested.set(id, { plan, params, resolve, reject: failed, timeout: deadline, began: 0, deadline });
    });
  }

  protected override get calls(): Pending[] {
    return [...this.#pending, ...this.#backlog.map(({ pending }) => pending), ...this.#nested.values()];
  }

  protected override close(reason: ExitReason): Promise<void> {
    this.#pending = [];
    this.#backlog = [];
    this.#nested.clear();
    Atomics.store(this.#int32, STOPPED, 1);
    Atomics.notify(this.#int32, STOPPED);
    const { calls, answers } = this.#end;
    this.#wakeFor(this.#end.write(calls, records.LEAVE, 0, NOTHING, []));
    // Who has answers left to take doesn't sleep.
    if (this.#mayAnswer) this.#wakeFor(this.#end.write(answers, records.LEAVE, 0, NOTHING, []));
    // Lets go of the promise that still waits for the bell.
    this.#ring();
    return super.close(reason);
  }

  protected override receive(message: WorkerMessage): void {
    if (message.kind === "bell") this.#wake();
    else super.receive(message);
  }

  /** The bell has rung. */
  readonly #wake = (): void => {
    this.#armed = false;
    if (this.reason !== undefined) return;
    this.#awake();
    this.drain();
    this.#sliceBegan = this.now();
    this.#pump();
  };

  #wakeFor(at: number): void {
    if (Atomics.load(this.#int32, WORKER_SLEEPS) === 1) Atomics.notify(this.#int32, at);
  }

  #write(ring: Ring, word: number, id: number, layout: Layout, values: Values): void {
    this.#wakeFor(this.#end.write(ring, word, id, layout, values));
    this.#schedule();
  }

  /** Sends an answer, or keeps it until there is room. Throws where a value can't cross. */
  #answer(word: number, id: number, layout: Layout, values: readonly unknown[]): void {
    if (this.reason !== undefined) return;
    this.#answersLeft.push([word, id, layout, packed(layout, values)]);
    this.#flushAnswers();
  }

  /** Whether the ring has room for an answer. */
  get #mayAnswer(): boolean {
    return ((this.#answersSent - Atomics.load(this.#int32, ANSWERS_TAKEN)) | 0) < ANSWER_WINDOW;
  }

  /** Sends answers for as long as there is room. Only calls can pile up, and the reply to each of those leads here. */
  #flushAnswers(): void {
    const left = this.#answersLeft;
    while (left.length > 0 && this.#mayAnswer) {
      const [word, id, layout, values] = left.shift() as Answer;
      this.#write(this.#end.answers, word, id, layout, values);
      this.#answersSent = (this.#answersSent + 1) | 0;
    }
  }

  /**
   * Moves calls from the backlog to the worker. One whose values travel as bytes goes alone, so that the bytes of answers
   * to host calls, which overtake waiting calls, never get between.
   */
  #refill(): void {
    for (let next = this.#backlog[0]; next !== undefined; next = this.#backlog[0]) {
      const { pending, values } = next;
      const { index, parameters } = pending.plan;
      if (this.#pending.length >= (parameters === undefined ? 1 : CALL_WINDOW)) return;
      this.#backlog.shift();
      try {
        this.#write(this.#end.calls, records.CALL | (index << 8), 0, parameters, values);
        this.#pending.push(pending);
      } catch (error) {
        pending.reject(error);
      }
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.reason !== undefined) return;
    this.#scheduled = true;
    enqueue(this.#run);
  }

  readonly #run = (): void => {
    this.#scheduled = false;
    if (this.reason === undefined) this.#pump();
  };

  #pump(): void {
    const { replies } = this.#end;
    if (!replies.ready && !this.#look()) {
      if (this.#busy) this.#sleep();
      else this.#rest();
      return;
    }
    this.#awake();
    const now = this.now();
    if (this.#served) {
      // What the guest answers after it may come too late.
      this.#served = false;
      this.deadlines.look(now);
    }
    while (replies.ready && !this.#served && this.reason === undefined) this.#take();
    if (this.reason !== undefined) return;
    this.#refill();
    this.#flushAnswers();
    if (!this.#busy) this.#rest();
    else if (now - this.#sliceBegan > SLICE) {
      // Lets the event loop go round once.
      this.#sleep();
      this.#ring();
    } else this.#schedule();
  }

  /** Looks for a reply for a little while, where one is likely to come soon. */
  #look(): boolean {
    if (!this.#busy || this.now() - this.#sliceBegan > SLICE) return false;
    this.#awake();
    return this.#spinner.finds(this.#end.replies, this.#channel.spin && HOST_SPIN, this.now);
  }

  /** Takes one record of the worker's. */
  #take(): void {
    const end = this.#end;
    const { at } = end.replies;
    const { functions, streams } = this.parts;
    const word = this.#int32[at + KIND] as number;
    const id = this.#int32[at + ID] as number;
    const index = word >>> 8;
    const kind = word & 255 & ~records.NESTED;
    if (kind === records.WANT_INPUT) {
      end.replies.release();
      streams?.follow();
      return;
    }
    if (kind === records.HOST_CALL) {
      const values = end.read(at, functions.plan(index).parameters);
      end.replies.release();
      this.#served = true;
      functions.serve(index, this.#context, values, (layout, result, errorId) =>
        this.#answer(
          errorId === 0 ? records.ANSWER : records.ANSWER_FAILED | (errorId << 8),
          id,
          layout,
          result,
        ),
      );
      return;
    }
    if (kind === records.MADE) {
      end.replies.release();
      void this.made.then(() => this.#answer(records.ANSWER, id, NOTHING, []));
      return;
    }
    let pending: Pending | undefined;
    if ((word & records.NESTED) === 0) {
      pending = this.#pending.shift();
      this.answered();
    } else {
      pending = this.#nested.get(id);
      this.#nested.delete(id);
    }
    // This call's own.
    const failure = streams?.drain();
    if (failure !== undefined) {
      functions.outputFailure = failure;
      pending?.reject(failure);
    }
    const layout = kind === records.REPLY ? pending?.plan.results : undefined;
    const content: Values =
      layout !== undefined || (this.#int32[at + EXTRA] as number) > 0 ? end.read(at, layout) : [];
    end.replies.release();
    try {
      if (kind === records.REPLY_HOST_ERROR)
        pending?.reject(functions.error(index, (word & records.NESTED) > 0));
      else if (kind === records.REPLY_ERROR)
        pending?.reject(
          this.guestError(
            content.length > 0 ? unpack(content) : new RangeError("Maximum call stack size exceeded"),
          ),
        );
      else pending?.resolve(unpack(content) as WasmValue[]);
    } catch (error) {
      pending?.reject(error);
    }
  }

  #rest(): void {
    this.#awake();
    if (this.#alive) {
      this.#alive = false;
      this.keepAlive(false);
    }
    this.idle();
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
      this.keepAlive(true);
    }
    this.deadlines.arm();
    this.#asleep = true;
    this.#arm();
    Atomics.store(this.#int32, HOST_SLEEPS, 1);
    // What came before the flag was up rang no bell.
    this.drain();
    if (this.#end.replies.ready) this.#ring();
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    if (this.#channel.bell === "message") return;
    const waiting = Atomics.waitAsync(this.#int32, BELL, Atomics.load(this.#int32, BELL));
    if (waiting.async) void waiting.value.then(this.#wake);
    else enqueue(this.#wake);
  }

  #ring(): void {
    if (this.#channel.bell === "message") {
      setTimeout(this.#wake, 0);
      return;
    }
    Atomics.add(this.#int32, BELL, 1);
    Atomics.notify(this.#int32, BELL);
  }
}
