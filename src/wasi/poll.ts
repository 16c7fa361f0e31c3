import { UnsupportedError } from "../errors.js";
import { sleepFor } from "../pipe-owners.js";
import { platform } from "../platform.js";
import type { Stream } from "../vfs/descriptors.js";
import { ERRNO_FAULT, ERRNO_INTR, ERRNO_INVAL } from "../vfs/errno.js";
import { RIGHT_FD_READ, RIGHT_FD_WRITE } from "../vfs/rights.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";
import {
  CLOCK_ABSOLUTE,
  CLOCK_LAST,
  EVENT_CLOCK,
  EVENT_FD_READ,
  EVENT_FD_WRITE,
  EVENT_HANGUP,
  EVENT_SIZE,
} from "./numbers.js";
import { stuck } from "./stdio.js";

/** As many as a system lets a process open at most: a longer list is no honest one. */
const MOST_SUBSCRIPTIONS = 65_536;
/** For how long a guest on a page's own thread may keep that waiting, in milliseconds. */
const LONGEST_SPIN = 1000;

/** One subscription, read out before anything is written. */
interface Subscription {
  readonly userdata: bigint;
  readonly type: number;
  /** Monotonic milliseconds at which a clock fires; `Infinity` for a descriptor. */
  readonly due: number;
  /** Told at once where it isn't 0. */
  readonly error: number;
  /** What it waits for, where that isn't always ready. */
  readonly stream: Stream | undefined;
  /** Bytes that a file which is always ready still has to read. */
  readonly bytes: number;
}

/** poll_oneoff. In `wasi_unstable` a clock has an identifier of its own, before its other fields. */
export function pollFunctions(guest: Guest, unstable: boolean): Functions {
  const size = unstable ? 56 : 48;

  const readSubscription = (at: number): Subscription => {
    const { view } = guest;
    const type = view.getUint8(at + 8);
    let due = Number.POSITIVE_INFINITY;
    let error = 0;
    let stream: Stream | undefined;
    let bytes = 0;
    if (type === EVENT_CLOCK) {
      const clock = at + size - 32;
      const id = view.getUint32(clock, true);
      const timeout = view.getBigUint64(clock + 8, true);
      const flags = view.getUint16(clock + 24, true);
      if (id > CLOCK_LAST || flags > CLOCK_ABSOLUTE) {
        error = ERRNO_INVAL;
        due = 0;
      } else {
        const left = flags === 0 ? timeout : timeout - guest.sources.nanoseconds(id);
        due = platform().monotonicNow() + Number(left) / 1e6;
      }
    } else {
      const fd = view.getUint32(at + 16, true);
      const file = guest.table.entries[fd];
      error = -guest.check(fd, type === EVENT_FD_READ ? RIGHT_FD_READ : RIGHT_FD_WRITE);
      if (file !== undefined && error === 0) {
        bytes = 1;
        if (type === EVENT_FD_READ) {
          stream = file.stream;
          if (stream === undefined) bytes = Math.max(guest.hold(file).size(file.node) - file.position, 0);
          guest.end();
        }
      }
    }
    return { userdata: view.getBigUint64(at, true), type, due, error, stream, bytes };
  };

  /** Writes the events that there are now; answers how many. */
  const collect = (subscriptions: readonly Subscription[], output: number): number => {
    const now = platform().monotonicNow();
    let at = output;
    for (const { userdata, type, due, error, stream, bytes } of subscriptions) {
      const available = stream === undefined ? bytes : stream.available();
      if (error === 0 && (type === EVENT_CLOCK ? due > now : available < 0)) continue;
      guest.view.setBigUint64(at, userdata, true);
      guest.setU64(at + 8, error | (type << 16));
      guest.setU64(at + 16, Math.max(available, 0));
      guest.setU64(at + 24, stream !== undefined && available === 0 ? EVENT_HANGUP : 0);
      at += EVENT_SIZE;
    }
    return (at - output) / EVENT_SIZE;
  };

  return {
    poll_oneoff: [
      (input: number, output: number, subscribed: number) => {
        const from = input >>> 0;
        const to = output >>> 0;
        const count = subscribed >>> 0;
        if (count === 0 || count > MOST_SUBSCRIPTIONS) return -ERRNO_INVAL;
        if (!guest.has(from, count * size)) return -ERRNO_FAULT;
        const subscriptions: Subscription[] = [];
        let due = Number.POSITIVE_INFINITY;
        let waited: Stream | undefined;
        for (let index = 0; index < count; index++) {
          // An injected clock may have run other code.
          guest.has(from, count * size);
          const subscription = readSubscription(from + index * size);
          if (subscription.type > EVENT_FD_WRITE) return -ERRNO_INVAL;
          subscriptions.push(subscription);
          due = Math.min(due, subscription.due);
          waited ??= subscription.stream;
        }
        for (;;) {
          // Waiting may have run other code, and the memory may have grown.
          if (!guest.has(to, count * EVENT_SIZE)) return -ERRNO_FAULT;
          const events = collect(subscriptions, to);
          if (events > 0) return events;
          const left = guest.left();
          if (left <= 0) return -ERRNO_INTR;
          sleep(due - platform().monotonicNow(), left, waited);
        }
      },
      4,
    ],
  };
}

/** Sleeps until that stream has something, at most that long, or what is left. */
function sleep(milliseconds: number, left: number, stream: Stream | undefined): void {
  if (milliseconds <= 0) return;
  const most = Math.min(milliseconds, left);
  const end = platform().monotonicNow() + most;
  const blocks = platform().mayBlock();
  if (blocks && stream?.wait(most)) return;
  if (stream !== undefined && milliseconds === Number.POSITIVE_INFINITY && platform().monotonicNow() < end)
    throw stuck(stream);
  if (!blocks && most > LONGEST_SPIN) {
    throw new UnsupportedError(
      `the guest sleeps for ${Math.ceil(milliseconds)} ms, but this thread cannot sleep: start it with thread: "worker"`,
    );
  }
  // A stream that nobody can fill comes back at once: the time is slept through here.
  const rest = end - platform().monotonicNow();
  if (blocks && rest > 0 && typeof SharedArrayBuffer !== "undefined") {
    sleepFor(rest);
  }
  while (platform().monotonicNow() < end) {
    // Without shared memory there is nothing to do but to look at the clock again.
  }
}
