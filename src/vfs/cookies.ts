interface Kept<T> {
  readonly key: string;
  readonly item: T;
  readonly cookie: number;
}

/**
 * What one directory lists, for backends whose directories have no stable cookies of their own. Names are taken anew when a
 * listing begins (cookie 0), and each keeps its cookie for as long as it is there; going on from a cookie never
 * takes them again, so that what is added or removed meanwhile moves nothing.
 */
export class Cookies<T> {
  #kept: Kept<T>[] = [];
  #last = 0;

  /** Takes the names anew, each with a key that tells it from the others. */
  refresh(found: Iterable<readonly [key: string, item: T]>): void {
    const before = new Map(this.#kept.map(({ key, cookie }) => [key, cookie]));
    this.#kept = Array.from(found, ([key, item]) => {
      const cookie = before.get(key) ?? ++this.#last;
      return { key, item, cookie };
    }).sort((a, b) => a.cookie - b.cookie);
  }

  /** The index of the first entry after that cookie. */
  after(cookie: number): number {
    let low = 0;
    let high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#kept[middle] as Kept<T>).cookie <= cookie) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  at(index: number): Kept<T> | undefined {
    return this.#kept[index];
  }
}
