import { ExitError, HostFunctionError } from "../errors.js";
import { isStopped, leaveIfStopped } from "../pipe-owners.js";
import { resultArray } from "../values.js";
import { encodeThrown } from "./codec.js";
import type { Layout } from "./layout.js";
import type { FunctionPlan } from "./plans.js";
import type { Channel } from "./protocol.js";
import { ANSWERS_TAKEN, BELL, EXTRA, HOST_SLEEPS, ID, KIND } from "./record.js";
import * as records from "./records.js";
import { ChannelEnd, NOTHING, type Ring, unpack, type Values } from "./ring.js";
import { Spinner } from "./spin.js";
import { needMuchStack, needStack } from "./stack.js";

/** Misses in a row after which one wait in this many still looks. */
const MOST_SKIPS = 32;
/** Host calls after which all that they run has been compiled. */
const COLD = 100;

/** Unwinds the guest to its caller after a host function has failed; the error itself is the host's. No stack is taken. */
export class HostFailure {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

/** The number of the host error behind what was thrown; 0 where there is none. */
export function failureOf(thrown: unknown): number {
  const failure = thrown instanceof HostFunctionError ? thrown.cause : thrown;
  return failure instanceof HostFailure ? failure.id : 0;
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

/** The worker's end of the channel. */
export interface Endpoint {
  /**
   * Has the host do something and waits for the answer, serving calls that the host makes meanwhile.
   * @throws HostFailure where the host's function failed
   */
  ask(
    kind: number,
    index: number,
    parameters: Layout,
    values: readonly unknown[],
    results: Layout,
  ): readonly unknown[];
  /** Tells the host something that needs no answer. */
  tell(kind: number): void;
  /** Wakes the host, should it sleep. */
  ring(): void;
  /** Lets the host call these functions: now while it is asked, later on whenever it likes. */
  expose(exported: Functions): void;
  /** Has that done before each call. */
  beforeCalls(act: () => unknown): void;
  /** Serves calls, one after the other, until the host has it leave. */
  serve(): undefined;
}

/** A call of the host that waits for its answer. */
interface HostCall {
  readonly results: Layout;
  answer: Values | HostFailure | undefined;
}

export function openEndpoint({ channel, now, ringByMessage, toError }: EndpointOptions): Endpoint {
  const end = new ChannelEnd(channel, false);
  const { int32, calls, answers, replies } = end;
  let functions: Functions;
  const acts: (() => unknown)[] = [];
  let hostCalls = 0;
  /** Host calls further out on the stack: their answers may come while one further in waits. */
  const outer = new Map<number, HostCall>();
  const callSpinner = new Spinner(MOST_SKIPS);
  const answerSpinner = new Spinner(MOST_SKIPS);

  const ring = (): void => {
    if (Atomics.load(int32, HOST_SLEEPS) === 0 || Atomics.exchange(int32, HOST_SLEEPS, 0) === 0) return;
    if (channel.bell === "message") {
      ringByMessage();
    } else {
      Atomics.add(int32, BELL, 1);
      Atomics.notify(int32, BELL);
    }
  };

  const send = (word: number, id: number, layout: Layout, values: Values): void => {
    end.write(replies, word, id, layout, values);
    ring();
  };

  /** Waits for a record: looks for it a while where that has paid, then sleeps. */
  const wait = (from: Ring, spinner: Spinner): void => {
    if (from.ready || spinner.finds(from, channel.spin, now)) return;
    from.sleep();
  };

  const release = (from: Ring): void => {
    from.release();
    if (from === answers) Atomics.add(int32, ANSWERS_TAKEN, 1);
  };

  const serveCall = (from: Ring, nested: number): void => {
    const { at } = from;
    const exported = functions((int32[at + KIND] as number) >>> 8);
    const { type, parameters, results } = exported.plan;
    const id = int32[at + ID] as number;
    const packed = end.read(at, parameters);
    release(from);
    let values: readonly unknown[] = [];
    try {
      if (nested > 0) needMuchStack();
      values = unpack(packed) as readonly unknown[];
      const result = exported.call(...values);
      send(records.REPLY | nested, id, results, resultArray(result, type?.results.length));
    } catch (thrown) {
      const failure = failureOf(thrown);
      if (failure !== 0) {
        send(records.REPLY_HOST_ERROR | nested | (failure << 8), id, NOTHING, []);
      } else if (thrown instanceof ExitError && thrown.code === 0) {
        send(records.REPLY_EXIT | nested, id, NOTHING, []);
      } else {
        let bytes: Uint8Array | undefined;
        try {
          bytes = encodeThrown(toError(thrown, exported, values));
        } catch {
          // There is no stack left to say more.
        }
        send(records.REPLY_ERROR | nested, id, bytes ? undefined : NOTHING, bytes ?? NOTHING);
      }
    }
  };

  return {
    ring() {
      needStack();
      ring();
    },

    tell(kind) {
      needStack();
      send(kind, 0, NOTHING, []);
    },

    ask(kind, index, parameters, values, results) {
      // For all that comes until the answer is there, but the guest's own functions.
      if (hostCalls < COLD) needMuchStack();
      needStack();
      leaveIfStopped();
      hostCalls = (hostCalls + 1) & 0x7fffffff;
      const id = hostCalls;
      const call: HostCall = { results, answer: undefined };
      send(kind | (index << 8), id, parameters, values);
      while (call.answer === undefined) {
        wait(answers, answerSpinner);
        leaveIfStopped();
        const word = int32[answers.at + KIND] as number;
        if ((word & 255) === records.NESTED_CALL) {
          outer.set(id, call);
          serveCall(answers, records.NESTED);
          outer.delete(id);
          continue;
        }
        const answered = int32[answers.at + ID] as number;
        const target = answered === id ? call : outer.get(answered);
        // Without a target for a call that has been unwound: only bytes have to be taken.
        const layout = (int32[answers.at + EXTRA] as number) > 0 ? undefined : (target?.results ?? NOTHING);
        const failed = (word & 255) === records.ANSWER_FAILED;
        const answer = failed ? new HostFailure(word >>> 8) : end.read(answers.at, layout);
        if (target !== undefined) target.answer = answer;
        release(answers);
      }
      if (call.answer instanceof HostFailure) throw call.answer;
      return unpack(call.answer) as readonly unknown[];
    },

    expose(exported) {
      functions = exported;
    },

    beforeCalls(act) {
      acts.push(act);
    },

    serve() {
      for (;;) {
        wait(calls, callSpinner);
        if (isStopped()) return undefined;
        for (const act of acts) act();
        try {
          serveCall(calls, 0);
        } catch (error) {
          // Nobody takes what a guest that was stopped comes to.
          if (!isStopped()) throw error;
        }
      }
    },
  };
}
