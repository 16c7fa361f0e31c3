import { platform } from "./platform.js";

/** The longest that timers take, in milliseconds; a later deadline is looked at again then. */
const LONGEST = 2 ** 31 - 1;

/**
 * One timer for all deadlines of a process. It is set anew only where a deadline comes before it: most calls are answered long
 * before theirs, and setting a timer for each would cost more than the call.
 */
export class Deadlines {
  readonly #now: () => number;
  readonly #onDue: () => void;
  #next = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #unwatch: (() => void) | undefined;
  #lasting = false;
  readonly #holds: boolean;

  /** @param holds whether a deadline keeps the event loop alive; a thread under way does so by itself */
  constructor(now: () => number, onDue: () => void, holds = false) {
    this.#now = now;
    this.#onDue = onDue;
    this.#holds = holds;
  }

  add(deadline: number): void {
    if (deadline < this.#next) this.#next = deadline;
  }

  /** Looks that the timer goes off in time: the event loop is about to be waited for. */
  arm(): void {
    if (this.#next >= this.#timerAt) return;
    this.stop();
    this.#timerAt = this.#next;
    // Rounded up: timers may go off a fraction of a millisecond early.
    const milliseconds = Math.min(Math.max(Math.ceil(this.#next - this.#now()), 0), LONGEST);
    this.#timer = setTimeout(this.#fire, milliseconds);
    this.#unwatch = platform().watch?.(this.#fire, milliseconds);
    if (this.#holds) return;
    const timer = this.#timer as { unref?: () => void };
    this.#lasting = timer.unref !== undefined;
    timer.unref?.();
  }

  /** Looks whether a deadline has passed by that time. */
  look(now: number): void {
    if (now >= this.#next) this.#onDue();
  }

  /** Nothing is under way. */
  rest(): void {
    this.#next = Infinity;
    if (this.#timer !== undefined && !this.#lasting) this.stop();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#unwatch?.();
    this.#unwatch = this.#timer = undefined;
    this.#timerAt = Infinity;
  }

  /** Called by `onDue` where nothing was overdue: the next deadline to look at. */
  continueAt(earliest: number): void {
    this.#next = earliest;
    if (earliest !== Infinity) this.arm();
  }

  readonly #fire = (): void => {
    this.stop();
    if (this.#next !== Infinity) this.#onDue();
  };
}
