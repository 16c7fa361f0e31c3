import { UnsupportedError } from "../errors.js";
import { platform } from "../platform.js";
import type { Stream } from "../vfs/descriptors.js";
import { ERRNO_BADF, ERRNO_FAULT, ERRNO_INVAL, ERRNO_NOTCAPABLE } from "../vfs/errno.js";
import { RIGHT_FD_READ, RIGHT_FD_WRITE } from "../vfs/rights.js";
import type { Functions } from "./functions.js";
import type { Guest } from "./guest.js";
import { CLOCK_LAST } from "./sources.js";

/** How a version of WASI lays out a subscription: its size and where the clock's fields are. */
export interface SubscriptionLayout {
  readonly size: number;
  readonly clock: number;
  readonly timeout: number;
  readonly flags: number;
}

export const PREVIEW1_SUBSCRIPTION: SubscriptionLayout = { size: 48, clock: 16, timeout: 24, flags: 40 };
/** A clock has an identifier of its own here, before the others. */
export const UNSTABLE_SUBSCRIPTION: SubscriptionLayout = { size: 56, clock: 24, timeout: 32, flags: 48 };

const EVENT_SIZE = 32;
const EVENT_CLOCK = 0;
const EVENT_FD_READ = 1;
const EVENT_FD_WRITE = 2;
const HANGUP = 1;
const ABSOLUTE = 1;
/** As many as a system lets a process open at most: a longer list is no honest one. */
const MOST_SUBSCRIPTIONS = 65_536;
/** On a thread that can't sleep a wait as short as this is spun through; a page doesn't feel less than a long task. */
const LONGEST_SPIN = 50;

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

/** poll_oneoff. */
export function pollFunctions(guest: Guest, layout: SubscriptionLayout): Functions {
  const readClock = (at: number): Pick<Subscription, "due" | "error"> => {
    const id = guest.u32(at + layout.clock);
    const flags = guest.view.getUint16(at + layout.flags, true);
    if (id > CLOCK_LAST || (flags & ~ABSOLUTE) !== 0)
      return { due: Number.NEGATIVE_INFINITY, error: ERRNO_INVAL };
    const timeout = guest.view.getBigUint64(at + layout.timeout, true);
    const left = (flags & ABSOLUTE) === 0 ? timeout : timeout - guest.sources.nanoseconds(id);
    return { due: platform().monotonicNow() + Number(left) / 1e6, error: 0 };
  };

  const readDescriptor = (fd: number, type: number): Pick<Subscription, "error" | "stream" | "bytes"> => {
    const descriptor = guest.descriptor(fd);
    const right = type === EVENT_FD_READ ? RIGHT_FD_READ : RIGHT_FD_WRITE;
    if (descriptor === undefined) return { error: ERRNO_BADF, stream: undefined, bytes: 0 };
    if ((descriptor.rights & right) === 0) return { error: ERRNO_NOTCAPABLE, stream: undefined, bytes: 0 };
    const { stream, backend } = descriptor;
    if (type === EVENT_FD_WRITE || backend === undefined) {
      return { error: 0, stream: type === EVENT_FD_READ ? stream : undefined, bytes: 1 };
    }
    backend.begin();
    guest.held = backend;
    const size = backend.size(descriptor.node);
    guest.held = undefined;
    backend.end();
    return { error: 0, stream: undefined, bytes: Math.max(size - descriptor.position, 0) };
  };

  const readSubscription = (at: number): Subscription | undefined => {
    const userdata = guest.view.getBigUint64(at, true);
    const type = guest.bytes[at + 8] as number;
    if (type === EVENT_CLOCK) return { userdata, type, stream: undefined, bytes: 0, ...readClock(at) };
    if (type > EVENT_FD_WRITE) return undefined;
    const due = Number.POSITIVE_INFINITY;
    return { userdata, type, due, ...readDescriptor(guest.u32(at + 16), type) };
  };

  /** Writes the events that there are now; answers how many. */
  const collect = (subscriptions: readonly Subscription[], output: number): number => {
    const now = platform().monotonicNow();
    let events = 0;
    for (const { userdata, type, due, error, stream, bytes } of subscriptions) {
      const available = stream === undefined ? bytes : stream.available();
      if (error === 0 && (type === EVENT_CLOCK ? due > now : available < 0)) continue;
      const at = output + EVENT_SIZE * events++;
      const { view } = guest;
      view.setBigUint64(at, userdata, true);
      view.setUint32(at + 8, error | (type << 16), true);
      view.setUint32(at + 12, 0, true);
      guest.setU64(at + 16, Math.max(available, 0));
      guest.setU64(at + 24, stream !== undefined && error === 0 && available === 0 ? HANGUP : 0);
    }
    return events;
  };

  return {
    poll_oneoff(input: number, output: number, count: number, result: number) {
      const from = input >>> 0;
      const to = output >>> 0;
      const size = count >>> 0;
      if (size === 0 || size > MOST_SUBSCRIPTIONS) return ERRNO_INVAL;
      if (
        !guest.has(from, size * layout.size) ||
        !guest.has(to, size * EVENT_SIZE) ||
        !guest.has(result >>> 0, 4)
      ) {
        return ERRNO_FAULT;
      }
      const subscriptions: Subscription[] = [];
      let due = Number.POSITIVE_INFINITY;
      let waited: Stream | undefined;
      for (let index = 0; index < size; index++) {
        const subscription = readSubscription(from + index * layout.size);
        if (subscription === undefined) return ERRNO_INVAL;
        subscriptions.push(subscription);
        due = Math.min(due, subscription.due);
        waited ??= subscription.stream;
      }
      for (;;) {
        // Waiting may have run other code, and the memory may have grown.
        if (!guest.has(to, size * EVENT_SIZE)) return ERRNO_FAULT;
        const events = collect(subscriptions, to);
        if (events > 0) {
          guest.setU32(result >>> 0, events);
          return 0;
        }
        sleep(due - platform().monotonicNow(), waited);
      }
    },
  };
}

let sleeper: Int32Array<SharedArrayBuffer> | undefined;

/** Sleeps until that stream has something, at most that long. */
function sleep(milliseconds: number, stream: Stream | undefined): void {
  if (milliseconds <= 0) return;
  const end = platform().monotonicNow() + milliseconds;
  if (platform().mayBlock()) {
    if (stream?.wait(milliseconds) === true) return;
    if (stream !== undefined && milliseconds === Number.POSITIVE_INFINITY)
      throw new UnsupportedError(stream.stuck);
    // A stream that nobody can fill comes back at once: the time is slept through here.
    const left = end - platform().monotonicNow();
    sleeper ??= new Int32Array(new SharedArrayBuffer(4));
    if (left > 0) Atomics.wait(sleeper, 0, 0, left);
    return;
  }
  if (milliseconds > LONGEST_SPIN) {
    throw new UnsupportedError(
      milliseconds === Number.POSITIVE_INFINITY && stream !== undefined
        ? stream.stuck
        : `the guest sleeps for ${Math.ceil(milliseconds)} ms, but this thread cannot sleep: start it with thread: "worker"`,
    );
  }
  while (platform().monotonicNow() < end) {
    // Nothing to do but to look at the clock again.
  }
}
