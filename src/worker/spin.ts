import type { Ring } from "./ring.js";

/**
 * Looks for the other thread's next record before sleeping. That pays where both threads have a core and little to do; where they
 * have to share one, or the other takes long, it only holds it up. So every miss doubles the number of waits that sleep at once, up
 * to a bound, and a hit forgets them.
 */
export class Spinner {
  readonly #mostSkips: number;
  #skips = 0;
  #left = 0;

  constructor(mostSkips: number) {
    this.#mostSkips = mostSkips;
  }

  /** Looks for up to so many milliseconds, should it be worthwhile this time. */
  finds(ring: Ring, milliseconds: number, now: () => number): boolean {
    if (milliseconds === 0 || this.#left-- > 0) return false;
    const found = ring.spin(milliseconds, now);
    this.#skips = found ? 0 : Math.min(this.#skips * 2 || 1, this.#mostSkips);
    this.#left = this.#skips;
    return found;
  }
}
