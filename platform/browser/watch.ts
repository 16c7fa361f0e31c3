import { codeUrl } from "./code-url.js";
import { trusted } from "./trusted.js";

/** Answers a number when its time has come. */
const CLOCK = "onmessage=({data:[id,after]})=>setTimeout(postMessage,after,id)";

interface Watched {
  readonly at: number;
  readonly ring: () => void;
}

const watched = new Map<number, Watched>();
let last = 0;
let clock: Worker | undefined;
let clockUrl: string | undefined;

function ask(id: number, { at }: Watched): void {
  try {
    if (clock === undefined) {
      clockUrl ??= codeUrl(CLOCK);
      clock = new Worker(trusted(clockUrl));
      clock.onmessage = ({ data }) => watched.get(data as number)?.ring();
      // Where a policy forbids it there are the timers.
      clock.onerror = (event) => event.preventDefault();
    }
    clock.postMessage([id, Math.ceil(at - performance.now())]);
  } catch {
    // As above.
  }
}

function followVisibility(): void {
  if (document.hidden) {
    for (const [id, one] of watched) ask(id, one);
  } else {
    clock?.terminate();
    clock = undefined;
  }
}

/**
 * Browsers hold up the timers of a hidden page, by a second or, later, a minute, but not those of a worker: there is one while the page
 * is hidden and something has to end in time.
 */
export function watch(ring: () => void, milliseconds: number): (() => void) | undefined {
  // A worker's own are not.
  if (typeof document === "undefined") return undefined;
  if (last === 0) document.addEventListener("visibilitychange", followVisibility);
  const id = ++last;
  const one = { at: performance.now() + milliseconds, ring };
  watched.set(id, one);
  if (document.hidden) ask(id, one);
  return () => watched.delete(id);
}
