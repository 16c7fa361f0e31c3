/**
 * Whether to look for the other thread's next record before sleeping. Looking pays where both threads have a core and little to do;
 * where they have to share one, or the other takes long, it only holds it up. So every miss doubles the number of waits that
 * sleep at once, up to a bound, and a hit forgets them.
 */
export class Spinner {
  readonly #mostSkips: number;
  #skips = 0;
  #left = 0;

  constructor(mostSkips: number) {
    this.#mostSkips = mostSkips;
  }

  /** Whether to look this time. */
  get worthwhile(): boolean {
    if (this.#left === 0) return true;
    this.#left--;
    return false;
  }

  hit(): void {
    this.#skips = 0;
  }

  miss(): void {
    this.#skips = Math.min(this.#skips * 2 || 1, this.#mostSkips);
    this.#left = this.#skips;
  }
}
